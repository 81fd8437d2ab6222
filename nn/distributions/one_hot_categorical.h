#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/distributions/categorical.h"
#include "xtgrad/nn/distributions/distribution.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace distributions {

/// As Categorical, but a draw of category i is a row of k with a 1 at place i and 0 elsewhere, of the
/// parameter's dtype.
class OneHotCategorical : public DistributionBase {
 public:
  explicit OneHotCategorical(const CategoricalParameters& parameters);

  [[nodiscard]] Tensor probs() const { return category_.probs(); }
  [[nodiscard]] Tensor logits() const { return category_.logits(); }
  /// The distribution of the place of the 1.
  [[nodiscard]] const Categorical& category() const { return category_; }

  /// Draws without a gradient.
  [[nodiscard]] Tensor sample(const Shape& sample_shape = {}, Random& random = default_random()) const;
  /// The logarithm of the probability, -inf where a row is not one 1 among zeros.
  [[nodiscard]] Tensor log_prob(const Tensor& value) const;
  [[nodiscard]] Tensor entropy() const { return category_.entropy(); }
  [[nodiscard]] Tensor mean() const { return probs(); }
  [[nodiscard]] Tensor variance() const;
  [[nodiscard]] Tensor stddev() const;

 private:
  explicit OneHotCategorical(const Categorical& category);

  Categorical category_;
};

}}}  // namespace xtgrad::v1::distributions
