#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/distributions/distribution.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace distributions {

struct GammaParameters {
  Tensor concentration = {};  ///< a, above 0
  Tensor rate = {};           ///< r, above 0: 1 / scale
};

/// The gamma distribution, of density r^a x^(a - 1) e^(-r x) / Gamma(a) for x from 0 on. Throws ValueError
/// for a parameter that is not above 0.
///
/// Draws have first derivatives in the concentration (standard_gamma in autograd/parameter_draws.h), and in
/// the rate those of every order.
class Gamma : public DistributionBase {
 public:
  explicit Gamma(const GammaParameters& parameters);

  [[nodiscard]] const Tensor& concentration() const { return concentration_; }
  [[nodiscard]] const Tensor& rate() const { return rate_; }

  /// Draws without a gradient.
  [[nodiscard]] Tensor sample(const Shape& sample_shape = {}, Random& random = default_random()) const;
  /// Draws that move with the parameters.
  [[nodiscard]] Tensor rsample(const Shape& sample_shape = {}, Random& random = default_random()) const;

  /// The logarithm of the density, -inf below 0.
  [[nodiscard]] Tensor log_prob(const Tensor& value) const;
  [[nodiscard]] Tensor entropy() const;
  [[nodiscard]] Tensor mean() const;
  [[nodiscard]] Tensor variance() const;
  [[nodiscard]] Tensor stddev() const;

 private:
  Tensor concentration_, rate_;
};

}}}  // namespace xtgrad::v1::distributions
