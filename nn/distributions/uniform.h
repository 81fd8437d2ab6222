#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/distributions/distribution.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace distributions {

struct UniformParameters {
  Tensor low = {};   ///< the least value
  Tensor high = {};  ///< above low; no value itself
};

/// The same density everywhere in [low, high). Throws ValueError unless low is below high.
class Uniform : public DistributionBase {
 public:
  explicit Uniform(const UniformParameters& parameters);

  [[nodiscard]] const Tensor& low() const { return low_; }
  [[nodiscard]] const Tensor& high() const { return high_; }
  [[nodiscard]] const Tensor& width() const { return width_; }  ///< high - low

  /// Draws without a gradient.
  [[nodiscard]] Tensor sample(const Shape& sample_shape = {}, Random& random = default_random()) const;
  /// Draws that move with the parameters.
  [[nodiscard]] Tensor rsample(const Shape& sample_shape = {}, Random& random = default_random()) const;

  /// The logarithm of the density, -inf outside of [low, high).
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
  Tensor low_, high_, width_;
};

}}}  // namespace xtgrad::v1::distributions
