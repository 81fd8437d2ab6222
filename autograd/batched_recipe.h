#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "xtgrad/autograd/core/batch.h"
#include "xtgrad/autograd/replay/recipe.h"

namespace xtgrad::inline v1::detail {

/// A recipe's results for `size` examples at once: its steps run on batches where their operands are, and
/// once for all where they are not. One operand for each input of the recipe, no step of
/// which sees Shape::max_rank dimensions. Recorded as `Recipe::run` is.
[[nodiscard]] std::vector<BatchInput> run_batched(const Recipe& recipe, std::span<const BatchInput> inputs,
                                                  std::int64_t size);

}  // namespace xtgrad::v1::detail
