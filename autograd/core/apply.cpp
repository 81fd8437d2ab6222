#include "xtgrad/autograd/core/apply.h"

#include <fmt/format.h>

#include <vector>

#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {

void throw_captured(const Node& node) {
  const std::string name = node.leaf_state() == nullptr ? std::string() : node.leaf_state()->gradient->name();
  throw GraphError(fmt::format(
      "{}: the function uses a tensor that wants a gradient and is none of its inputs: {}; make it "
      "an input, or detach() it",
      thread_state.refused_by,
      !name.empty()     ? fmt::format("\"{}\"", name)
      : node.recorded() ? fmt::format("a result of {}", node.primitive().name())
                        : fmt::format("a leaf of shape {}", to_string(node.array.shape))));
}

void tell_recorded(Node& node) {
  for (Watcher* w = thread_state.watcher; w != nullptr; w = w->outer()) w->after_record(node);
}

Tensor apply_any(const Primitive& primitive, std::span<const Tensor* const> inputs) {
  const Wishes wishes = primitive.has_vjp() ? wishes_of(inputs) : Wishes{};
  const bool records = wishes.first != nullptr;
  if (records && inputs.size() > max_read_inputs && !primitive.takes_many_inputs()) {
    throw GraphError(fmt::format("{}: a recorded operation takes at most {} inputs, got {}", primitive.name(),
                                 max_read_inputs, inputs.size()));
  }
  // From the pool, which is recycled, where a plain vector would go to the system at every step.
  std::vector<const Array*, PoolAllocator<const Array*>> arrays(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) arrays[i] = &array_of(*inputs[i]);
  std::vector<const Spec*, PoolAllocator<const Spec*>> specs(arrays.begin(), arrays.end());
  const Counts counts = primitive.counts(specs);
  std::vector<Array, PoolAllocator<Array>> results(1 + counts.auxiliaries);
  std::vector<Array*, PoolAllocator<Array*>> out(results.size());
  for (std::size_t k = 0; k < out.size() && (k == 0 || records); ++k) out[k] = &results[k];
  compute_any(primitive, arrays, out);
  if (!records) return make_constant(std::move(results[0]));
  return record(primitive, std::move(results[0]), inputs, wishes, std::span(results).subspan(1));
}

}  // namespace xtgrad::v1::detail
