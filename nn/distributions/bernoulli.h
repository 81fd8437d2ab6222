#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/distributions/distribution.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace distributions {

struct BernoulliParameters {
  // One of the two.
  Tensor probs = {};   ///< of a 1, in [0, 1]
  Tensor logits = {};  ///< log(p / (1 - p))
};

/// 1 with probability p, else 0. Throws ValueError unless it is given either probs, in [0, 1], or logits.
/// Draws are 0 and 1 of the parameter's dtype and have no gradient. Of logits, nothing overflows, and no
/// probability near 1 loses what is left of it.
class Bernoulli : public DistributionBase {
 public:
  explicit Bernoulli(const BernoulliParameters& parameters);

  [[nodiscard]] Tensor probs() const;
  [[nodiscard]] Tensor logits() const;
  [[nodiscard]] Tensor log_of_one() const;   ///< log(p)
  [[nodiscard]] Tensor log_of_zero() const;  ///< log(1 - p)

  /// Draws without a gradient.
  [[nodiscard]] Tensor sample(const Shape& sample_shape = {}, Random& random = default_random()) const;

  /// The logarithm of the probability, -inf unless the value is 0 or 1.
  [[nodiscard]] Tensor log_prob(const Tensor& value) const;
  [[nodiscard]] Tensor entropy() const;
  [[nodiscard]] Tensor mean() const;
  [[nodiscard]] Tensor variance() const;
  [[nodiscard]] Tensor stddev() const;

 private:
  Tensor parameter_;
  bool of_logits_;
};

}}}  // namespace xtgrad::v1::distributions
