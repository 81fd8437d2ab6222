#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/distributions/distribution.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace distributions {

struct BetaParameters {
  Tensor concentration1 = {};  ///< a, above 0
  Tensor concentration0 = {};  ///< b, above 0
};

/// The beta distribution, of density x^(a - 1) (1 - x)^(b - 1) / B(a, b) for x in [0, 1]. Throws ValueError
/// for a parameter that is not above 0.
///
/// Draws are quotients of draws from gamma distributions, taken in logarithms, and have first derivatives.
/// They are never 0 or 1 themselves, however small a or b.
class Beta : public DistributionBase {
 public:
  explicit Beta(const BetaParameters& parameters);

  [[nodiscard]] const Tensor& concentration1() const { return concentration1_; }
  [[nodiscard]] const Tensor& concentration0() const { return concentration0_; }

  /// Draws without a gradient.
  [[nodiscard]] Tensor sample(const Shape& sample_shape = {}, Random& random = default_random()) const;
  /// Draws that move with the parameters.
  [[nodiscard]] Tensor rsample(const Shape& sample_shape = {}, Random& random = default_random()) const;

  /// The logarithm of the density, -inf outside of [0, 1].
  [[nodiscard]] Tensor log_prob(const Tensor& value) const;
  [[nodiscard]] Tensor entropy() const;
  [[nodiscard]] Tensor mean() const;
  [[nodiscard]] Tensor variance() const;
  [[nodiscard]] Tensor stddev() const;

 private:
  Tensor concentration1_, concentration0_;
};

}}}  // namespace xtgrad::v1::distributions
