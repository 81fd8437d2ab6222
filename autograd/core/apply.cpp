#include "xtgrad/autograd/core/apply.h"

#include <fmt/format.h>

#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

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

Computed compute_for(const Primitive& primitive, std::span<const Tensor* const> inputs) {
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

Tensor record_one(const Primitive& primitive, Computed&& computed, std::span<const Tensor* const> inputs) {
  Array& value = computed.arrays[0];
  if (computed.wishes.first == nullptr || !is_floating(value.dtype)) return make_constant(std::move(value));
  return record(primitive, std::move(value), inputs, computed.wishes, std::span(computed.arrays).subspan(1));
}

Tensor apply_any(const Primitive& primitive, std::span<const Tensor* const> inputs) {
  return record_one(primitive, compute_for(primitive, inputs), inputs);
}

}  // namespace xtgrad::v1::detail
