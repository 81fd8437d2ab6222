#pragma once

#include <cstdint>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// Starting values of parameters. Use them with `set_value`, or to make a Parameter; `zeros`, `ones`, `full`,
/// `eye` and `uniform` of creation.h serve as well.
///
///   const double gain = nn::init::gain_of(nn::init::Gain::tanh);
///   layer.weight.set_value(nn::init::xavier_normal(layer.weight.shape(), {.gain = gain}));
namespace init {

/// Numbers of inputs that an output of a layer sums over, and of outputs that an input feeds.
struct Fans {
  std::int64_t in = 0;
  std::int64_t out = 0;
};

/// For a weight [out, in, ...]: in = size(1) * receptive field, out = size(0) * receptive field, the field
/// being the product of the other sizes. Throws ShapeError for fewer than two dimensions.
[[nodiscard]] Fans fans(const Shape& shape);

/// What follows a layer, and how much it shrinks its input.
enum class Gain : std::uint8_t { linear, sigmoid, tanh, relu, leaky_relu, selu };

/// 1 for linear and sigmoid, 5/3 for tanh, sqrt(2) for relu, sqrt(2 / (1 + slope^2)) for leaky_relu, 3/4 for
/// selu.
[[nodiscard]] double gain_of(Gain kind, double slope = 0.01);

enum class Fan : std::uint8_t { in, out };

struct KaimingOptions {
  double gain = 1.4142135623730951;  ///< sqrt(2), for relu
  Fan fan = Fan::in;                 ///< in keeps the scale of the values, out that of the gradients
};

/// Uniform in [-b, b), b = gain * sqrt(3 / fan): He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015.
[[nodiscard]] Tensor kaiming_uniform(const Shape& shape, const KaimingOptions& options = {},
                                     Random& random = default_random(), const TensorOptions& tensor = {});
/// Normal with standard deviation gain / sqrt(fan).
[[nodiscard]] Tensor kaiming_normal(const Shape& shape, const KaimingOptions& options = {},
                                    Random& random = default_random(), const TensorOptions& tensor = {});

struct XavierOptions {
  double gain = 1;
};

/// Uniform in [-b, b), b = gain * sqrt(6 / (fan_in + fan_out)): Glorot, Bengio, "Understanding the difficulty
/// of training deep feedforward neural networks", 2010.
[[nodiscard]] Tensor xavier_uniform(const Shape& shape, const XavierOptions& options = {},
                                    Random& random = default_random(), const TensorOptions& tensor = {});
/// Normal with standard deviation gain * sqrt(2 / (fan_in + fan_out)).
[[nodiscard]] Tensor xavier_normal(const Shape& shape, const XavierOptions& options = {},
                                   Random& random = default_random(), const TensorOptions& tensor = {});

struct NormalOptions {
  double mean = 0;
  double std = 1;  ///< standard deviation, not negative
};

[[nodiscard]] Tensor normal(const Shape& shape, const NormalOptions& options = {},
                            Random& random = default_random(), const TensorOptions& tensor = {});

struct TruncatedNormalOptions {
  double mean = 0;
  double std = 1;   ///< of the distribution before it is cut off; positive
  double low = -2;  ///< where it is cut off: not in deviations
  double high = 2;
};

/// Normal, drawn in [low, high] alone, by the inverse of the distribution function, in float64. Meant for
/// bounds near the mean: behind eight deviations nothing is left of it but the bound. Throws ValueError for
/// bounds that do not ascend, or a std that is not positive.
[[nodiscard]] Tensor truncated_normal(const Shape& shape, const TruncatedNormalOptions& options = {},
                                      Random& random = default_random(), const TensorOptions& tensor = {});

struct OrthogonalOptions {
  double gain = 1;
};

/// Orthonormal rows, or columns where there are more rows, of the matrix [size(0), all else], times the gain:
/// uniform among all such matrices (Saxe, McClelland, Ganguli, "Exact solutions to the nonlinear dynamics of
/// learning in deep linear neural networks", 2014). Throws ShapeError for fewer than two dimensions.
[[nodiscard]] Tensor orthogonal(const Shape& shape, const OrthogonalOptions& options = {},
                                Random& random = default_random(), const TensorOptions& tensor = {});

struct DiracOptions {
  std::int64_t groups = 1;  ///< must divide size(0)
};

/// The kernels [out, in, ...] of a convolution that passes its input on: 1 in the middle of channel k's own
/// kernel, in each group, as far as there are channels, and 0 elsewhere. Throws ShapeError unless there are
/// three to five dimensions, ValueError where the groups do not divide the outputs.
[[nodiscard]] Tensor dirac(const Shape& shape, const DiracOptions& options = {},
                           const TensorOptions& tensor = {});

struct SparseOptions {
  double sparsity = 0.1;  ///< share of zeros in each column, in [0, 1], rounded up
  double std = 0.01;      ///< of the rest, which is normal; not negative
};

/// A matrix whose columns have so many zeros at random places (Martens, "Deep learning via Hessian-free
/// optimization", 2010). Throws ShapeError unless there are two dimensions.
[[nodiscard]] Tensor sparse(const Shape& shape, const SparseOptions& options = {},
                            Random& random = default_random(), const TensorOptions& tensor = {});

}  // namespace init
}}}  // namespace xtgrad::v1::nn
