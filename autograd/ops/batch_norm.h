#pragma once

#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::detail {

/// What a layer in training needs: the result, and the statistics that it was normalised by, for its running
/// averages.
struct BatchNormResult {
  Tensor y;         ///< as batch_norm's
  Tensor mean;      ///< [c], of x's dtype, a constant
  Tensor variance;  ///< [c], unbiased: divided by one less than the values of a channel; a constant
};

/// As batch_norm, whose errors it throws; the statistics are computed once for both.
[[nodiscard]] BatchNormResult batch_norm_with_moments(const Tensor& x, const Tensor& weight,
                                                      const Tensor& bias,
                                                      const BatchNormOptions& options = {});

}  // namespace xtgrad::v1::detail
