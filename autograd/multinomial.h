#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct MultinomialOptions {
  bool replacement = false;  ///< whether one category may be drawn again
};
/// The numbers of `count` categories, int64 [count], drawn with probabilities proportional to `weights` [k]
/// of float32 or float64; of weights [n, k], for each row: [n, count]. Without replacement each draw is from
/// those that are left. Throws ValueError for a weight that is negative or not finite, where all are 0, and
/// without replacement where fewer than `count` are above 0.
[[nodiscard]] Tensor multinomial(const Tensor& weights, std::int64_t count,
                                 const MultinomialOptions& options = {}, Random& random = default_random());

}}  // namespace xtgrad::v1
