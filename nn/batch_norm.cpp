#include "xtgrad/nn/batch_norm.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "xtgrad/autograd/core/number_parts.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batch_norm.h"

namespace xtgrad::inline v1::nn {
namespace {

/// [c] as it broadcasts to x [n, c, ...].
Tensor beside(const Tensor& channels, const Tensor& x) {
  Shape shape;
  shape.push_back(channels.numel());
  for (std::size_t i = 2; i < x.rank(); ++i) shape.push_back(1);
  return reshape(channels, shape);
}

/// 1 / sqrt(variance + eps), of an eps that the dtype would take for 0, too.
Tensor inverse_deviation(const Tensor& variance, double eps) {
  if (!xtgrad::detail::is_below_normal(variance.dtype(), eps)) return 1 / sqrt(variance + eps);
  const double largest = xtgrad::detail::visit_floating(variance.dtype(), [](auto zero) {
    return static_cast<double>(std::numeric_limits<decltype(zero)>::max());
  });
  const Tensor zero = variance == 0;
  return where(zero, std::min(1 / std::sqrt(eps), largest), 1 / sqrt(where(zero, 1, variance)));
}

void check_momentum(std::string_view name, const std::optional<double>& momentum) {
  if (!momentum || (*momentum >= 0 && *momentum <= 1)) return;
  throw ValueError(fmt::format("{}: momentum must be in [0, 1]: got {}", name, *momentum));
}

}  // namespace

BatchNorm::BatchNorm(const char* name, const BatchNormOptions& options) : options_(options) {
  detail::check_option(name, "num_features", options.num_features, 1);
  if (!(options.eps >= 0 && std::isfinite(options.eps))) {
    throw ValueError(fmt::format("{}: eps must be finite and at least 0: got {}", name, options.eps));
  }
  check_momentum(name, options.momentum);
  if (options.affine) {
    weight = Parameter(ones({options.num_features}));
    bias = Parameter(zeros({options.num_features}));
  }
  if (!options.track_running_stats) return;
  running_mean = zeros({options.num_features});
  running_var = ones({options.num_features});
}

void BatchNorm::members(Members& m) {
  m("weight", weight);
  m("bias", bias);
  if (!options_.track_running_stats) return;
  m("running_mean", running_mean);
  m("running_var", running_var);
  m("num_batches_tracked", num_batches_tracked);
}

void BatchNorm::check_loaded() const {
  if (!running_var.defined() || running_var.numel() == 0) return;
  const double least = -amax(-running_var).item();
  if (least < 0) {
    throw ValueError(fmt::format("BatchNorm: the loaded running_var must not be negative: got {}", least));
  }
}

void BatchNorm::set_momentum(std::optional<double> momentum) {
  check_momentum("BatchNorm", momentum);
  options_.momentum = momentum;
}

void BatchNorm::reset_running_stats() {
  if (!options_.track_running_stats) return;
  Tensor mean = zeros_like(running_mean);
  running_var = ones_like(running_var);
  running_mean = std::move(mean);  // both of them, or none
  num_batches_tracked = 0;
}

Tensor BatchNorm::forward(const Tensor& x) {
  check_input(x);
  const bool tracks = options_.track_running_stats;
  if (!is_training() && tracks) return normalize_by_running(x);
  if (x.numel() == options_.num_features) {
    throw ShapeError(fmt::format("{}: the batch's variance needs more than one value a channel: input is {}",
                                 label(), to_string(x.shape())));
  }
  const Shape channels{options_.num_features};
  const Tensor scale = options_.affine ? weight.tensor() : ones(channels, {.dtype = x.dtype()});
  const Tensor shift = options_.affine ? bias.tensor() : zeros(channels, {.dtype = x.dtype()});
  // Of no values there are no statistics, and of the result no element that would show which were taken.
  if (x.numel() == 0) return x * beside(scale, x) + beside(shift, x);
  if (!tracks) return batch_norm(x, scale, shift, {.eps = options_.eps});
  const xtgrad::detail::BatchNormResult result =
      xtgrad::detail::batch_norm_with_moments(x, scale, shift, {.eps = options_.eps});
  track(result.mean, result.variance);
  return result.y;
}

void BatchNorm::check_input(const Tensor& x) const {
  check_shape(x);
  const bool tracks = options_.track_running_stats;
  if (!tracks && !options_.affine) return;
  const Dtype dtype = tracks ? running_mean.dtype() : weight.dtype();
  if (x.dtype() == dtype) return;
  throw DtypeError(fmt::format("{}: input is {}, {} is {}; convert the input or the model with to()", label(),
                               to_string(x.dtype()), tracks ? "running_mean" : "weight", to_string(dtype)));
}

/// Moves the running statistics towards those of a batch: all of them or, where memory runs out, none.
void BatchNorm::track(const Tensor& mean, const Tensor& variance) {
  const NoGrad no_grad;
  Counter count = num_batches_tracked;
  ++count;
  Tensor next_mean;
  if (options_.momentum) {
    const double share = *options_.momentum;
    next_mean = (1 - share) * running_mean + share * mean;
    running_var = (1 - share) * running_var + share * variance;
  } else {
    // The average of all batches so far. Its share is computed in float64, and rounded as a number would be.
    const Tensor share = 1 / count.state().to(float64);
    const Tensor rest = (1 - share).to(running_mean.dtype());
    const Tensor part = share.to(running_mean.dtype());
    next_mean = rest * running_mean + part * mean;
    running_var = rest * running_var + part * variance;
  }
  running_mean = std::move(next_mean);
  num_batches_tracked = std::move(count);
}

/// One pass over x, and its gradient is the cotangent times the scale.
Tensor BatchNorm::normalize_by_running(const Tensor& x) const {
  const Tensor inverse = inverse_deviation(running_var, options_.eps);  // [c]
  const Tensor scale = options_.affine ? weight * inverse : inverse;
  const Tensor shift = options_.affine ? bias.tensor() : zeros_like(inverse);
  return normalize_by(x, running_mean, scale, shift);
}

void BatchNorm1d::check_shape(const Tensor& x) const {
  const std::int64_t channels = options().num_features;
  if ((x.rank() == 2 || x.rank() == 3) && x.size(1) == channels) return;
  throw ShapeError(fmt::format("{}: input must be [n, {}] or [n, {}, length]: got {}", label(), channels,
                               channels, to_string(x.shape())));
}

void BatchNorm2d::check_shape(const Tensor& x) const {
  const std::int64_t channels = options().num_features;
  if (x.rank() == 4 && x.size(1) == channels) return;
  throw ShapeError(
      fmt::format("{}: input must be [n, {}, h, w]: got {}", label(), channels, to_string(x.shape())));
}

}  // namespace xtgrad::v1::nn
