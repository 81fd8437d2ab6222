#include "xtgrad/nn/distributions/one_hot_categorical.h"

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/weighted.h"
#include "xtgrad/nn/distributions/parameters.h"

namespace xtgrad::inline v1::distributions {

OneHotCategorical::OneHotCategorical(const CategoricalParameters& parameters)
    : OneHotCategorical(Categorical(parameters)) {}

OneHotCategorical::OneHotCategorical(const Categorical& category)
    : DistributionBase(category.batch_shape(), {category.categories()}, category.dtype()),
      category_(category) {}

Tensor OneHotCategorical::sample(const Shape& sample_shape, Random& random) const {
  return one_hot(category_.sample(sample_shape, random), category_.categories(), {.dtype = dtype()});
}

Tensor OneHotCategorical::log_prob(const Tensor& value) const {
  const Tensor x = detail::value_in(dtype(), "OneHotCategorical", value);
  const Tensor outside = any((x != 0) & (x != 1), {.axes = {-1}}) | (sum(x, {.axes = {-1}}) != 1);
  return detail::outside_is_impossible(outside, sum(xtgrad::detail::weighted(x, logits()), {.axes = {-1}}));
}

Tensor OneHotCategorical::variance() const {
  const Tensor p = probs();
  return p * (1 - p);
}

Tensor OneHotCategorical::stddev() const { return sqrt(variance()); }

}  // namespace xtgrad::v1::distributions
