#include "xtgrad/nn/init.h"

#include <fmt/format.h>

#include <cmath>

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
  Tensor result = randn(shape, random, {.dtype = tensor.dtype}) * options.std + options.mean;
  if (tensor.requires_grad) result.set_requires_grad();
  return result;
}

}  // namespace xtgrad::v1::nn::init
