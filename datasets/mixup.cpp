#include "xtgrad/datasets/mixup.h"

#include <fmt/format.h>

#include <cmath>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/checks.h"
#include "xtgrad/datasets/rows.h"

namespace xtgrad::inline v1::datasets {

namespace {

/// Logarithm of a number of Gamma(alpha, 1), by Marsaglia and Tsang's method, which needs alpha >= 1: a
/// smaller alpha takes a number of Gamma(alpha + 1) times u^(1 / alpha). As a logarithm, since for small
/// alphas most numbers are too small for a double.
double log_gamma_draw(double alpha, Random& random) {
  double below = 0;
  if (alpha < 1) {
    below = std::log(1 - random.next_uniform()) / alpha;
    alpha += 1;
  }
  const double d = alpha - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = random.next_normal();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(1 - random.next_uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) {
      return below + std::log(d) + std::log(v);
    }
  }
}

/// A number of Beta(alpha, alpha).
double beta_draw(double alpha, Random& random) {
  const double a = log_gamma_draw(alpha, random);
  const double b = log_gamma_draw(alpha, random);
  return 1 / (1 + std::exp(b - a));
}

Tensor mixed(const Tensor& x, const Tensor& order, double share) {
  const Tensor others = detail::copy_rows("mixup", x, order.data<std::int64_t>());
  return x * share + others * (1 - share);
}

}  // namespace

BatchTransform mixup(const MixupOptions& options) {
  detail::require_at_least("mixup", "classes", options.classes, 1);
  if (!(options.alpha > 0) || !std::isfinite(options.alpha)) {
    throw ValueError(fmt::format("mixup: alpha must be finite and positive: got {}", options.alpha));
  }
  return [options](Batch& batch, Random& random) {
    const Dtype dtype = batch.inputs.dtype();
    if (!is_floating(dtype)) {
      throw DtypeError(fmt::format("mixup: inputs must be float32 or float64: got {}", to_string(dtype)));
    }
    const bool classes = batch.labels.defined() && batch.inputs.rank() > 0 &&
                         batch.labels.shape() == Shape{batch.inputs.size(0)};
    if (!classes) {
      throw ShapeError(
          fmt::format("mixup: labels must be classes, one a sample: labels are {}, inputs are {}",
                      batch.labels.defined() ? to_string(batch.labels.shape()) : "none",
                      to_string(batch.inputs.shape())));
    }
    const double share = beta_draw(options.alpha, random);
    const Tensor order = randperm(batch.inputs.size(0), random);
    batch.inputs = mixed(batch.inputs, order, share);
    batch.labels = mixed(xtgrad::one_hot(batch.labels, options.classes, {.dtype = dtype}), order, share);
  };
}

}  // namespace xtgrad::v1::datasets
