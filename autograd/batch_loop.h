#pragma once

#include <span>
#include <vector>

#include "xtgrad/autograd/core/batch.h"
#include "xtgrad/autograd/core/primitive.h"

namespace xtgrad::inline v1::detail {

/// A primitive on a batch of examples: each of its outputs, stacked along a new axis 0. By the primitive's
/// own rule for batches if it has one, else example by example; both have the same bits, and are recorded.
/// For no examples the results are inferred, and have no history. Throws ValueError if no input is
/// batched and ShapeError where the inputs differ in the number of examples.
[[nodiscard]] std::vector<Tensor> apply_batched(const Primitive& primitive,
                                                std::span<const BatchInput> inputs);

}  // namespace xtgrad::v1::detail
