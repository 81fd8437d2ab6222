#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {

/// Room for a node with a slot for each input, `primitive_bytes` of attributes and the auxiliaries, which are
/// moved in; the id follows the inputs'.
Node* allocate_recorded(Array&& array, std::size_t primitive_bytes, std::span<const Tensor* const> inputs,
                        std::span<Array> auxiliaries);
/// Takes back what `allocate_recorded` gave, where the attributes could not be copied into it.
void discard_allocated(Node& node) noexcept;

/// Copies the primitive behind the header of a node that has been allocated for it. Attributes that own
/// memory may fail to; the node is then gone.
template <class P>
void copy_attributes(const P& primitive, Node& node) {
  std::byte* const place = reinterpret_cast<std::byte*>(&node) + sizeof(Node);
  if constexpr (!std::is_abstract_v<P> && std::is_nothrow_copy_constructible_v<P>) {
    new (place) P(primitive);
  } else {
    try {
      if constexpr (std::is_abstract_v<P>) {
        primitive.copy_to(place);
      } else {
        new (place) P(primitive);
      }
    } catch (...) {
      discard_allocated(node);
      throw;
    }
  }
}

/// The node of a result without history.
template <class P>
Tensor make_result(const P& primitive, Array&& array) {
  return in_name_of(primitive, [&] { return make_constant(std::move(array)); });
}

/// Fills one slot: an edge if the input wants a gradient, its value too if the rule reads it, else nothing.
inline void fill_slot(Slot& slot, const Tensor& input, bool reads) {
  Node& node = node_of(input);
  if (reads) {
    node.values.increment();  // the handle is alive, so the count was not zero
    slot = Slot(&node, true, node.requires_grad());
  } else if (node.requires_grad()) {
    node.refs.increment();
    slot = Slot(&node, false, true);
  } else {
    slot = Slot();
  }
}

/// Throws GraphError: what `refused_by` differentiates by a rule of its own uses a tensor that it was not
/// given.
[[noreturn]] void throw_captured(const Node& node);

/// Whether the function for which the thread refuses tensors made it, for derivatives that it takes inside.
/// The id alone does not tell, for another thread's may be larger; nor does the flag, for functions nest.
inline bool is_inner(const Node& node) {
  return node.has(Node::inner_flag) && node.id > thread_state.refused_until;
}

/// What an operation's inputs want.
struct Wishes {
  Wanted wanted = 0;            // of the first `max_read_inputs`
  const Node* first = nullptr;  // of the inputs that want a gradient; null if there is nothing to record
};

inline Wishes wishes_of(std::span<const Tensor* const> inputs) {
  Wishes wishes;
  if ((thread_state.mode & (recording_mode | refusing_mode)) == 0) return wishes;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Node& node = node_of(*inputs[i]);
    if (!node.requires_grad()) continue;
    if ((thread_state.mode & refusing_mode) != 0) {
      if (!is_inner(node)) throw_captured(node);
      if (!thread_state.records()) continue;
    }
    if (wishes.first == nullptr) wishes.first = &node;
    if (i >= max_read_inputs) break;
    wishes.wanted |= Wanted{1} << i;
  }
  return wishes;
}

/// `record` where nobody watches.
template <class P>
Tensor record_unwatched(const P& primitive, Array&& array, std::span<const Tensor* const> inputs,
                        const Wishes& wishes, std::span<Array> auxiliaries = {}) {
  Reads reads = 0;
  Node* node = nullptr;
  const auto make_node = [&](std::size_t bytes) {
    return in_name_of(primitive, [&] {
      Node* made = allocate_recorded(std::move(array), bytes, inputs, auxiliaries);
      copy_attributes(primitive, *made);
      return made;
    });
  };
  if constexpr (std::is_abstract_v<P>) {
    reads = primitive.reads(wishes.wanted);
    // For one of several outputs that happens to be the only one.
    if ((primitive.reads_outputs() & 1U) != 0) reads |= output_bit;
    node = make_node(primitive.block_bytes());
    if (primitive.has_destructor()) node->set(Node::destructor_flag);
  } else {
    static_assert(alignof(P) <= alignof(Node) && sizeof(P) % alignof(Slot) == 0);
    reads = primitive.P::reads(wishes.wanted);
    node = make_node(sizeof(P));
    if constexpr (!std::is_trivially_destructible_v<P>) node->set(Node::destructor_flag);
  }
  node->set_origin(wishes.first->origin());
  if ((reads & output_bit) != 0) node->set(Node::keeps_output_flag);
  const std::span<Slot> slots = node->slots();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    fill_slot(slots[i], *inputs[i], (reads >> std::min(i, max_read_inputs - 1) & 1U) != 0);
  }
  return Tensor::adopt(node);
}

