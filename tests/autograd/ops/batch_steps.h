#pragma once

#include <array>
#include <string>
#include <vector>

#include "xtgrad/autograd/core/trace.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::testing {

// Traced steps of several examples, run once as a batch and once one by one.

inline constexpr std::size_t batch_examples = 3;
using ExampleTraces = std::array<detail::Trace, batch_examples>;

/// False for a step without inputs, and for one whose operands have no room for an axis of examples.
bool is_batchable(const detail::TracedStep& step);
/// What is wrong with step s of the traces, which have to be of the same steps, as a batch: all inputs
/// batched and the first alone, of these examples and of none. Nothing if it has the bits of single examples.
std::string compare_batch_to_single(const ExampleTraces& traces, std::size_t s);

}  // namespace xtgrad::v1::testing
