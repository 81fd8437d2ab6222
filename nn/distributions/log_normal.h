#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/distributions/distribution.h"
#include "xtgrad/nn/distributions/normal.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace distributions {

struct LogNormalParameters {
  Tensor loc = {};    ///< mean of the logarithm, mu
  Tensor scale = {};  ///< standard deviation of the logarithm, sigma, above 0
};

/// What has a normal distribution as its logarithm. Throws ValueError for a scale that is not above 0.
class LogNormal : public DistributionBase {
 public:
  explicit LogNormal(const LogNormalParameters& parameters);

  [[nodiscard]] const Tensor& loc() const { return base_.loc(); }
  [[nodiscard]] const Tensor& scale() const { return base_.scale(); }
  /// The distribution of the logarithm.
  [[nodiscard]] const Normal& base() const { return base_; }

  /// Draws without a gradient.
  [[nodiscard]] Tensor sample(const Shape& sample_shape = {}, Random& random = default_random()) const;
  /// Draws that move with the parameters.
  [[nodiscard]] Tensor rsample(const Shape& sample_shape = {}, Random& random = default_random()) const;

  /// The logarithm of the density, -inf unless the value is above 0.
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
  Normal base_;
};

}}}  // namespace xtgrad::v1::distributions
