#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/core/node_counts.h"
#include "xtgrad/autograd/core/thread_state.h"
#include "xtgrad/autograd/primitive.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

struct LeafState;

/// A reference that a node keeps on an input. It always keeps the input's node alive (the edge that the sweep
/// follows), and its value only if the node's rule reads it.
class Slot {
 public:
  Slot() = default;
  /// `wants_gradient` is what the input wanted when it was used: a rule keeps just the values for those
  /// gradients.
  Slot(NodeCounts* node, bool keeps_value, bool wants_gradient)
      : bits_(reinterpret_cast<std::uintptr_t>(node) | (keeps_value ? 1U : 0U) | (wants_gradient ? 2U : 0U)) {
  }

  [[nodiscard]] NodeCounts* node() const { return reinterpret_cast<NodeCounts*>(bits_ & ~std::uintptr_t{3}); }
  [[nodiscard]] bool keeps_value() const { return (bits_ & 1U) != 0; }
  [[nodiscard]] bool wants_gradient() const { return (bits_ & 2U) != 0; }
  [[nodiscard]] bool empty() const { return bits_ == 0; }

 private:
  std::uintptr_t bits_ = 0;
};

/// One tensor: its value, and, if it was recorded, the primitive that made it and slots on that one's inputs.
/// Node, primitive, slots and auxiliaries are one block from the pool: [Node][primitive][slots][auxiliaries].
///
/// Lifetime. `values` counts those who need the value: handles, and slots that keep it. When it falls to zero
/// the value is released, unless the node's own rule reads its output; the node itself lives on while a
/// consumer has an edge to it (`refs`), for the sweep to pass through.
class Node : public NodeCounts {
 public:
  enum Flag : std::uint16_t {
    requires_grad_flag = 1,
    recorded_flag = 2,      // made by a primitive, which lies behind this header
    keeps_output_flag = 4,  // the rule reads the output: the value outlives its handles
    freed_flag = 8,         // a sweep has passed and taken slots and values
    destructor_flag = 64,   // the primitive's attributes have a destructor
    claimed_flag = 16,      // by the sweep that will free it, or has done so: closed to every other
    hooked_flag = 32,       // functions were hung on the tensor; see core/hook_list.h
    parts_flag = 128,       // of several outputs, or one of those that the rule reads; see core/parts.h
    to_inputs_flag = 256,  // beside claimed_flag: by a sweep to given inputs, which is `grad`, not `backward`
    inner_flag = 512,      // wants a gradient inside a function with a rule of its own; see core/apply.h
  };
  /// The upper bits of the flags count the sweeps that are at the node; see core/visit.h.
  static constexpr std::uint16_t one_visitor = 1024;
  static constexpr std::uint32_t max_slots = (std::uint32_t{1} << 28) - 1;
  static constexpr std::uint32_t max_auxiliaries = 15;

  explicit Node(Array&& value) : array(std::move(value)) {}

  std::uint64_t id = 0;

 private:
  std::uintptr_t link_ = 0;  // a LeafState, or, with the lowest bit set, the origin

 public:
  std::uint32_t n_slots : 28 = 0;
  std::uint32_t n_aux : 4 = 0;
  std::uint16_t slots_offset = 0;
  std::atomic<std::uint16_t> flags{0};
  Array array;

  [[nodiscard]] bool has(Flag flag) const { return (flags.load(std::memory_order_relaxed) & flag) != 0; }
  void set(Flag flag) {
    flags.store(static_cast<std::uint16_t>(flags.load(std::memory_order_relaxed) | flag),
                std::memory_order_relaxed);
  }
  [[nodiscard]] bool requires_grad() const { return has(requires_grad_flag); }
  [[nodiscard]] bool recorded() const { return has(recorded_flag); }

  /// Gradient and name; null for most nodes.
  [[nodiscard]] LeafState* leaf_state() const {
    return (link_ & 1U) != 0 ? nullptr : reinterpret_cast<LeafState*>(link_);
  }
  void set_leaf_state(LeafState* state) { link_ = reinterpret_cast<std::uintptr_t>(state); }

  /// One of the leaves that this tensor was computed from, itself if it is one: a sweep to given inputs knows
  /// by it, without a walk, that the node is on a way to one. A name only: once a sweep has freed the graph
  /// in between, the leaf may be gone.
  [[nodiscard]] const Node* origin() const;
  void set_origin(const Node* leaf) { link_ = reinterpret_cast<std::uintptr_t>(leaf) | 1U; }

  [[nodiscard]] const Primitive& primitive() const {
    return *reinterpret_cast<const Primitive*>(reinterpret_cast<const std::byte*>(this) + sizeof(Node));
  }
  [[nodiscard]] Primitive& primitive() {
    return const_cast<Primitive&>(static_cast<const Node*>(this)->primitive());
  }
  [[nodiscard]] std::span<Slot> slots() {
    return {reinterpret_cast<Slot*>(reinterpret_cast<std::byte*>(this) + slots_offset), n_slots};
  }
  [[nodiscard]] std::span<const Slot> slots() const { return const_cast<Node*>(this)->slots(); }
  /// Arrays that the rule saved for itself.
  [[nodiscard]] std::span<Array> auxiliaries() {
    return {reinterpret_cast<Array*>(slots().data() + n_slots), n_aux};
  }

 private:
  [[nodiscard]] const Node* origin_in_leaf_state() const;
};

inline const Node* Node::origin() const {
  if ((link_ & 1U) != 0) return reinterpret_cast<const Node*>(link_ & ~std::uintptr_t{1});
  return recorded() ? origin_in_leaf_state() : this;
}

inline Node& node_of(NodeCounts& counts) { return static_cast<Node&>(counts); }
inline const Node& node_of(const NodeCounts& counts) { return static_cast<const Node&>(counts); }

/// The node behind a handle; throws ValueError for an empty handle.
[[noreturn]] void throw_empty_handle();
inline Node& node_of(const Tensor& tensor) {
  if (!tensor.defined()) throw_empty_handle();
  return static_cast<Node&>(*tensor.node());
}
inline const Array& array_of(const Tensor& tensor) { return node_of(tensor).array; }

/// True if a rule's input `i`, kept in `slot`, gets a gradient; `ways` as a VjpContext has them. A leaf may
/// have been frozen since it was used.
inline bool is_wanted(const Slot& slot, std::size_t i, const Way* ways) {
  if (ways != nullptr) return ways[i] != no_way;
  return slot.wants_gradient() && node_of(*slot.node()).requires_grad();
}

/// A new handle on a node that the caller knows to be alive.
inline Tensor handle_on(NodeCounts& node) {
  if (node.values.increment() == 0) node.refs.increment();
  return Tensor::adopt(&node);
}

/// A tensor without history around `array`.
Tensor make_constant(Array&& array);
inline Tensor make_constant(const Array& array) { return make_constant(Array(array)); }

}  // namespace xtgrad::v1::detail
