#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/distributions/distribution.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace distributions {

struct CategoricalParameters {
  // One of the two.
  Tensor probs = {};   ///< [..., k], in proportion to the probabilities, at least 0
  Tensor logits = {};  ///< [..., k], their logarithms, up to a number
};

/// A number from 0 to k - 1, each with a probability of its own, along the last dimension of the parameter.
/// Throws ValueError unless it is given either probs or logits, for a negative probability, and where all are
/// 0; ShapeError for a parameter of no dimensions or of no categories.
///
/// Draws are int64 and have no gradient.
class Categorical : public DistributionBase {
 public:
  explicit Categorical(const CategoricalParameters& parameters);

  /// They add up to 1.
  [[nodiscard]] Tensor probs() const;
  /// The logarithms of the probabilities.
  [[nodiscard]] Tensor logits() const;
  [[nodiscard]] std::int64_t categories() const { return parameter_.shape().back(); }

  /// Draws without a gradient.
  [[nodiscard]] Tensor sample(const Shape& sample_shape = {}, Random& random = default_random()) const;

  /// The logarithm of the probability of the categories that an int64 or int32 value names, -inf of others.
  [[nodiscard]] Tensor log_prob(const Tensor& value) const;
  [[nodiscard]] Tensor entropy() const;

 private:
  Tensor parameter_;  // normalised
  bool of_logits_;
};

}}}  // namespace xtgrad::v1::distributions
