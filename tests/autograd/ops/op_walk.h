#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/core/node.h"

namespace xtgrad::inline v1::testing {

// The walk makes the shipped checks (xtgrad/autograd/testing.h) of every operation in ops.def, at each of its
// samples, and holds the library's own to a few rules more.

/// Runs one check of one operation and returns what it found wrong; every finding begins with the operation's
/// name. Exceptions are findings, too.
std::vector<std::string> findings_of(const Op& op, Check check);

/// A sample as the shipped checks take it, with its inputs drawn.
Operation operation_of(const Op& op, const Sample& sample, std::span<const Values> values);
/// Compares the derivatives of one sample, up to an order, with numerical ones.
Report check_sample(const Op& op, const Sample& sample, int order);

/// An elementwise operation as samples: of numbers, of one shape, and of shapes that broadcast, an empty one
/// among them.
std::vector<Sample> samples_of(const Elementwise& elementwise);
/// The inputs of a sample as tensors: masks as bool, indices as int64, the others in `dtype`. With
/// `recorded`, the differentiable ones want a gradient.
std::vector<Tensor> make_inputs(const Sample& sample, std::span<const Values> values, Dtype dtype,
                                bool recorded);
/// The node of the operation that made y: y's own, or the one that it is a part of.
const detail::Node& operation_node(const Tensor& y);
/// The differentiable ones of these.
std::vector<Tensor> differentiable_of(const Sample& sample, std::span<const Tensor> inputs);
/// Drawn inputs of a sample, rounded to what `dtype` holds.
std::vector<Values> draw_inputs(const Sample& sample, Dtype dtype, Random& random);
/// A number that follows from the operation's name and its salt alone: a new line in ops.def, wherever it
/// stands, leaves what the others draw as it was.
std::uint64_t seed_of(const Op& op);
/// A generator that depends on seed_of and the check alone.
Random random_for(const Op& op, Check check);

/// What the library's own operations say, beyond a name and a dtype, when they refuse one; in
/// walk_errors.cpp.
std::vector<std::string> refusals_without_advice(const Op& op, const Sample& sample,
                                                 std::span<const Values> values);

}  // namespace xtgrad::v1::testing
