#pragma once

#include <cstdint>
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
/// The same, example by example, and after the outputs the auxiliaries, as constants.
[[nodiscard]] std::vector<Tensor> apply_batched_with_auxiliaries(const Primitive& primitive,
                                                                 std::span<const BatchInput> inputs);

/// A primitive's outputs, recorded, and its auxiliaries, as constants.
[[nodiscard]] std::vector<Tensor> apply_with_auxiliaries(const Primitive& primitive,
                                                         std::span<const Tensor* const> inputs);

/// The operand as example i sees it.
[[nodiscard]] Tensor example_of(const BatchInput& input, std::int64_t i);

}  // namespace xtgrad::v1::detail
