#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/from_values.h"
#include "xtgrad/autograd/kernels/levels/copy_strided.h"
#include "xtgrad/autograd/kernels/reduce.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/concat.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// Copies runs of the axis, one after the other, into the outputs.
void cut(const Array& x, std::size_t axis, std::span<const std::int64_t> sizes, Outputs out) {
  const AxisView view(x.shape, axis);
  StridedMove move;
  for (std::size_t k = 0; k < out.size(); ++k) {
    const std::int64_t row = sizes[k] * view.inner;
    move.rank = 0;
    move.add_dimension(view.outer, view.axis * view.inner, row);
    move.add_dimension(row, 1, 1);
    if (out[k] != nullptr) copy_strided(move, x, *out[k]);
    move.from_offset += row;
  }
}

/// The cotangents of pieces that follow each other along an axis, piece k taking `sizes[k]` times the axis of
/// `unit`; neighbours that no gradient reaches are one tensor of zeros.
std::vector<Tensor> cotangents_in_order(const VjpContext& context, const Shape& unit, std::size_t axis,
                                        std::span<const std::int64_t> sizes) {
  std::vector<Tensor> pieces;
  std::int64_t missing = 0;
  const auto add_zeros = [&] {
    if (missing == 0) return;
    Shape shape = unit;
    shape[axis] *= std::exchange(missing, 0);
    pieces.push_back(zeros(shape, {.dtype = context.dtype(0)}));
  };
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    if (context.g(k).defined()) {
      add_zeros();
      pieces.push_back(context.g(k));
    } else {
      missing += sizes[k];
    }
  }
  add_zeros();
  return pieces;
}

/// Few parts of a large leaf are a lookup, of their places along the axis: true if the sweep has taken them
/// as such. Part k has `sizes[k]` of the axis, and is of x's rank or lacks the axis.
bool is_deferred(const VjpContext& context, std::size_t axis, std::span<const std::int64_t> sizes) {
  if (!context.lookup_target(0, axis).may_defer) return false;
  std::vector<std::int64_t> places;
  std::vector<Tensor> pieces;
  std::int64_t place = 0;
  for (std::size_t k = 0; k < sizes.size(); place += sizes[k], ++k) {
    if (!context.g(k).defined()) continue;
    for (std::int64_t i = 0; i < sizes[k]; ++i) places.push_back(place + i);
    Shape shape = context.shape(0);
    shape[axis] = sizes[k];
    pieces.push_back(reshaped(context.g(k), shape));
  }
  context.defer(0, {.axis = axis,
                    .places = from_span(std::span<const std::int64_t>(places),
                                        {static_cast<std::int64_t>(places.size())}),
                    .gradient = joined(pieces, static_cast<std::int64_t>(axis)),
                    .kind = Lookup::Kind::slice});
  return true;
}

/// `Called` is the function that was called: split or chunk.
template <OpId Called>
class Split final : public PrimitiveOf<Split<Called>, Called> {
 public:
  explicit Split(std::size_t axis = 0, std::vector<std::int64_t> sizes = {})
      : axis_(axis), sizes_(std::move(sizes)) {}

  void describe(Attributes& a) override {
    a("axis", axis_);
    a("sizes", sizes_);
  }
  [[nodiscard]] Counts counts(InputSpecs) const override { return {sizes_.size(), 0}; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    const std::int64_t size = in[0]->shape[axis_];
    std::int64_t sum = 0;
    for (const std::int64_t piece : sizes_) {
      if (piece < 0) throw ValueError(fmt::format("split: sizes must not be negative, got {}", piece));
      if (__builtin_add_overflow(sum, piece, &sum)) sum = -1;
      if (sum < 0) break;
    }
    if (sum != size) {
      throw ShapeError(
          fmt::format("split: the sizes must add up to the axis: they {}, axis {} of x has size {}",
                      sum < 0 ? "overflow" : fmt::format("add up to {}", sum), axis_, size));
    }
    for (std::size_t k = 0; k < out.size(); ++k) {
      static_cast<Spec&>(*out[k]) = *in[0];
      out[k]->shape[axis_] = sizes_[k];
    }
  }
  void eval(Inputs in, Outputs out) const override { cut(*in[0], axis_, sizes_, out); }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, 1, true);
    require_axis(this->name(), axis_, in[0]->shape);
  }
  void vjp(VjpContext& context) const override {
    if (is_deferred(context, axis_, sizes_)) return;
    Shape unit = context.shape(0);
    unit[axis_] = 1;
    context.set(0,
                joined(cotangents_in_order(context, unit, axis_, sizes_), static_cast<std::int64_t>(axis_)));
  }

 private:
  std::size_t axis_;
  std::vector<std::int64_t> sizes_;
};

