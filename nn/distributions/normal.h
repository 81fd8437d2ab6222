#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/distributions/distribution.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace distributions {

struct NormalParameters {
  Tensor loc = {};    ///< mean, mu
  Tensor scale = {};  ///< standard deviation, sigma, above 0
};

/// The normal distribution, of density e^(-((x - mu) / sigma)^2 / 2) / (sigma sqrt(2 pi)). Throws ValueError
/// for a scale that is not above 0.
class Normal : public DistributionBase {
 public:
  explicit Normal(const NormalParameters& parameters);

  [[nodiscard]] const Tensor& loc() const { return loc_; }
  [[nodiscard]] const Tensor& scale() const { return scale_; }

  /// Draws without a gradient.
  [[nodiscard]] Tensor sample(const Shape& sample_shape = {}, Random& random = default_random()) const;
  /// Draws that move with the parameters.
  [[nodiscard]] Tensor rsample(const Shape& sample_shape = {}, Random& random = default_random()) const;

  /// The logarithm of the density.
  [[nodiscard]] Tensor log_prob(const Tensor& value) const;
  [[nodiscard]] Tensor entropy() const;
  [[nodiscard]] Tensor mean() const;
  [[nodiscard]] Tensor variance() const;
  [[nodiscard]] Tensor stddev() const;
  /// The share of draws up to a value.
  [[nodiscard]] Tensor cdf(const Tensor& value) const;
  /// The value that a share q in [0, 1] of draws lies below.
  [[nodiscard]] Tensor icdf(const Tensor& q) const;

 private:
  Tensor loc_, scale_;
};

}}}  // namespace xtgrad::v1::distributions
