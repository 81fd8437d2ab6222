#include <fmt/format.h>

#include <bit>

#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {
namespace {

[[noreturn]] void throw_undeclared(const Node& node, std::string_view what) {
  throw InternalError(
      fmt::format("{}: its rule reads {}, which it did not declare", node.primitive().name(), what));
}

const Array& kept_input(const Node& node, std::size_t i) {
  const Slot& slot = node.slots()[i];
  if (slot.empty()) throw_undeclared(node, fmt::format("the shape of input {}", i));
  return node_of(*slot.node()).array;
}

}  // namespace

SavedValue VjpContext::input(std::size_t i) const {
  const Slot& slot = node_.slots()[i];
  if (!slot.keeps_value()) throw_undeclared(node_, fmt::format("input {}", i));
  return SavedValue(node_of(*slot.node()));
}

SavedValue VjpContext::output() const {
  if (!node_.has(Node::keeps_output_flag)) throw_undeclared(node_, "the output");
  return SavedValue(node_);
}

const Tensor& VjpContext::g(std::size_t k) const {
  return is_tuple(cotangent_) ? cotangents_of(cotangent_)[k] : cotangent_;
}

Tensor VjpContext::output(std::size_t k) const {
  if (!is_tuple(cotangent_)) return output();
  const OutputSet kept = node_.primitive().reads_outputs();
  if ((kept >> k & 1U) == 0) throw_undeclared(node_, fmt::format("output {}", k));
  // They are the last of the auxiliaries, in order.
  const std::span<const Array> auxiliaries = node_.auxiliaries();
  const auto from_end = static_cast<std::size_t>(std::popcount(kept >> k));
  const Array& array = auxiliaries[auxiliaries.size() - from_end];
  if (!thread_state.records() || !is_floating(array.dtype)) return make_constant(array);
  return part_of(node_, k, cotangents_of(cotangent_).size(), Array(array));
}

const Shape& VjpContext::shape(std::size_t i) const { return kept_input(node_, i).shape; }

Dtype VjpContext::dtype(std::size_t i) const { return kept_input(node_, i).dtype; }

}  // namespace xtgrad::v1::detail
