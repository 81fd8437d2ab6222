#include <fmt/format.h>

#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/copy_strided.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// Input 0 says where the tensors, inputs 1 to n, begin and end along the axis: int64 [n + 1]. The node keeps
/// it, since it forgets the sizes of inputs that want no gradient.
class Concat final : public PrimitiveOf<OpId::concat> {
 public:
  explicit Concat(std::size_t axis) : axis_(axis) {}
  static Reads reads(Wanted) { return input_bit(0); }

  /// `shape` is the result's.
  [[nodiscard]] Array forward(std::span<const Tensor> tensors, const Shape& shape) const {
    std::int64_t outer = 1;
    std::int64_t inner = 1;
    for (std::size_t d = 0; d < axis_; ++d) outer *= shape[d];
    for (std::size_t d = axis_ + 1; d < shape.rank(); ++d) inner *= shape[d];
    Array out = Array::uninitialized(shape, array_of(tensors[0]).dtype);
    StridedMove move;
    for (const Tensor& tensor : tensors) {
      const Array& part = array_of(tensor);
      const std::int64_t row = part.shape[axis_] * inner;
      move.rank = 0;
      move.add_dimension(outer, row, shape[axis_] * inner);
      move.add_dimension(row, 1, 1);
      copy_strided(move, part, out);
      move.to_offset += row;
    }
    return out;
  }

  void vjp(VjpContext& context) const override {
    const Tensor ends = context.input(0);
    const std::span<const std::int64_t> end = ends.data<std::int64_t>();
    for (std::size_t i = 1; i < context.inputs(); ++i) {
      if (!context.wanted(i)) continue;
      context.set(i, slice(context.g,
                           {.axis = static_cast<std::int64_t>(axis_), .start = end[i - 1], .stop = end[i]}));
    }
  }

  [[nodiscard]] std::string attributes() const override { return fmt::format("axis={}", axis_); }

 private:
  std::size_t axis_;
};

void check_any(OpId op, std::span<const Tensor> tensors) {
  if (tensors.empty())
    throw ValueError(fmt::format("{}: needs at least one tensor, got none", to_string(op)));
}

void check_dtypes(OpId op, std::span<const Tensor> tensors) {
  for (std::size_t i = 1; i < tensors.size(); ++i) {
    if (tensors[i].dtype() == tensors[0].dtype()) continue;
    throw DtypeError(fmt::format("{}: dtypes differ: tensor 0 is {}, tensor {} is {}; convert one with to()",
                                 to_string(op), to_string(tensors[0].dtype()), i,
                                 to_string(tensors[i].dtype())));
  }
}

/// Shape of the result: all sizes but those along the axis must agree.
Shape joined_shape(std::span<const Tensor> tensors, std::size_t axis) {
  const Shape& first = tensors[0].shape();
  std::int64_t joined = first[axis];
  for (std::size_t i = 1; i < tensors.size(); ++i) {
    const Shape& shape = tensors[i].shape();
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

Tensor ends_along(std::span<const Tensor> tensors, std::size_t axis) {
  Array ends = Array::uninitialized({static_cast<std::int64_t>(tensors.size()) + 1}, Dtype::int64);
  auto* end = ends.mutable_data<std::int64_t>();
  end[0] = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) end[i + 1] = end[i] + tensors[i].shape()[axis];
  return make_constant(std::move(ends));
}

}}  // namespace detail

Tensor concat(std::span<const Tensor> tensors, std::int64_t axis) {
  using namespace detail;
  check_any(OpId::concat, tensors);
  if (tensors[0].rank() == 0) {
    throw ShapeError("concat: 0-d tensors have no axis to be joined along; stack makes a new one");
  }
  const std::size_t dim = normalize_axis(to_string(OpId::concat), axis, tensors[0].rank());
  check_dtypes(OpId::concat, tensors);
  const Shape shape = joined_shape(tensors, dim);
  if (tensors.size() == 1) return tensors[0];
  const Concat primitive(dim);
  bool recorded = false;
  for (const Tensor& tensor : tensors)
    recorded = recorded || (thread_state.recording && tensor.requires_grad());
  if (!recorded) return make_constant(primitive.forward(tensors, shape));
  const Tensor ends = ends_along(tensors, dim);
  // From the pool, which is recycled, where a vector would go to the system at every step.
  const std::size_t n = tensors.size() + 1;
  const BufferRef room = BufferRef::allocate(n * sizeof(const Tensor*));
  auto** inputs = static_cast<const Tensor**>(room.data());
  inputs[0] = &ends;
  for (std::size_t i = 0; i < tensors.size(); ++i) inputs[i + 1] = &tensors[i];
  return make_result(primitive, primitive.forward(tensors, shape), {inputs, n});
}

Tensor concat(std::initializer_list<Tensor> tensors, std::int64_t axis) {
  return concat(std::span<const Tensor>(tensors.begin(), tensors.size()), axis);
}

Tensor stack(std::span<const Tensor> tensors, std::int64_t axis) {
  using namespace detail;
  check_any(OpId::stack, tensors);
  check_dtypes(OpId::stack, tensors);
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
    for (const Tensor& tensor : tensors) columns.push_back(reshape(tensor, column));
    return concat(columns, static_cast<std::int64_t>(dim));
  }
  // Joined along the dimension before which the new one goes, and then cut there: no node for each tensor.
  Shape shape;
  for (std::size_t d = 0; d < first.rank(); ++d) {
    if (d == dim) shape.push_back(static_cast<std::int64_t>(tensors.size()));
    shape.push_back(first[d]);
  }
  return reshape(concat(tensors, static_cast<std::int64_t>(dim)), shape);
}

Tensor stack(std::initializer_list<Tensor> tensors, std::int64_t axis) {
  return stack(std::span<const Tensor>(tensors.begin(), tensors.size()), axis);
}

}  // namespace xtgrad::inline v1
