#include "xtgrad/autograd/ops/shape.h"

#include <fmt/format.h>

#include <array>
#include <span>
#include <utility>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/copy_strided.h"
#include "xtgrad/autograd/kernels/sum_to.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/row_kernels.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

/// True if NumPy's rules stretch `small` to exactly `large`.
bool does_stretch_to(const Shape& small, const Shape& large) {
  if (small.rank() > large.rank()) return false;
  const std::size_t lead = large.rank() - small.rank();
  for (std::size_t d = 0; d < small.rank(); ++d) {
    if (small[d] != 1 && small[d] != large[lead + d]) return false;
  }
  return true;
}

/// The same tensor as a node of its own: what is asked of this one, or said of it, is not x's.
class Alias final : public PrimitiveOf<Alias, OpId::alias> {
 public:
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  [[nodiscard]] int alias_of(int) const override { return 0; }
  void eval(Inputs, Outputs) const override {}
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_broadcasting(*this, context);
  }
  void vjp(VjpContext& context) const override { context.set(0, context.g()); }
};

/// The same elements, and the same buffer, under another shape. `Called` is the function that was called.
template <OpId Called>
class Reshape final : public PrimitiveOf<Reshape<Called>, Called> {
 public:
  explicit Reshape(const Shape& shape) : shape_(shape) {}

  void describe(Attributes& a) override { a("shape", shape_); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    const Shape& shape = in[0]->shape;
    if (shape.numel() != shape_.numel()) {
      throw ShapeError(fmt::format(
          "reshape: numbers of elements differ: x is {}, which has {}, the shape is {}, which has {}",
          to_string(shape), shape.numel(), to_string(shape_), shape_.numel()));
    }
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = shape_;
  }
  [[nodiscard]] int alias_of(int) const override { return 0; }
  void eval(Inputs, Outputs) const override {}
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void vjp(VjpContext& context) const override { context.set(0, reshaped(context.g(), context.shape(0))); }

 private:
  Shape shape_;
};

/// `Called` is the function that was called.
template <OpId Called>
class Permute final : public PrimitiveOf<Permute<Called>, Called> {
 public:
  /// Dimension i of the result is dimension order[i] of x; the order is checked, and counts from the front.
  explicit Permute(const Dims& order = {}) : order_(order) {}

  void describe(Attributes& a) override { a("order", order_); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = in[0]->shape;
    for (std::size_t d = 0; d < order_.size(); ++d) out[0]->shape[d] = in[0]->shape[source(d)];
  }
  void eval(Inputs in, Outputs out) const override {
    const Shape& shape = out[0]->shape;
    const Strides from = row_major_strides(in[0]->shape);
    const Strides to = row_major_strides(shape);
    StridedMove move;
    for (std::size_t d = 0; d < order_.size(); ++d) move.add_dimension(shape[d], from[source(d)], to[d]);
    copy_strided(move, *in[0], *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, 1);
    const std::size_t rank = in[0]->shape.rank();
    std::array<bool, Shape::max_rank> seen{};
    bool fits = order_.size() == rank;
    for (std::size_t d = 0; fits && d < rank; ++d)
      fits = source(d) < rank && !std::exchange(seen[source(d)], true);
    if (fits) return;
    throw ShapeError(fmt::format("{}: the order must name every dimension once: x is {}, the order is {}",
                                 this->name(), to_string(in[0]->shape), to_string(order_)));
  }

  void vjp(VjpContext& context) const override {
    Dims inverse = order_;
    for (std::size_t d = 0; d < order_.size(); ++d) inverse[source(d)] = static_cast<std::int64_t>(d);
    context.set(0, permuted(context.g(), inverse));
  }

 private:
  [[nodiscard]] std::size_t source(std::size_t d) const { return static_cast<std::size_t>(order_[d]); }

  Dims order_;
};

class BroadcastTo final : public PrimitiveOf<BroadcastTo, OpId::broadcast_to> {
 public:
  explicit BroadcastTo(const Shape& shape = {}) : shape_(shape) {}