class Unbind final : public PrimitiveOf<Unbind, OpId::unbind> {
 public:
  explicit Unbind(std::size_t axis = 0) : axis_(axis) {}

  void describe(Attributes& a) override { a("axis", axis_); }
  [[nodiscard]] Counts counts(InputSpecs in) const override {
    return {static_cast<std::size_t>(in[0]->shape[axis_]), 0};
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    const Shape shape = reduced_shape(in[0]->shape, AxisMask{1} << axis_, false);
    for (Spec* spec : out) {
      spec->dtype = in[0]->dtype;
      spec->shape = shape;
    }
  }
  void eval(Inputs in, Outputs out) const override {
    const std::vector<std::int64_t, PoolAllocator<std::int64_t>> sizes(out.size(), 1);
    cut(*in[0], axis_, sizes, out);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    if (in.size() == 1) require_axis(name(), axis_, in[0]->shape);  // by which outputs are counted
    require_call(in, out, 1, true);
  }
  void vjp(VjpContext& context) const override;

 private:
  std::size_t axis_;
};

// As `stack`, without a node for each piece: they are joined along the dimension after the axis, and cut
// there.
void Unbind::vjp(VjpContext& context) const {
  const Shape& shape = context.shape(0);
  const auto count = static_cast<std::size_t>(shape[axis_]);
  const Shape piece = reduced_shape(shape, AxisMask{1} << axis_, false);
  const std::vector<std::int64_t> sizes(count, 1);
  if (is_deferred(context, axis_, sizes)) return;
  if (axis_ == piece.rank()) {
    std::vector<Tensor> columns;
    columns.reserve(count);
    const Tensor zero = zeros(piece, {.dtype = context.dtype(0)});
    for (std::size_t k = 0; k < count; ++k) columns.push_back(context.g(k).defined() ? context.g(k) : zero);
    context.set(0, stack(columns, static_cast<std::int64_t>(axis_)));
    return;
  }
  const std::vector<Tensor> rows = cotangents_in_order(context, piece, axis_, sizes);
  context.set(0, reshaped(joined(rows, static_cast<std::int64_t>(axis_)), shape));
}

template <OpId Called>
std::vector<Tensor> apply_split(std::size_t axis, std::vector<std::int64_t> sizes, const Tensor& x) {
  const Tensor* const input = &x;
  return apply_all(Split<Called>(axis, std::move(sizes)), std::span(&input, 1));
}

/// Sizes of the pieces of an axis of n elements; an empty one is one piece.
std::vector<std::int64_t> equal_sizes(std::int64_t n, std::int64_t size) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(n == 0 ? 1 : (n - 1) / size + 1), size);
  sizes.back() = n == 0 ? 0 : n - (static_cast<std::int64_t>(sizes.size()) - 1) * size;
  return sizes;
}

}}  // namespace detail

using detail::OpId;

std::vector<Tensor> split(const Tensor& x, std::int64_t size, std::int64_t axis) {
  const std::size_t dim = normalize_axis(to_string(OpId::split), axis, x.rank());
  if (size < 1) throw ValueError(fmt::format("split: the size must be at least 1, got {}", size));
  return detail::apply_split<OpId::split>(dim, detail::equal_sizes(x.shape()[dim], size), x);
}

std::vector<Tensor> split(const Tensor& x, std::span<const std::int64_t> sizes, std::int64_t axis) {
  const std::size_t dim = normalize_axis(to_string(OpId::split), axis, x.rank());
  return detail::apply_split<OpId::split>(dim, {sizes.begin(), sizes.end()}, x);
}

std::vector<Tensor> split(const Tensor& x, std::initializer_list<std::int64_t> sizes, std::int64_t axis) {
  return split(x, std::span<const std::int64_t>(sizes.begin(), sizes.size()), axis);
}

std::vector<Tensor> chunk(const Tensor& x, std::int64_t count, std::int64_t axis) {
  const std::size_t dim = normalize_axis(to_string(OpId::chunk), axis, x.rank());
  if (count < 1) throw ValueError(fmt::format("chunk: the count must be at least 1, got {}", count));
  const std::int64_t n = x.shape()[dim];
  return detail::apply_split<OpId::chunk>(dim, detail::equal_sizes(n, n == 0 ? 1 : (n - 1) / count + 1), x);
}

std::vector<Tensor> unbind(const Tensor& x, std::int64_t axis) {
  const std::size_t dim = normalize_axis(to_string(OpId::unbind), axis, x.rank());
  const Tensor* const input = &x;
  return detail::apply_all(detail::Unbind(dim), std::span(&input, 1));
}

}  // namespace xtgrad::v1
