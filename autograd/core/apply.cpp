#include "xtgrad/autograd/core/apply.h"

#include <fmt/format.h>

#include <algorithm>

#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

namespace {

[[noreturn]] void throw_too_many(std::string_view verb, std::size_t most, std::string_view what,
                                 std::size_t count) {
  throw GraphError(
      fmt::format("graph: a recorded operation {} at most {} {}, got {}", verb, most, what, count));
}

}  // namespace

Node* allocate_recorded(Array&& array, std::size_t primitive_bytes, std::span<const Tensor* const> inputs,
                        std::span<Array> auxiliaries) {
  if (inputs.size() > Node::max_slots) {
    throw_too_many("takes", Node::max_slots, "inputs", inputs.size());
  }
  if (auxiliaries.size() > Node::max_auxiliaries) {
    throw_too_many("keeps", Node::max_auxiliaries, "auxiliaries and outputs for its rule",
                   auxiliaries.size());
  }
  const std::size_t slots_offset = sizeof(Node) + primitive_bytes;
  void* block =
      pool_allocate(slots_offset + inputs.size() * sizeof(Slot) + auxiliaries.size() * sizeof(Array));
  auto* node = new (block) Node(std::move(array));
  std::uint64_t id = thread_state.last_id;
  // Ids of other threads' tensors may be ahead of this thread's, and a consumer's must be larger than its
  // inputs'.
  for (const Tensor* input : inputs) id = std::max(id, node_of(*input).id);
  node->id = thread_state.last_id = id + 1;
  const bool is_inner = (thread_state.mode & refusing_mode) != 0;
  node->flags.store(static_cast<std::uint16_t>(Node::requires_grad_flag | Node::recorded_flag |
                                               (is_inner ? Node::inner_flag : 0)),
                    std::memory_order_relaxed);
  node->slots_offset = static_cast<std::uint16_t>(slots_offset);
  node->n_slots = static_cast<std::uint32_t>(inputs.size()) & Node::max_slots;
  if (!auxiliaries.empty()) {
    node->n_aux = static_cast<std::uint32_t>(auxiliaries.size()) & Node::max_auxiliaries;
    Array* place = node->auxiliaries().data();
    for (Array& auxiliary : auxiliaries) new (place++) Array(std::move(auxiliary));
  }
  return node;
}

void discard_allocated(Node& node) noexcept {
  for (Array& array : node.auxiliaries()) array.~Array();
  node.~Node();
  pool_free(&node);
}

void throw_captured(const Node& node) {
  const std::string name = node.leaf_state() == nullptr ? std::string() : node.leaf_state()->gradient->name();
  throw GraphError(fmt::format(
      "{}: the function uses a tensor that wants a gradient and is none of its inputs: {}; make it "
      "an input, or detach() it",
      thread_state.refused_by,
      !name.empty()     ? fmt::format("\"{}\"", name)
      : node.recorded() ? fmt::format("a result of {}", operation_of(node))
                        : fmt::format("a leaf of shape {}", to_string(node.array.shape))));
}

void tell_recorded(Node& node) {
  for (Watcher* w = thread_state.watcher; w != nullptr; w = w->outer()) w->after_record(node);
}

namespace {

Computed compute_named(const Primitive& primitive, std::span<const Tensor* const> inputs) {
  if (thread_state.is_watched()) tell_operands(inputs);
  Computed computed;
  if (primitive.has_vjp()) computed.wishes = wishes_of(inputs);
  const bool records = computed.wishes.first != nullptr;
  if (records && inputs.size() > max_read_inputs && !primitive.takes_many_inputs()) {
    throw GraphError(fmt::format("{}: a recorded operation takes at most {} inputs, got {}", primitive.name(),
                                 max_read_inputs, inputs.size()));
  }
  // From the pool, which is recycled, where a plain vector would go to the system at every step.
  std::vector<const Array*, PoolAllocator<const Array*>> arrays(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) arrays[i] = &array_of(*inputs[i]);
  const std::vector<const Spec*, PoolAllocator<const Spec*>> specs(arrays.begin(), arrays.end());
  const Counts counts = primitive.counts(specs);
  computed.outputs = counts.outputs;
  computed.arrays.resize(counts.outputs + counts.auxiliaries);
  std::vector<Array*, PoolAllocator<Array*>> out(computed.arrays.size());
  const std::size_t wanted = records ? out.size() : counts.outputs;
  for (std::size_t k = 0; k < wanted; ++k) out[k] = &computed.arrays[k];
  compute_any(primitive, arrays, out);
  return computed;
}

}  // namespace

Computed compute_for(const Primitive& primitive, std::span<const Tensor* const> inputs) {
  return in_name_of(primitive, [&] { return compute_named(primitive, inputs); });
}

Tensor record_one(const Primitive& primitive, Computed&& computed, std::span<const Tensor* const> inputs) {
  Array& value = computed.arrays[0];
  if (computed.wishes.first == nullptr || !is_floating(value.dtype))
    return make_result(primitive, std::move(value));
  return record(primitive, std::move(value), inputs, computed.wishes, std::span(computed.arrays).subspan(1));
}

Tensor apply_any(const Primitive& primitive, std::span<const Tensor* const> inputs) {
  return record_one(primitive, compute_for(primitive, inputs), inputs);
}

}  // namespace xtgrad::v1::detail
