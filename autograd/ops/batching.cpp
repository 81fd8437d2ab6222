#include "xtgrad/autograd/ops/batching.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "xtgrad/autograd/attributes.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1::detail {
namespace {

/// The most dimensions of an example.
std::size_t largest_rank(const BatchContext& context) {
  std::size_t rank = 0;
  for (std::size_t i = 0; i < context.inputs(); ++i) rank = std::max(rank, example_rank(context.input(i)));
  return rank;
}

/// Runs it on what `operand` makes of each input, and sets what `result` makes of each output.
template <class Operand, class Result>
bool run(const Primitive& primitive, BatchContext& context, const Operand& operand, const Result& result) {
  std::vector<Tensor> operands;
  std::vector<const Tensor*> pointers;
  for (std::size_t i = 0; i < context.inputs(); ++i) operands.push_back(operand(i));
  for (const Tensor& each : operands) pointers.push_back(&each);
  std::vector<Tensor> results = apply_all(primitive, pointers);
  for (std::size_t k = 0; k < results.size(); ++k) context.set(k, result(k, std::move(results[k])));
  return true;
}

Tensor as_it_is(std::size_t, Tensor&& result) { return std::move(result); }

/// Makes attributes that count dimensions from an example's front count them from the batch's.
class AxesMover final : public Attributes {
 public:
  explicit AxesMover(std::int64_t size) : size_(size) {}

 protected:
  bool visit(std::string_view name, AttributeValue& value, bool) override {
    if (name == "axis" || name == "axis1" || name == "axis2") {
      ++std::get<std::int64_t>(value);
      return true;
    }
    const bool names_axes = name == "axes" || name == "order";
    if (!names_axes && name != "shifts" && name != "shape") return false;
    auto& list = std::get<std::vector<std::int64_t>>(value);
    if (names_axes) {
      for (std::int64_t& axis : list) ++axis;
    }
    if (name != "axes") list.insert(list.begin(), name == "shape" ? size_ : 0);
    return true;
  }

 private:
  std::int64_t size_;
};

}  // namespace

Shape for_each_example(const Shape& example, std::int64_t size) {
  Shape shape{size};
  for (const std::int64_t each : example) shape.push_back(each);
  return shape;
}

Tensor aligned(const BatchInput& input, std::size_t rank) {
  if (!input.is_batched || input.tensor.rank() == rank + 1) return input.tensor;
  const Shape& own = input.tensor.shape();
  Shape shape{own[0]};
  while (shape.rank() + own.rank() < rank + 2) shape.push_back(1);
  for (std::size_t d = 1; d < own.rank(); ++d) shape.push_back(own[d]);
  return reshaped(input.tensor, shape);
}

Tensor repeated(const BatchInput& input, std::int64_t size) {
  if (input.is_batched) return input.tensor;
  return stretched_to(input.tensor, for_each_example(input.tensor.shape(), size));
}

Tensor merged_into(const Tensor& x, std::size_t axis) {
  Dims order = x.shape();  // for its length
  Shape shape;
  for (std::size_t d = 0; d < order.size(); ++d) {
    order[d] = static_cast<std::int64_t>(d < axis ? d + 1 : d == axis ? 0 : d);
    if (d > 0) shape.push_back(d == axis + 1 ? x.shape()[0] * x.shape()[d] : x.shape()[d]);
  }
  return reshaped(permuted(x, order), shape);
}

Tensor parted_from(const Tensor& x, std::size_t axis, std::int64_t size) {
  Shape shape;
  for (std::size_t d = 0; d < x.rank(); ++d) {
    if (d == axis) shape.push_back(size);
    shape.push_back(d == axis ? x.shape()[d] / size : x.shape()[d]);
  }
  Dims order = shape;  // for its length
  for (std::size_t d = 0; d < order.size(); ++d)
    order[d] = static_cast<std::int64_t>(d == 0 ? axis : d <= axis ? d - 1 : d);
  return permuted(reshaped(x, shape), order);
}

bool batch_by_broadcasting(const Primitive& primitive, BatchContext& context) {
  const std::size_t rank = largest_rank(context);
  if (rank >= Shape::max_rank) return false;
  return run(
      primitive, context, [&](std::size_t i) { return aligned(context.input(i), rank); }, as_it_is);
}

bool batch_by_leading(const Primitive& primitive, BatchContext& context) {
  if (largest_rank(context) >= Shape::max_rank) return false;
  return run(
      primitive, context, [&](std::size_t i) { return repeated(context.input(i), context.size()); },
      as_it_is);
}

PrimitiveCopy with_moved_axes(const Primitive& primitive, std::int64_t size) {
  PrimitiveCopy moved(primitive);
  AxesMover mover(size);
  const_cast<Primitive&>(*moved).describe(mover);  // a copy of its own
  return moved;
}

bool batch_along_axes(const Primitive& primitive, BatchContext& context) {
  if (largest_rank(context) >= Shape::max_rank) return false;
  return batch_by_leading(*with_moved_axes(primitive, context.size()), context);
}

bool batch_by_merging(const Primitive& primitive, BatchContext& context,
                      std::initializer_list<std::size_t> inputs, std::initializer_list<std::size_t> outputs) {
  if (largest_rank(context) >= Shape::max_rank) return false;
  return run(
      primitive, context,
      [&](std::size_t i) {
        const Tensor operand = repeated(context.input(i), context.size());
        const std::size_t axis = inputs.begin()[i];
        return axis == in_front ? operand : merged_into(operand, axis);
      },
      [&](std::size_t k, Tensor&& result) {
        const std::size_t axis = outputs.begin()[k];
        return axis == in_front ? std::move(result) : parted_from(result, axis, context.size());
      });
}

bool batch_by_joining(const Primitive& primitive, BatchContext& context) {
  return batch_by_merging(primitive, context, {0, 0, 0, 0}, {0});
}

}  // namespace xtgrad::v1::detail
