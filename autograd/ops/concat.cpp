#include "xtgrad/autograd/ops/concat.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/copy_strided.h"
#include "xtgrad/autograd/kernels/reduce.h"
#include "xtgrad/autograd/memory/pool_allocator.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/ops/slice.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

void check_any(OpId op, std::span<const Tensor> tensors) {
  if (tensors.empty())
    throw ValueError(fmt::format("{}: needs at least one tensor, got none", to_string(op)));
}

void check_dtypes(OpId op, InputSpecs in) {
  for (std::size_t i = 1; i < in.size(); ++i) {
    if (in[i]->dtype == in[0]->dtype) continue;
    throw DtypeError(fmt::format("{}: dtypes differ: tensor 0 is {}, tensor {} is {}; convert one with to()",
                                 to_string(op), to_string(in[0]->dtype), i, to_string(in[i]->dtype)));
  }
}

/// Shape of the result: all sizes but those along the axis must agree.
Shape joined_shape(InputSpecs in, std::size_t axis) {
  const Shape& first = in[0]->shape;
  std::int64_t joined = first[axis];
  for (std::size_t i = 1; i < in.size(); ++i) {
    const Shape& shape = in[i]->shape;
    bool fits = shape.rank() == first.rank();
    for (std::size_t d = 0; fits && d < first.rank(); ++d) fits = d == axis || shape[d] == first[d];
    if (!fits) {
      throw ShapeError(fmt::format("concat: shapes differ outside axis {}: tensor 0 is {}, tensor {} is {}",
                                   axis, to_string(first), i, to_string(shape)));
    }
    if (__builtin_add_overflow(joined, shape[axis], &joined)) {
      throw ShapeError(fmt::format("concat: more than 2^63 - 1 elements along axis {}", axis));
    }
  }
  Shape shape;
  for (std::size_t d = 0; d < first.rank(); ++d) shape.push_back(d == axis ? joined : first[d]);
  return shape;
}

/// Its auxiliary says where the tensors begin and end along the axis, int64 [n + 1], since the node forgets
/// the sizes of inputs that want no gradient.
/// `Called` is the function that was called.
template <OpId Called>
class Concat final : public PrimitiveOf<Concat<Called>, Called> {
 public:
  static constexpr std::size_t auxiliaries = 1;
  explicit Concat(std::size_t axis = 0) : axis_(axis) {}

  void describe(Attributes& a) override { a("axis", axis_); }
  [[nodiscard]] bool takes_many_inputs() const override { return true; }

  void infer(InputSpecs in, OutputSpecs out) const override {
    check_dtypes(Called, in);
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = joined_shape(in, axis_);
    out[1]->dtype = Dtype::int64;
    out[1]->shape = {static_cast<std::int64_t>(in.size()) + 1};
  }

  void eval(Inputs in, Outputs out) const override {
    const Shape& shape = out[0]->shape;
    const AxisView view(shape, axis_);
    StridedMove move;
    for (const Array* part : in) {
      const std::int64_t row = part->shape[axis_] * view.inner;
      move.rank = 0;
      move.add_dimension(view.outer, row, view.axis * view.inner);
      move.add_dimension(row, 1, 1);
      copy_strided(move, *part, *out[0]);
      move.to_offset += row;
    }
    if (out[1] == nullptr) return;
    auto* end = out[1]->mutable_data<std::int64_t>();
    end[0] = 0;
    for (std::size_t i = 0; i < in.size(); ++i) end[i + 1] = end[i] + in[i]->shape[axis_];
  }

  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, std::max<std::size_t>(in.size(), 1));
    require_axis(this->name(), axis_, in[0]->shape);
  }

  void vjp(VjpContext& context) const override {
    const auto* end = context.auxiliary().data<std::int64_t>();
    for (std::size_t i = 0; i < context.inputs(); ++i) {
      if (!context.wanted(i)) continue;
      context.set(i, sliced(context.g(),
                            {.axis = static_cast<std::int64_t>(axis_), .start = end[i], .stop = end[i + 1]}));
    }
  }

 private:
  std::size_t axis_;
};

template <OpId Called>
Tensor join(std::span<const Tensor> tensors, std::size_t dim) {
  std::vector<const Tensor*, PoolAllocator<const Tensor*>> inputs(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) inputs[i] = &tensors[i];
  return apply_any(Concat<Called>(dim), inputs);
}

}  // namespace

Tensor joined(std::span<const Tensor> tensors, std::int64_t axis) {
  check_any(OpId::concat, tensors);
  if (tensors[0].rank() == 0) {
    throw ShapeError("concat: 0-d tensors have no axis to be joined along; stack makes a new one");
  }
  const std::size_t dim = normalize_axis(to_string(OpId::concat), axis, tensors[0].rank());
  return tensors.size() == 1 ? tensors[0] : join<OpId::concat>(tensors, dim);
}

}  // namespace detail

Tensor concat(std::span<const Tensor> tensors, std::int64_t axis) {
  Tensor result = detail::joined(tensors, axis);
  return tensors.size() == 1 ? alias(result) : result;
}

Tensor concat(std::initializer_list<Tensor> tensors, std::int64_t axis) {
  return concat(std::span<const Tensor>(tensors.begin(), tensors.size()), axis);
}

Tensor stack(std::span<const Tensor> tensors, std::int64_t axis) {
  using namespace detail;
  check_any(OpId::stack, tensors);
  std::vector<const Spec*, PoolAllocator<const Spec*>> specs(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) specs[i] = &array_of(tensors[i]);
  check_dtypes(OpId::stack, specs);
  const Shape& first = tensors[0].shape();
  const std::size_t dim = normalize_axis(to_string(OpId::stack), axis, first.rank() + 1);
  for (std::size_t i = 1; i < tensors.size(); ++i) {
    if (tensors[i].shape() == first) continue;
    throw ShapeError(fmt::format("stack: shapes differ: tensor 0 is {}, tensor {} is {}", to_string(first), i,
                                 to_string(tensors[i].shape())));
  }
  if (dim == first.rank()) {
    Shape column = first;
    column.push_back(1);
    std::vector<Tensor> columns;
    columns.reserve(tensors.size());
    for (const Tensor& tensor : tensors) columns.push_back(reshaped_in_stack(tensor, column));
    return columns.size() == 1 ? columns[0] : join<OpId::stack>(columns, dim);
  }
  // Joined along the dimension before which the new one goes, and then cut there: no node for each tensor.
  Shape shape;
  for (std::size_t d = 0; d < first.rank(); ++d) {
    if (d == dim) shape.push_back(static_cast<std::int64_t>(tensors.size()));
    shape.push_back(first[d]);
  }
  return reshaped_in_stack(tensors.size() == 1 ? tensors[0] : join<OpId::stack>(tensors, dim), shape);
}

Tensor stack(std::initializer_list<Tensor> tensors, std::int64_t axis) {
  return stack(std::span<const Tensor>(tensors.begin(), tensors.size()), axis);
}

}  // namespace xtgrad::v1
