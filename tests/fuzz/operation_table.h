// The public operations of tensors, each called with operands and options that a fuzzer chooses.
#pragma once

#include <span>
#include <vector>

#include "tests/fuzz/choices.h"
#include "xtgrad/autograd/tensor.h"

namespace fuzz {

using Tensors = std::vector<xtgrad::Tensor>;
using Operation = Tensors (*)(Choices& choices, const Tensors& tensors);

/// All of them.
[[nodiscard]] std::span<const Operation> operations();

/// A tensor of few elements; a floating one may be a leaf that wants a gradient.
[[nodiscard]] xtgrad::Tensor fresh(Choices& choices);
[[nodiscard]] const xtgrad::Tensor& one_of(Choices& choices, const Tensors& tensors);

}  // namespace fuzz
