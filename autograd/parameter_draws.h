#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Draws whose distribution each element of a tensor says. As of other draws, the bits of element i depend
// only on the generator's seed and position, on i, and here on the element: not on other elements or the
// number of threads.

struct StandardGammaOptions {
  bool log_space = false;  ///< the draws' logarithms, which are finite where draws underflow
};
/// A draw from the gamma distribution of each shape parameter alpha and the rate 1, of alpha's shape and
/// dtype. It has a gradient in alpha: the draw moves so that the share of draws below it stays (implicit
/// reparameterisation: Figurnov, Mohamed and Mnih, 2018); of that gradient there is no derivative, and taking
/// one throws GraphError. Draws are no smaller than the least normal number. Throws ValueError for an alpha
/// that is not positive and finite.
[[nodiscard]] Tensor standard_gamma(const Tensor& alpha, const StandardGammaOptions& options = {},
                                    Random& random = default_random());

/// A draw from the Poisson distribution of each rate: whole numbers, of the rates' shape and dtype, without a
/// gradient. Throws ValueError for a rate that is negative or not finite.
[[nodiscard]] Tensor poisson(const Tensor& rate, Random& random = default_random());

}}  // namespace xtgrad::v1
