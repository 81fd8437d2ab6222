#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/weak_parts.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {

// A primitive of several outputs is a node without a value, and each output that has a derivative is a node
// of `Part`, with one edge on it. Parts have larger ids than the node behind them, so a sweep is done with
// all of them before it comes to that one; it then has the cotangents of those that a gradient reached.

/// Output number `index` of the primitive behind its one input.
class Part final : public DifferentiablePrimitive<Part> {
 public:
  /// `operation` is the name of the primitive, and outlives it. `weak`: where its rule finds the outputs that
  /// it reads; null if it reads none.
  Part(std::string_view operation, std::size_t index, std::size_t count, std::shared_ptr<WeakParts> weak)
      : operation_(operation),
        index_(static_cast<std::uint32_t>(index)),
        count_(static_cast<std::uint32_t>(count)),
        weak_(std::move(weak)) {}

  [[nodiscard]] std::string_view name() const override { return "part"; }
  [[nodiscard]] std::string_view operation() const { return operation_; }
  [[nodiscard]] std::size_t index() const { return index_; }
  [[nodiscard]] const std::shared_ptr<WeakParts>& weak() const { return weak_; }
  void describe(Attributes& a) override { a("index", index_); }
  void infer(InputSpecs in, OutputSpecs out) const override;
  void eval(Inputs in, Outputs out) const override;
  void vjp(VjpContext& context) const override;

 private:
  std::string_view operation_;
  std::uint32_t index_;
  std::uint32_t count_;
  std::shared_ptr<WeakParts> weak_;
};

/// Null for a node of any other primitive.
const Part* part_at(const Node& node);
/// The name of the operation that a recorded node belongs to.
std::string_view operation_of(const Node& node);

/// A new node of output `index` of `parent`, which has `count`; `value` is that output's.
Tensor part_of(Node& parent, std::size_t index, std::size_t count, Array&& value,
               const std::shared_ptr<WeakParts>& weak = nullptr);
/// False if somebody got hold of the node, whose last reference was let go of, meanwhile.
bool is_forgotten(Node& node) noexcept;

/// The cotangents of all outputs, travelling as one tensor that has no value itself: so what waits in a sweep
/// is always one tensor for a node.
struct PartCotangents {
  std::vector<Tensor, PoolAllocator<Tensor>> of;  // empty handles where no gradient came to
  std::shared_ptr<WeakParts> weak;                // as in the parts
};
PartCotangents& cotangents_of(const Tensor& tuple);
/// Those of `count` outputs that the node keeps for the rule.
OutputSet kept_outputs(const Primitive& primitive, std::size_t count);
constexpr bool is_in(OutputSet outputs, std::size_t k) { return k < 32 && (outputs >> k & 1U) != 0; }

/// All outputs of what has been computed from `inputs`, recorded if they want it.
std::vector<Tensor> record_all(const Primitive& primitive, Computed&& computed,
                               std::span<const Tensor* const> inputs);

/// All outputs of a primitive, any number; those of a floating dtype have its history. Throws as
/// `apply_any`.
std::vector<Tensor> apply_all(const Primitive& primitive, std::span<const Tensor* const> inputs);

}  // namespace xtgrad::v1::detail
