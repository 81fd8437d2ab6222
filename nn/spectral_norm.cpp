#include "xtgrad/nn/spectral_norm.h"

#include <fmt/format.h>

#include <cmath>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/options.h"

namespace xtgrad::inline v1::nn::detail {
namespace {

/// [outputs, all else]
Tensor as_matrix(const Tensor& weight, std::int64_t dim) {
  const Tensor front = dim == 0 ? weight : movedim(weight, dim, 0);
  const std::int64_t rows = front.size(0);
  return reshape(front, {rows, rows == 0 ? 0 : front.numel() / rows});
}

Tensor unit(const Tensor& v, double eps) { return v / maximum(norm(v), eps); }

}  // namespace

SingularVectors first_vectors(const Tensor& weight, const SpectralNormOptions& options) {
  check_option("SpectralNorm", "n_power_iterations", options.n_power_iterations, 1);
  if (!(options.eps > 0 && std::isfinite(options.eps)))
    throw ValueError(fmt::format("SpectralNorm: eps must be positive and finite: got {}", options.eps));
  const std::size_t dim = normalize_axis("SpectralNorm", options.dim, weight.rank());
  const NoGrad no_grad;
  const Tensor w = as_matrix(weight, static_cast<std::int64_t>(dim));
  const auto draw = [&](std::int64_t n) {
    return unit(randn({n}, default_random(), {.dtype = w.dtype()}), options.eps);
  };
  Tensor u = draw(w.size(0));
  return {u, draw(w.size(1))};
}

SingularVectors iterate(const Tensor& weight, const SingularVectors& before,
                        const SpectralNormOptions& options) {
  const NoGrad no_grad;
  const Tensor w = as_matrix(weight, options.dim);
  SingularVectors after = before;
  for (std::int64_t k = 0; k < options.n_power_iterations; ++k) {
    after.v = unit(matmul(after.u, w), options.eps);
    after.u = unit(matmul(w, after.v), options.eps);
  }
  return after;
}

Tensor over_sigma(const Tensor& weight, const SingularVectors& vectors, const SpectralNormOptions& options) {
  return weight / dot(vectors.u, matmul(as_matrix(weight, options.dim), vectors.v));
}

}  // namespace xtgrad::v1::nn::detail
