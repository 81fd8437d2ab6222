#include "xtgrad/autograd/vjp_context.h"

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <utility>

#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/core/visit.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1 {

using namespace detail;  // NOLINT(google-build-using-namespace)

namespace {

[[noreturn]] void throw_undeclared(const Node& node, std::string_view what) {
  throw InternalError(
      fmt::format("{}: its rule reads {}, which it did not declare", node.primitive().name(), what));
}

[[noreturn]] void throw_none_such(const Node& node, std::string_view what, std::size_t i, std::size_t count) {
  throw InternalError(fmt::format("{}: its rule names {} {}, but the operation has {}",
                                  node.primitive().name(), what, i, count));
}

const Array& kept_input(const Node& node, std::size_t i) {
  const std::span<const Slot> slots = node.slots();
  if (i >= slots.size()) throw_none_such(node, "input", i, slots.size());
  const Slot& slot = slots[i];
  if (slot.empty()) throw_undeclared(node, fmt::format("the shape of input {}", i));
  return node_of(*slot.node()).array;
}

}  // namespace

void VjpContext::throw_no_input(std::size_t i) const {
  throw_none_such(node_of(node_), "input", i, gradients_.size());
}

SavedValue VjpContext::input(std::size_t i) const {
  if (i >= gradients_.size()) [[unlikely]]
    throw_no_input(i);
  const Slot& slot = node_of(node_).slots()[i];
  if (!slot.keeps_value()) throw_undeclared(node_of(node_), fmt::format("input {}", i));
  return {*slot.node(), node_of(*slot.node()).array};
}

SavedValue VjpContext::output() const {
  const Node& node = node_of(node_);
  if (!node.has(Node::keeps_output_flag)) throw_undeclared(node, "the output");
  return {node_, node.array};
}

bool SavedValue::requires_grad() const { return node_of(*node_).requires_grad(); }

bool VjpContext::wanted(std::size_t i) const {
  if (i >= gradients_.size()) [[unlikely]]
    throw_no_input(i);
  return detail::is_wanted(node_of(node_).slots()[i], i, ways_);
}

const Array& VjpContext::auxiliary(std::size_t i) const {
  Node& node = node_of(node_);
  const std::span<const Array> auxiliaries = node.auxiliaries();
  std::size_t count = auxiliaries.size();
  // The outputs that the rule reads are kept behind them.
  if (parts_ != nullptr) {
    count -= static_cast<std::size_t>(std::popcount(kept_outputs(node.primitive(), parts_->of.size())));
  }
  if (i >= count) [[unlikely]]
    throw_none_such(node, "auxiliary", i, count);
  return auxiliaries[i];
}

bool VjpContext::may_spend(std::size_t i) const {
  const Node& node = node_of(node_);
  // Claimed, and nobody else near: the claim is this sweep's own, and no other gets in any more.
  return node.has(Node::claimed_flag) && is_alone(node) && !node.has(Node::hooked_flag) &&
         !thread_state.is_watched() && auxiliary(i).buffer.unique();
}

Tensor* VjpContext::sum(std::size_t i) const {
  if (i >= gradients_.size()) [[unlikely]]
    throw_no_input(i);
  return sums_ == nullptr ? nullptr : sums_->find(node_of(node_), i, ways_);
}

LookupTarget VjpContext::lookup_target(std::size_t i, std::size_t axis) const {
  if (sums_ == nullptr) return {nullptr, false};
  Node& node = node_of(node_);
  if (parts_ == nullptr) return sums_->lookup_target(node, i, ways_, axis, cotangent_.shape());
  // What has come to the parts, one after the other along the axis.
  std::int64_t elements = 0;
  for (const Tensor& part : parts_->of) elements += part.defined() ? part.numel() : 0;
  Shape shape = this->shape(i);
  const std::int64_t size = std::exchange(shape[axis], 1);
  const std::int64_t entry = shape.numel();
  shape[axis] = entry == 0 ? size : elements / entry;
  return sums_->lookup_target(node, i, ways_, axis, shape);
}

void VjpContext::defer(std::size_t i, Lookup&& lookup) const {
  sums_->defer(node_of(node_), i, std::move(lookup));
}

void VjpContext::add(Tensor& sum, Tensor term) const { sums_->add(sum, std::move(term)); }

const Tensor& VjpContext::g(std::size_t k) const {
  if (parts_ == nullptr) return cotangent_;
  if (k >= parts_->of.size()) throw_undeclared(node_of(node_), fmt::format("the cotangent of output {}", k));
  return parts_->of[k];
}

Tensor VjpContext::output(std::size_t k) const {
  if (parts_ == nullptr) return output();
  Node& node = node_of(node_);
  const std::size_t count = parts_->of.size();
  const OutputSet kept = kept_outputs(node.primitive(), count);
  if (!is_in(kept, k)) throw_undeclared(node, fmt::format("output {}", k));
  // They are the last of the auxiliaries, in order.
  const std::span<const Array> auxiliaries = node.auxiliaries();
  const auto from_end = static_cast<std::size_t>(std::popcount(kept >> k));
  const Array& array = auxiliaries[auxiliaries.size() - from_end];
  if (!thread_state.records() || !is_floating(array.dtype)) return make_constant(array);
  // The caller's own, if it lives: what is computed from it here counts in derivatives in it.
  Tensor part = parts_->weak->find(k);
  return part.defined() ? part : part_of(node, k, count, Array(array), parts_->weak);
}

const Shape& VjpContext::shape(std::size_t i) const { return kept_input(node_of(node_), i).shape; }

Dtype VjpContext::dtype(std::size_t i) const { return kept_input(node_of(node_), i).dtype; }

}  // namespace xtgrad::v1
