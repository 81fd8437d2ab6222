#include <fmt/format.h>

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

const Shape& VjpContext::shape(std::size_t i) const { return kept_input(node_, i).shape; }

Dtype VjpContext::dtype(std::size_t i) const { return kept_input(node_, i).dtype; }

}  // namespace xtgrad::v1::detail
