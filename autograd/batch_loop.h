#pragma once

#include <span>

#include "xtgrad/autograd/core/batch.h"
#include "xtgrad/autograd/core/primitive.h"

namespace xtgrad::inline v1::detail {

/// A primitive of one output on a batch of examples: its results, stacked along a new axis 0. By the
/// primitive's own rule for batches if it has one, else example by example; both have the same bits, and are
/// recorded. For no examples the result is inferred, and has no history. Throws ValueError if no input is
/// batched and ShapeError where the inputs differ in the number of examples.
[[nodiscard]] Tensor apply_batched(const Primitive& primitive, std::span<const BatchInput> inputs);

}  // namespace xtgrad::v1::detail
