#include "xtgrad/autograd/core/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

thread_local constinit ThreadState thread_state __attribute__((tls_model("initial-exec")));

const Node* Node::origin_in_leaf_state() const {
  const LeafState* state = leaf_state();
  return state == nullptr ? nullptr : state->origin;
}

namespace {

/// Nodes waiting to be freed. Freeing one can free its inputs, and theirs; done by recursion, ten million
/// chained nodes would need gigabytes of stack.
struct Graveyard {
  Node* head = nullptr;
  bool busy = false;
};
thread_local constinit Graveyard graveyard __attribute__((tls_model("initial-exec")));

void release_slot(const Slot& slot) noexcept {
  NodeCounts* node = slot.node();
  if (node == nullptr) return;
  if (slot.keeps_value()) {
    if (node->values.decrement() == 0) release_value(*node);
  } else {
    release_ref(*node);
  }
}

void bury(Node& node) noexcept {
  for (const Slot& slot : node.slots()) release_slot(slot);
  for (Array& array : node.auxiliaries()) array.~Array();
  if (node.has(Node::destructor_flag)) node.primitive().destroy();
  delete node.leaf_state();
  node.~Node();
  pool_free(&node);
}

void destroy(Node& node) noexcept {
  if (node.has(Node::parts_flag) && !is_forgotten(node)) return;
  // The id is of no use any more, so its place holds the link of the list.
  node.id = reinterpret_cast<std::uintptr_t>(graveyard.head);
  graveyard.head = &node;
  if (graveyard.busy) return;
  graveyard.busy = true;
  while (graveyard.head != nullptr) {
    Node* next = graveyard.head;
    graveyard.head = reinterpret_cast<Node*>(next->id);
    bury(*next);
  }
  graveyard.busy = false;
}

}  // namespace

void release_ref(NodeCounts& counts) noexcept {
  // Whoever adds a reference holds one, be it through a handle or through a consumer's edge.
  if (counts.refs.decrement_owned() == 0) destroy(node_of(counts));
}

void release_value(NodeCounts& counts) noexcept {
  Node& node = node_of(counts);
  // One look at the flags, for a sweep on another thread may change them right now. It acquires: a sweep that
  // has set the freed flag has done its reading of the value before.
  const std::uint16_t flags = node.flags.load(std::memory_order_acquire);
  if ((flags & Node::freed_flag) != 0 && !RefCount::single_threaded()) {
    node.array.buffer.drop_racing();  // the value was the graph's, too, and both may let go at once
  } else if ((flags & Node::keeps_output_flag) == 0) {
    node.array.buffer.drop();
  }
  release_ref(counts);
}

void free_graph_of(Node& node) noexcept {
  for (Slot& slot : node.slots()) release_slot(std::exchange(slot, Slot()));
  for (Array& array : node.auxiliaries()) array.buffer.drop();
  // Nobody else changes the flags: the node is claimed, and this is its last visitor.
  const std::uint16_t flags = node.flags.load(std::memory_order_relaxed);
  const auto freed =
      static_cast<std::uint16_t>(((flags - Node::one_visitor) | Node::freed_flag) & ~Node::keeps_output_flag);
  if ((flags & Node::keeps_output_flag) == 0) {
    node.flags.store(freed, std::memory_order_release);
    return;
  }
  if (RefCount::single_threaded()) {
    node.flags.store(freed, std::memory_order_relaxed);
    if (node.values.load() == 0) node.array.buffer.drop();
    return;
  }
  // Another thread may drop the last handle right now: it either still sees the flag and leaves the buffer to
  // this line, or sees the change and drops it too, which drop_racing makes harmless.
  node.flags.store(freed, std::memory_order_seq_cst);
  if (node.values.load() == 0) node.array.buffer.drop_racing();
}

Tensor make_constant(Array&& array) {
  auto* node = new (pool_allocate(sizeof(Node))) Node(std::move(array));
  node->id = ++thread_state.last_id;
  return Tensor::adopt(node);
}

[[noreturn]] void throw_too_many(std::string_view verb, std::size_t most, std::string_view what,
                                 std::size_t count) {
  throw GraphError(
      fmt::format("graph: a recorded operation {} at most {} {}, got {}", verb, most, what, count));
}

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
  node->flags.store(Node::requires_grad_flag | Node::recorded_flag, std::memory_order_relaxed);
  node->slots_offset = static_cast<std::uint16_t>(slots_offset);
  node->n_slots = static_cast<std::uint32_t>(inputs.size()) & Node::max_slots;
  node->n_aux = static_cast<std::uint32_t>(auxiliaries.size()) & Node::max_auxiliaries;
  Array* place = node->auxiliaries().data();
  for (Array& auxiliary : auxiliaries) new (place++) Array(std::move(auxiliary));
  return node;
}

void discard_allocated(Node& node) noexcept {
  for (Array& array : node.auxiliaries()) array.~Array();
  node.~Node();
  pool_free(&node);
}

void throw_empty_handle() {
  throw ValueError(
      "Tensor: the handle is empty; it was default-constructed, moved from, or is a gradient that "
      "does not exist (check defined() first)");
}

}  // namespace xtgrad::v1::detail
