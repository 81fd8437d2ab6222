#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct LeastSquaresOptions {
  double l2 = 0;     ///< of ridge regression: the penalty l2 |weight|^2 is added; the bias has none
  bool bias = true;  ///< if false, the fit goes through the origin
};

/// A linear map y = weight x + bias, in a linear layer's form.
struct LinearFit {
  Tensor weight;  ///< [outputs, features]
  Tensor bias;    ///< [outputs]; zeros without one
  /// Of the samples, less their mean if there is a bias: below `features` the fit is not unique. With a
  /// penalty it is, and this is `features`.
  std::int64_t rank;
};

/// What gradient descent on a linear layer's squared error would come to, in closed form: the weight and bias
/// that minimise, over samples x [n, features] and targets y [n] or [n, outputs],
///
///   sum over samples of |weight x + bias - y|^2  +  l2 |weight|^2
///
/// Where several do, as with fewer samples than features and l2 = 0, those of the least norm. So l2 = n
/// lambda minimises the mean squared error plus lambda |weight|^2. By the singular values of x, in double
/// whatever the dtype, which the result has; no derivatives are recorded.
///
///   nn::LinearFit line = nn::least_squares(x, y);
///   nn::Linear layer{1, 1};
///   layer.weight.set_value(line.weight);
///   layer.bias.set_value(line.bias);
///
/// Throws ShapeError for other shapes or no samples, DtypeError unless both have one floating dtype,
/// ValueError for an l2 that is negative or not finite and for an element that is not finite,
/// ConvergenceError if the singular values are not found.
[[nodiscard]] LinearFit least_squares(const Tensor& x, const Tensor& y,
                                      const LeastSquaresOptions& options = {});

}}}  // namespace xtgrad::v1::nn