  void describe(Attributes& a) override { a("shape", shape_); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    if (!does_stretch_to(in[0]->shape, shape_)) {
      throw ShapeError(fmt::format(
          "broadcast_to: the shape does not stretch: x is {}, the shape is {}; sizes are aligned at "
          "the end, and only a 1 stretches",
          to_string(in[0]->shape), to_string(shape_)));
    }
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = shape_;
  }
  void eval(Inputs in, Outputs out) const override {
    const Shape& shape = in[0]->shape;
    const std::size_t lead = shape_.rank() - shape.rank();
    const Strides from = row_major_strides(shape);
    const Strides to = row_major_strides(shape_);
    StridedMove move;
    for (std::size_t d = 0; d < shape_.rank(); ++d) {
      const bool stretched = d < lead || shape[d - lead] == 1;
      move.add_dimension(shape_[d], stretched ? 0 : from[d - lead], to[d]);
    }
    copy_strided(move, *in[0], *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    if (shape_.rank() >= Shape::max_rank) return false;
    const Tensor x = aligned(context.input(0), shape_.rank());
    context.set(0, apply(BroadcastTo(for_each_example(shape_, context.size())), x));
    return true;
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
  void vjp(VjpContext& context) const override { context.set(0, summed_to(context.g(), context.shape(0))); }

 private:
  Shape shape_;
};

class SumTo final : public PrimitiveOf<SumTo, OpId::sum_to> {
 public:
  explicit SumTo(const Shape& shape = {}) : shape_(shape) {}

  void describe(Attributes& a) override { a("shape", shape_); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_numeric(op, *in[0]);
    if (!does_stretch_to(shape_, in[0]->shape)) {
      throw ShapeError(fmt::format("sum_to: the shape does not broadcast to x's: x is {}, the shape is {}",
                                   to_string(in[0]->shape), to_string(shape_)));
    }
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = shape_;
  }
  void eval(Inputs in, Outputs out) const override { sum_to_shape(*in[0], *out[0]); }
  /// Where all but the last axis is kept.
  [[nodiscard]] RowKernel bind_rows(InputSpecs in) const override {
    const Shape& from = in[0]->shape;
    const std::size_t last = from.rank() - 1;
    if (from.rank() == 0 || shape_.rank() != from.rank() || shape_[last] != 1) return nullptr;
    return shape_.numel() * from[last] == from.numel() ? row_sums(in[0]->dtype) : nullptr;
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    const Shape& x = context.input(0).tensor.shape();
    Shape shape{x[0]};
    while (shape.rank() + shape_.rank() < x.rank()) shape.push_back(1);
    for (const std::int64_t each : shape_) shape.push_back(each);
    const Tensor y = apply(SumTo(shape), context.input(0).tensor);
    context.set(0, reshaped(y, for_each_example(shape_, context.size())));
    return true;
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[0]->shape.numel(); }
  void vjp(VjpContext& context) const override {
    context.set(0, stretched_to(context.g(), context.shape(0)));
  }

 private:
  Shape shape_;
};

/// The one size of a reshape that was given as -1.
std::int64_t infer_size(const Shape& from, const Dims& sizes) {
  std::int64_t known = 1;
  for (const std::int64_t size : sizes) {
    if (size == -1) continue;
    // A product past 2^63 can be no shape of x; 0 lets the division below say so.
    if (__builtin_mul_overflow(known, size, &known)) known = 0;
  }
  const std::int64_t numel = from.numel();
  if (known == 0 && numel == 0) {
    throw ShapeError(
        fmt::format("reshape: -1 is ambiguous, since any size gives 0 elements: x is {}, the shape is {}",
                    to_string(from), to_string(sizes)));
  }
  if (known == 0 || numel % known != 0) {
    throw ShapeError(
        fmt::format("reshape: no size in place of -1 fits: x is {}, which has {} elements, the shape is {}",
                    to_string(from), numel, to_string(sizes)));
  }
  return numel / known;
}

/// The dimensions that a list of axes names, each once.
std::array<bool, Shape::max_rank> named_dimensions(OpId op, const Dims& axes, std::size_t rank) {
  std::array<bool, Shape::max_rank> named{};
  for (const std::int64_t axis : axes) {
    const std::size_t dim = normalize_axis(to_string(op), axis, rank);
    if (!std::exchange(named[dim], true)) continue;
    throw ShapeError(
        fmt::format("{}: axis {} is listed twice: axes are {}", to_string(op), dim, to_string(axes)));
  }
  return named;
}

}  // namespace

Tensor reshaped(const Tensor& x, const Shape& shape) {
  return x.shape() == shape ? x : apply(Reshape<OpId::reshape>(shape), x);
}

Tensor reshaped_in_stack(const Tensor& x, const Shape& shape) {
  return apply(Reshape<OpId::stack>(shape), x);
}

Tensor permuted(const Tensor& x, const Dims& order) {
  for (std::size_t d = 0; d < order.size(); ++d) {
    if (order[d] != static_cast<std::int64_t>(d)) return apply(Permute<OpId::permute>(order), x);
  }
  return x;
}

Tensor stretched_to(const Tensor& x, const Shape& shape) {
  return x.shape() == shape ? x : apply(BroadcastTo(shape), x);
}

Tensor summed_to(const Tensor& x, const Shape& shape) {
  return x.shape() == shape ? x : apply(SumTo(shape), x);
}

}  // namespace detail

Tensor alias(const Tensor& x) { return detail::apply(detail::Alias{}, x); }

Tensor reshape(const Tensor& x, const Dims& sizes) {
  Dims known = sizes;
  std::int64_t* unknown = nullptr;
  // NOLINTNEXTLINE(modernize-loop-convert): Dims are read by pointer, and written by number
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (known[i] >= 0) continue;
    if (known[i] < -1) {
      throw ShapeError(fmt::format("reshape: sizes must be -1 or not negative, got {}", to_string(sizes)));
    }
    if (unknown != nullptr) {
      throw ShapeError(fmt::format("reshape: at most one size can be -1, got {}", to_string(sizes)));
    }
    unknown = &known[i];
  }
  if (unknown != nullptr) *unknown = detail::infer_size(x.shape(), sizes);
  const Shape shape(std::span<const std::int64_t>(known.begin(), known.size()));
  return x.shape() == shape ? alias(x) : detail::apply(detail::Reshape<detail::OpId::reshape>(shape), x);
}

