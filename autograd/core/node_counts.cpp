#include "xtgrad/autograd/core/node_counts.h"

#include <utility>

#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/core/parts.h"

namespace xtgrad::inline v1::detail {

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
  if (node.n_aux != 0) [[unlikely]] {
    for (Array& array : node.auxiliaries()) array.~Array();
  }
  if (node.has(Node::destructor_flag)) node.primitive().destroy();
  delete node.leaf_state();
  node.~Node();
  pool_free(&node);
}

/// Out of line: most references that are given back are not the last.
[[gnu::noinline]] void destroy(Node& node) noexcept {
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
    // The value was the graph's, too, and both may let go at once. It is a handle's by now where a rule has
    // found the part (core/weak_parts.h) in between; none can find it any more.
    if (counts.values.load() == 0) node.array.buffer.drop_racing();
  } else if ((flags & Node::keeps_output_flag) == 0) {
    node.array.buffer.drop();
  }
  release_ref(counts);
}

void free_graph_of(Node& node) noexcept {
  for (Slot& slot : node.slots()) release_slot(std::exchange(slot, Slot()));
  if (node.n_aux != 0) [[unlikely]] {
    for (Array& array : node.auxiliaries()) array.buffer.drop();
  }
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

}  // namespace xtgrad::v1::detail
