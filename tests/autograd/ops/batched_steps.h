#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "xtgrad/autograd/core/trace.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::testing {

// Steps of three examples, compared with the batch of them.

inline constexpr std::size_t batch_examples = 3;
/// The operands of a step, for each example.
using Examples = std::array<std::vector<Tensor>, batch_examples>;
/// What each example computed.
using ExampleTraces = std::array<detail::Trace, batch_examples>;
/// Which operands of a step are batched; the others are those of the first example.
using Mix = std::vector<bool>;

/// What a step of a trace had for an operand.
Tensor operand(const detail::Trace& trace, const detail::TracedOperand& operand);

/// False for a step without inputs, and for one whose operands have no room for an axis of examples.
bool is_batchable(const detail::TracedStep& step);

/// All; each alone, and each alone not. Of very many operands the first stands for the others.
std::vector<Mix> mixes_of(std::size_t operands);

/// What is wrong with a batch, of none, one and three examples; empty if nothing is. Says in `ran` whether
/// the primitive's own rule made it.
std::string compare_to_single(const detail::Primitive& primitive, const Examples& inputs, const Mix& mix,
                              bool& ran);
/// What is wrong with the derivatives of a rule, against those of stacked single examples.
std::string compare_gradients(const detail::Primitive& primitive, const Examples& inputs, const Mix& mix);

/// The same for step s of traces, which have to be of the same steps: all inputs batched, and the first
/// alone.
std::string compare_batch_to_single(const ExampleTraces& traces, std::size_t s);

}  // namespace xtgrad::testing
