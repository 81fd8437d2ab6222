#include "xtgrad/autograd/core/parts.h"

#include <fmt/format.h>

#include <utility>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {
namespace {

/// What stands in the block of a tuple of cotangents, in the place of a primitive.
class CotangentTuple final : public ConstantPrimitive<CotangentTuple> {
 public:
  CotangentTuple(std::size_t count, std::shared_ptr<WeakParts> weak)
      : cotangents{decltype(PartCotangents::of)(count), std::move(weak)} {}

  [[nodiscard]] std::string_view name() const override { return "cotangents"; }
  void infer(InputSpecs, OutputSpecs) const override { throw_not_computed(name()); }
  void eval(Inputs, Outputs) const override { throw_not_computed(name()); }

  [[noreturn]] static void throw_not_computed(std::string_view name) {
    throw InternalError(fmt::format("{}: is made with the outputs of an operation, not computed", name));
  }

  PartCotangents cotangents;
};

Tensor make_cotangents(std::size_t count, const std::shared_ptr<WeakParts>& weak) {
  void* block = pool_allocate(sizeof(Node) + sizeof(CotangentTuple));
  auto* node = new (block) Node(Array());
  Tensor tuple = Tensor::adopt(node);
  node->id = ++thread_state.last_id;
  new (&node->primitive()) CotangentTuple(count, weak);
  node->set(Node::destructor_flag);
  return tuple;
}

/// The node without a value.
Tensor record_parent(const Primitive& primitive, std::span<const Array> outputs,
                     std::span<const Tensor* const> inputs, const Wishes& wishes,
                     std::vector<Array, PoolAllocator<Array>>&& auxiliaries) {
  OutputSet kept = kept_outputs(primitive, outputs.size());
  for (std::size_t k = 0; kept != 0; ++k, kept >>= 1) {
    if ((kept & 1U) != 0) auxiliaries.push_back(outputs[k]);
  }
  Tensor parent = record_unwatched(primitive, Array(), inputs, wishes, auxiliaries);
  node_of(parent).set(Node::parts_flag);
  if (thread_state.is_watched()) tell_recorded(node_of(parent));
  return parent;
}

OutputSet parts_among(std::span<const Array> outputs, OutputSet kept) {
  OutputSet parts = 0;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (is_in(kept, k) && is_floating(outputs[k].dtype)) parts |= OutputSet{1} << k;
  }
  return parts;
}

}  // namespace

void Part::infer(InputSpecs, OutputSpecs) const { CotangentTuple::throw_not_computed(name()); }
void Part::eval(Inputs, Outputs) const { CotangentTuple::throw_not_computed(name()); }

void Part::vjp(VjpContext& context) const {
  if (const Tensor* tuple = context.sum(0)) {
    // A rule that read this output when its node was gone made another one, which may have come before.
    Tensor& place = cotangents_of(*tuple).of[index_];
    if (place.defined()) {
      context.add(place, context.g());
    } else {
      place = context.g();
    }
    return;
  }
  Tensor tuple = make_cotangents(count_, weak_);
  cotangents_of(tuple).of[index_] = context.g();
  context.set(0, std::move(tuple));
}

const Part* part_at(const Node& node) {
  return node.recorded() ? dynamic_cast<const Part*>(&node.primitive()) : nullptr;
}

std::string_view operation_of(const Node& node) {
  const Part* part = part_at(node);
  return without_number(part != nullptr ? part->operation() : node.primitive().name());
}

Tensor part_of(Node& parent, std::size_t index, std::size_t count, Array&& value,
               const std::shared_ptr<WeakParts>& weak) {
  const Tensor handle = handle_on(parent);
  const Tensor* const input = &handle;
  return record(Part(parent.primitive().name(), index, count, weak), std::move(value), std::span(&input, 1),
                Wishes{1, &parent});
}

bool is_forgotten(Node& node) noexcept {
  const Part* part = part_at(node);
  return part == nullptr || part->weak()->forget(part->index());
}

PartCotangents& cotangents_of(const Tensor& tuple) {
  return static_cast<CotangentTuple&>(node_of(tuple).primitive()).cotangents;
}

OutputSet kept_outputs(const Primitive& primitive, std::size_t count) {
  const OutputSet named = primitive.reads_outputs();
  return count >= 32 ? named : named & ((OutputSet{1} << count) - 1);
}

std::vector<Tensor> apply_all(const Primitive& primitive, std::span<const Tensor* const> inputs) {
  return record_all(primitive, compute_for(primitive, inputs), inputs);
}

namespace {

std::vector<Tensor> record_several(const Primitive& primitive, Computed&& computed,
                                   std::span<const Tensor* const> inputs) {
  const std::span<Array> outputs = std::span(computed.arrays).first(computed.outputs);
  std::vector<Tensor> results;
  results.reserve(outputs.size());
  Tensor parent;
  OutputSet read = 0;  // of those that are parts
  std::shared_ptr<WeakParts> weak;
  if (computed.wishes.first != nullptr) {
    parent = record_parent(
        primitive, outputs, inputs, computed.wishes,
        {std::make_move_iterator(computed.arrays.begin() + static_cast<std::ptrdiff_t>(computed.outputs)),
         std::make_move_iterator(computed.arrays.end())});
    read = parts_among(outputs, kept_outputs(primitive, outputs.size()));
    if (read != 0) weak = std::allocate_shared<WeakParts>(PoolAllocator<WeakParts>(), outputs.size());
  }
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (!parent.defined() || !is_floating(outputs[k].dtype)) {
      results.push_back(make_constant(std::move(outputs[k])));
      continue;
    }
    results.push_back(part_of(node_of(parent), k, outputs.size(), std::move(outputs[k]), weak));
    if (is_in(read, k)) weak->set(k, node_of(results.back()));
  }
  return results;
}

}  // namespace

std::vector<Tensor> record_all(const Primitive& primitive, Computed&& computed,
                               std::span<const Tensor* const> inputs) {
  if (computed.outputs == 1) return {record_one(primitive, std::move(computed), inputs)};
  return in_name_of(primitive, [&] { return record_several(primitive, std::move(computed), inputs); });
}

}  // namespace xtgrad::v1::detail
