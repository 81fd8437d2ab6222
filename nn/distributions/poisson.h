#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/distributions/distribution.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace distributions {

struct PoissonParameters {
  Tensor rate = {};  ///< the mean, at least 0
};

/// The Poisson distribution: k has the probability rate^k e^-rate / k!. Throws ValueError for a negative
/// rate. Draws are whole numbers of the rate's dtype and have no gradient.
class Poisson : public DistributionBase {
 public:
  explicit Poisson(const PoissonParameters& parameters);

  [[nodiscard]] const Tensor& rate() const { return rate_; }

  /// Draws without a gradient.
  [[nodiscard]] Tensor sample(const Shape& sample_shape = {}, Random& random = default_random()) const;

  /// The logarithm of the probability, -inf unless the value is 0, 1, 2, ...
  [[nodiscard]] Tensor log_prob(const Tensor& value) const;
  [[nodiscard]] Tensor mean() const;
  [[nodiscard]] Tensor variance() const;
  [[nodiscard]] Tensor stddev() const;

 private:
  Tensor rate_;
};

}}}  // namespace xtgrad::v1::distributions