Tensor permute(const Tensor& x, const Dims& order) {
  const std::string_view name = to_string(detail::OpId::permute);
  const std::size_t rank = x.rank();
  if (order.size() != rank) {
    throw ShapeError(
        fmt::format("permute: the order must name every dimension once: x is {}, the order is {}",
                    to_string(x.shape()), to_string(order)));
  }
  Dims resolved = order;
  std::array<bool, Shape::max_rank> seen{};
  bool identity = true;
  for (std::size_t i = 0; i < rank; ++i) {
    const std::size_t source = normalize_axis(name, order[i], rank);
    if (seen[source]) {
      throw ShapeError(
          fmt::format("permute: the order must name every dimension once: x is {}, the order is {}",
                      to_string(x.shape()), to_string(order)));
    }
    seen[source] = true;
    resolved[i] = static_cast<std::int64_t>(source);
    identity = identity && source == i;
  }
  return identity ? alias(x) : detail::apply(detail::Permute<detail::OpId::permute>(resolved), x);
}

Tensor transpose(const Tensor& x, std::int64_t dim0, std::int64_t dim1) {
  const std::string_view name = to_string(detail::OpId::transpose);
  const std::size_t first = normalize_axis(name, dim0, x.rank());
  const std::size_t second = normalize_axis(name, dim1, x.rank());
  Dims order = x.shape();  // for its length
  for (std::size_t d = 0; d < order.size(); ++d) order[d] = static_cast<std::int64_t>(d);
  std::swap(order[first], order[second]);
  return first == second ? alias(x) : detail::apply(detail::Permute<detail::OpId::transpose>(order), x);
}

Tensor flatten(const Tensor& x, std::int64_t start) {
  using Flatten = detail::Reshape<detail::OpId::flatten>;
  if (x.rank() == 0 && (start == 0 || start == -1)) return detail::apply(Flatten(Shape{1}), x);
  const std::size_t first = normalize_axis(to_string(detail::OpId::flatten), start, x.rank());
  Shape shape;
  std::int64_t joined = 1;
  for (std::size_t d = 0; d < x.rank(); ++d) {
    if (d < first) {
      shape.push_back(x.shape()[d]);
    } else {
      joined *= x.shape()[d];
    }
  }
  shape.push_back(joined);
  return x.shape() == shape ? alias(x) : detail::apply(Flatten(shape), x);
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  return x.shape() == shape ? alias(x) : detail::apply(detail::BroadcastTo(shape), x);
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  return x.shape() == shape ? alias(x) : detail::apply(detail::SumTo(shape), x);
}

Tensor squeeze(const Tensor& x, const Axes& axes) {
  const auto named = detail::named_dimensions(detail::OpId::squeeze, axes.named(), x.rank());
  Shape shape;
  for (std::size_t d = 0; d < x.rank(); ++d) {
    const std::int64_t size = x.shape()[d];
    if (named[d] && size != 1) {
      throw ShapeError(
          fmt::format("squeeze: the axis must have size 1: axis {} of {}", d, to_string(x.shape())));
    }
    if (!(named[d] || (axes.all() && size == 1))) shape.push_back(size);
  }
  return reshape(x, shape);
}

Tensor unsqueeze(const Tensor& x, const Dims& axes) {
  const std::size_t rank = x.rank() + axes.size();
  if (rank > Shape::max_rank) {
    throw ShapeError(fmt::format("unsqueeze: at most {} dimensions: x is {}, the new axes are {}",
                                 Shape::max_rank, to_string(x.shape()), to_string(axes)));
  }
  const auto is_new = detail::named_dimensions(detail::OpId::unsqueeze, axes, rank);
  Shape shape;
  std::size_t from = 0;
  for (std::size_t d = 0; d < rank; ++d) shape.push_back(is_new[d] ? 1 : x.shape()[from++]);
  return reshape(x, shape);
}

Tensor movedim(const Tensor& x, const Dims& source, const Dims& destination) {
  constexpr detail::OpId op = detail::OpId::movedim;
  if (source.size() != destination.size()) {
    throw ShapeError(
        fmt::format("movedim: needs a destination for each axis: source is {}, destination is {}",
                    to_string(source), to_string(destination)));
  }
  const std::size_t rank = x.rank();
  const auto moves = detail::named_dimensions(op, source, rank);
  const auto is_taken = detail::named_dimensions(op, destination, rank);
  Dims order = x.shape();  // for its length
  std::size_t from = 0;
  for (std::size_t d = 0; d < rank; ++d) {
    if (is_taken[d]) continue;
    while (moves[from]) ++from;
    order[d] = static_cast<std::int64_t>(from++);
  }
  for (std::size_t i = 0; i < source.size(); ++i) {
    order[normalize_axis(to_string(op), destination[i], rank)] =
        static_cast<std::int64_t>(normalize_axis(to_string(op), source[i], rank));
  }
  return permute(x, order);
}

}  // namespace xtgrad::v1
