#include "xtgrad/nn/init.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::nn::init {
namespace {

/// sqrt(numerator / fan), and 0 for a layer without inputs, whose weight has no elements anyway.
double scale(double numerator, std::int64_t fan) {
  return fan == 0 ? 0.0 : std::sqrt(numerator / static_cast<double>(fan));
}

std::int64_t pick(const Fans& fans, Fan fan) { return fan == Fan::in ? fans.in : fans.out; }

Tensor symmetric(const Shape& shape, double bound, Random& random, const TensorOptions& tensor) {
  return uniform(shape, {.low = -bound, .high = bound}, random, tensor);
}

Tensor finished(Tensor values, const TensorOptions& tensor) {
  if (tensor.requires_grad) values.set_requires_grad();
  return values;
}

}  // namespace

Fans fans(const Shape& shape) {
  if (shape.rank() < 2) {
    throw ShapeError(fmt::format("fans: a weight needs at least two dimensions, [out, in, ...]: got {}",
                                 to_string(shape)));
  }
  std::int64_t receptive = 1;
  for (std::size_t i = 2; i < shape.rank(); ++i) receptive *= shape[i];
  return {.in = shape[1] * receptive, .out = shape[0] * receptive};
}

double gain_of(Gain kind, double slope) {
  switch (kind) {
    case Gain::linear:
    case Gain::sigmoid:
      return 1;
    case Gain::tanh:
      return 5.0 / 3;
    case Gain::relu:
      return std::sqrt(2.0);
    case Gain::leaky_relu:
      return std::sqrt(2.0 / (1 + slope * slope));
    case Gain::selu:
      return 0.75;
  }
  throw ValueError(fmt::format("gain_of: no such kind: {}", static_cast<int>(kind)));
}

Tensor kaiming_uniform(const Shape& shape, const KaimingOptions& options, Random& random,
                       const TensorOptions& tensor) {
  return symmetric(shape, std::abs(options.gain) * scale(3, pick(fans(shape), options.fan)), random, tensor);
}

Tensor kaiming_normal(const Shape& shape, const KaimingOptions& options, Random& random,
                      const TensorOptions& tensor) {
  return normal(shape, {.std = std::abs(options.gain) * scale(1, pick(fans(shape), options.fan))}, random,
                tensor);
}

Tensor xavier_uniform(const Shape& shape, const XavierOptions& options, Random& random,
                      const TensorOptions& tensor) {
  const auto [in, out] = fans(shape);
  return symmetric(shape, std::abs(options.gain) * scale(6, in + out), random, tensor);
}

Tensor xavier_normal(const Shape& shape, const XavierOptions& options, Random& random,
                     const TensorOptions& tensor) {
  const auto [in, out] = fans(shape);
  return normal(shape, {.std = std::abs(options.gain) * scale(2, in + out)}, random, tensor);
}

Tensor normal(const Shape& shape, const NormalOptions& options, Random& random, const TensorOptions& tensor) {
  if (!(options.std >= 0))
    throw ValueError(fmt::format("normal: std must not be negative: got {}", options.std));
  const NoGrad no_grad;
  return finished(randn(shape, random, {.dtype = tensor.dtype}) * options.std + options.mean, tensor);
}

Tensor truncated_normal(const Shape& shape, const TruncatedNormalOptions& options, Random& random,
                        const TensorOptions& tensor) {
  const auto [mean, std, low, high] = options;
  if (!(std > 0)) throw ValueError(fmt::format("truncated_normal: std must be positive: got {}", std));
  if (!(low < high)) {
    throw ValueError(fmt::format("truncated_normal: low must be below high: got {} and {}", low, high));
  }
  const NoGrad no_grad;
  // erf is 2 times the distribution function, less 1.
  const double root = std * std::sqrt(2.0);
  const double first = std::erf((low - mean) / root), last = std::erf((high - mean) / root);
  const Tensor at = uniform(shape, {}, random, {.dtype = float64}) * (last - first) + first;
  const Tensor draws = clamp(erfinv(at) * root + mean, {.min = low, .max = high});
  return finished(draws.to(tensor.dtype.value_or(default_dtype())), tensor);
}

Tensor orthogonal(const Shape& shape, const OrthogonalOptions& options, Random& random,
                  const TensorOptions& tensor) {
  if (shape.rank() < 2) {
    throw ShapeError(
        fmt::format("orthogonal: a weight needs at least two dimensions: got {}", to_string(shape)));
  }
  const NoGrad no_grad;
  if (shape.numel() == 0) return finished(zeros(shape, {.dtype = tensor.dtype}), tensor);
  const std::int64_t rows = shape[0], columns = shape.numel() / rows;
  const bool is_wide = rows < columns;
  // The diagonal of r is positive, which makes q unique, and uniform.
  const Tensor q =
      qr(randn({std::max(rows, columns), std::min(rows, columns)}, random, {.dtype = tensor.dtype})).q;
  return finished(reshape(is_wide ? transpose(q) : q, shape) * options.gain, tensor);
}

Tensor dirac(const Shape& shape, const DiracOptions& options, const TensorOptions& tensor) {
  if (shape.rank() < 3 || shape.rank() > 5) {
    throw ShapeError(
        fmt::format("dirac: a weight must have three to five dimensions: got {}", to_string(shape)));
  }
  if (options.groups < 1 || shape[0] % options.groups != 0) {
    throw ValueError(
        fmt::format("dirac: groups must divide the {} outputs: got {}", shape[0], options.groups));
  }
  std::int64_t field = 1, middle = 0;
  for (std::size_t d = 2; d < shape.rank(); ++d) {
    field *= shape[d];
    middle = middle * shape[d] + shape[d] / 2;
  }
  const std::int64_t per_group = shape[0] / options.groups;
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  for (std::int64_t out = 0; out < shape[0] && field > 0; ++out) {
    const std::int64_t channel = out % per_group;
    if (channel < shape[1]) values[static_cast<std::size_t>((out * shape[1] + channel) * field + middle)] = 1;
  }
  return from_span(std::span<const double>(values), shape,
                   {.dtype = tensor.dtype.value_or(default_dtype()), .requires_grad = tensor.requires_grad});
}

Tensor sparse(const Shape& shape, const SparseOptions& options, Random& random, const TensorOptions& tensor) {
  if (shape.rank() != 2)
    throw ShapeError(fmt::format("sparse: a weight must have two dimensions: got {}", to_string(shape)));
  if (!(options.sparsity >= 0 && options.sparsity <= 1))
    throw ValueError(fmt::format("sparse: sparsity must be in [0, 1]: got {}", options.sparsity));
  const NoGrad no_grad;
  const Tensor values = normal(shape, {.std = options.std}, random, {.dtype = tensor.dtype});
  const double zeros_each = std::ceil(options.sparsity * static_cast<double>(shape[0]));
  // Each column a permutation of its rows.
  const Tensor order = sort(uniform(shape, {}, random, {.dtype = float64}), {.axis = 0}).indices;
  return finished(where(order < zeros_each, 0, values), tensor);
}

}  // namespace xtgrad::v1::nn::init