/// Tells those who watch this thread of a new node.
void tell_recorded(Node& node);

/// The node of a value that `primitive` computed from `inputs`, at least one of which wants a gradient. P is
/// a concrete class, or Primitive itself.
template <class P>
Tensor record(const P& primitive, Array&& array, std::span<const Tensor* const> inputs, const Wishes& wishes,
              std::span<Array> auxiliaries = {}) {
  Tensor result = record_unwatched(primitive, std::move(array), inputs, wishes, auxiliaries);
  if (thread_state.is_watched()) tell_recorded(node_of(result));
  return result;
}

/// As `apply`, for a primitive of any class, of one output, watched or not.
Tensor apply_any(const Primitive& primitive, std::span<const Tensor* const> inputs);

/// Runs a primitive on its inputs: `return apply(Tanh{}, x);`.
template <class P, class... Operands>
Tensor apply(const P& primitive, const Operands&... inputs) {
  constexpr std::size_t n = sizeof...(Operands);
  static_assert(n <= max_read_inputs);
  const std::array<const Tensor*, n> pointers{&inputs...};
  if (thread_state.is_watched()) return apply_any(primitive, pointers);
  if constexpr (P::auxiliaries == 0) {
    Array out = compute_one(primitive, array_of(inputs)...);
    const Wishes wishes = wishes_of(pointers);
    if (wishes.first == nullptr) return make_result(primitive, std::move(out));
    return record_unwatched(primitive, std::move(out), pointers, wishes);
  } else {
    const Wishes wishes = wishes_of(pointers);
    const bool records = wishes.first != nullptr;
    std::array<Array, 1 + P::auxiliaries> results;
    std::array<Array*, 1 + P::auxiliaries> out{};
    for (std::size_t k = 0; k < out.size() && (k == 0 || records); ++k) out[k] = &results[k];
    compute(primitive, std::array<const Array*, n>{&array_of(inputs)...}, out);
    if (!records) return make_result(primitive, std::move(results[0]));
    return record_unwatched(primitive, std::move(results[0]), pointers, wishes,
                            std::span(results).subspan(1));
  }
}

/// `tell_operands` of those that are tensors.
template <class... Operands>
[[gnu::noinline, gnu::cold]] void tell_tensors(const Operands&... operands) {
  const auto tell = [](const auto& operand) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(operand)>, Tensor>) {
      const Tensor* const tensor = &operand;
      tell_operands({&tensor, 1});
    }
  };
  (tell(operands), ...);
}

/// Runs a primitive whose result has no history, whatever the inputs want: `inputs` are anything that has an
/// array.
template <class P, class... Operands>
Tensor apply_constant(const P& primitive, const Operands&... inputs) {
  if constexpr ((std::is_same_v<Operands, Tensor> || ...)) {
    if (thread_state.is_watched()) tell_tensors(inputs...);
  }
  return make_result(primitive, compute_one(primitive, array_of(inputs)...));
}

/// `sum = apply(primitive, sum, operands...)`, which takes over the elements of `sum` where nobody else can
/// see them and the primitive may overwrite its first input.
template <class P, class... Operands>
void apply_onto(const P& primitive, Tensor& sum, const Operands&... operands) {
  static_assert(P::auxiliaries == 0);
  Node& node = node_of(sum);
  if (!thread_state.records() && may_change(node)) {
    compute_in_place(primitive, node.array, array_of(operands)...);
    return;
  }
  Array out = may_take_over(node, 1) ? compute_one<0b1>(primitive, node.array, array_of(operands)...)
                                     : compute_one(primitive, node.array, array_of(operands)...);
  const std::array<const Tensor*, 1 + sizeof...(Operands)> pointers{&sum, &operands...};
  const Wishes wishes = wishes_of(pointers);
  sum = wishes.first == nullptr ? make_result(primitive, std::move(out))
                                : record(primitive, std::move(out), pointers, wishes);
}

/// What a primitive of any class computed: outputs, then auxiliaries, empty unless it will be recorded.
struct Computed {
  Wishes wishes;
  std::size_t outputs = 0;
  std::vector<Array, PoolAllocator<Array>> arrays;
};
/// Throws GraphError for more inputs than a primitive that will be recorded can have.
Computed compute_for(const Primitive& primitive, std::span<const Tensor* const> inputs);
/// What it computed as a tensor, for one output.
Tensor record_one(const Primitive& primitive, Computed&& computed, std::span<const Tensor* const> inputs);

}  // namespace xtgrad::v1::detail
