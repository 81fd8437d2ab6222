#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/distributions/distribution.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace distributions {

struct ExponentialParameters {
  Tensor rate = {};  ///< r, above 0
};

/// The exponential distribution, of density r e^(-r x) for x from 0 on. Throws ValueError for a rate that is
/// not above 0.
class Exponential : public DistributionBase {
 public:
  explicit Exponential(const ExponentialParameters& parameters);

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
  /// The share of draws up to a value.
  [[nodiscard]] Tensor cdf(const Tensor& value) const;
  /// The value that a share q in [0, 1] of draws lies below.
  [[nodiscard]] Tensor icdf(const Tensor& q) const;

 private:
  Tensor rate_;
};

}}}  // namespace xtgrad::v1::distributions
