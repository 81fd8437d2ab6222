#include "xtgrad/autograd/ops/slice.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/copy_strided.h"
#include "xtgrad/autograd/kernels/reduce.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

std::int64_t product(const Shape& shape, std::size_t first, std::size_t last) {
  std::int64_t product = 1;
  for (std::size_t d = first; d < last; ++d) product *= shape[d];
  return product;
}

/// Options of a slice for a given size: nothing is negative, and nothing out of range.
struct SliceRange {
  std::int64_t axis = 0;
  std::int64_t start = 0;
  std::int64_t step = 1;
  std::int64_t count = 0;  // elements of the result
};

SliceRange range_of(OpId op, const Shape& shape, const SliceOptions& options) {
  const std::size_t axis = normalize_axis(to_string(op), options.axis, shape.rank());
  if (options.step < 1)
    throw ValueError(fmt::format("{}: the step must be positive, got {}", to_string(op), options.step));
  const std::int64_t size = shape[axis];
  const auto clip = [size](std::int64_t position) {
    return std::clamp<std::int64_t>(position < 0 ? position + size : position, 0, size);
  };
  const std::int64_t start = clip(options.start);
  const std::int64_t stop = clip(options.stop.value_or(size));
  return {.axis = static_cast<std::int64_t>(axis),
          .start = start,
          // A step past the end means the same as one to the end, and its product with a stride cannot
          // overflow.
          .step = std::min(options.step, std::max<std::int64_t>(1, size)),
          .count = stop <= start ? 0 : (stop - start - 1) / options.step + 1};
}

bool is_all(const SliceRange& range, const Shape& shape) {
  const std::int64_t size = shape[static_cast<std::size_t>(range.axis)];
  return range.count == size && (range.step == 1 || size <= 1);
}

/// Size of an axis of n elements once padded; throws ShapeError if int64 cannot hold it.
std::int64_t padded_size(const Shape& shape, std::int64_t n, const PadOptions& options) {
  std::int64_t size = 0;
  const std::int64_t gaps = std::max<std::int64_t>(0, n - 1);
  if (options.interior == std::numeric_limits<std::int64_t>::max() ||
      __builtin_mul_overflow(gaps, options.interior, &size) || __builtin_add_overflow(size, n, &size) ||
      __builtin_add_overflow(size, options.low, &size) || __builtin_add_overflow(size, options.high, &size)) {
    throw ShapeError(
        fmt::format("pad: more than 2^63 - 1 elements: x is {}, axis {} gets low {}, high {}, interior {}",
                    to_string(shape), options.axis, options.low, options.high, options.interior));
  }
  return size;
}

/// From an array of `shape` to what the slice takes of it.
StridedMove move_of(const SliceRange& range, const Shape& shape) {
  const auto axis = static_cast<std::size_t>(range.axis);
  const std::int64_t inner = product(shape, axis + 1, shape.rank());
  StridedMove move;
  move.add_dimension(product(shape, 0, axis), shape[axis] * inner, range.count * inner);
  move.add_dimension(range.count, range.step * inner, inner);
  move.add_dimension(inner, 1, 1);
  move.from_offset = range.start * inner;
  return move;
}

Shape sliced_shape(const SliceRange& range, Shape shape) {
  shape[static_cast<std::size_t>(range.axis)] = range.count;
  return shape;
}

void describe_range(Attributes& a, SliceRange& range) {
  a("axis", range.axis);
  a("start", range.start);
  a("step", range.step, 1);
  a("count", range.count);
}

/// Throws unless it is one of `range_of` for x.
void check_range(OpId op, const SliceRange& range, const Shape& x) {
  const std::string_view name = to_string(op);
  require_axis(name, static_cast<std::size_t>(range.axis), x);
  const std::int64_t size = x[static_cast<std::size_t>(range.axis)];
  require_attribute(range.start >= 0 && range.start <= size, name, "start", "from 0 to the size of the axis",
                    range.start);
  require_attribute(range.step >= 1 && range.step <= std::max<std::int64_t>(1, size), name, "step",
                    "from 1 to the size of the axis", range.step);
  const std::int64_t most = range.start == size ? 0 : (size - range.start - 1) / range.step + 1;
  require_attribute(range.count >= 0 && range.count <= most, name, "count", "of elements that the axis has",
                    range.count);
}

/// The same range as options, for a tensor of which it is one.
SliceOptions options_of(const SliceRange& range) {
  return {.axis = range.axis,
          .start = range.start,
          .stop = range.start + (range.count == 0 ? 0 : (range.count - 1) * range.step + 1),
          .step = range.step};
}

/// x with a source at the places of a slice: added to what is there, or instead of it.
template <bool Adds>
class SliceWrite final : public PrimitiveOf<SliceWrite<Adds>, Adds ? OpId::slice_add : OpId::slice_scatter> {
  static constexpr OpId op = Adds ? OpId::slice_add : OpId::slice_scatter;

 public:
  explicit SliceWrite(const SliceRange& range = {}) : range_(range) {}

  void describe(Attributes& a) override { describe_range(a, range_); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    const Spec &x = *in[0], &source = *in[1];
    if (Adds) check_numeric(op, x);
    check_same_dtype(op, x, source, Adds ? OperandNames() : OperandNames{"x", "source"});
    const Shape place = sliced_shape(range_, x.shape);
    if (!(source.shape == place)) {
      throw ShapeError(
          fmt::format("{}: source must have the shape of the slice: source is {}, the slice is {}",
                      to_string(op), to_string(source.shape), to_string(place)));
    }
    out[0]->dtype = x.dtype;
    out[0]->shape = x.shape;
  }
  void eval(Inputs in, Outputs out) const override {
    if (out[0]->buffer.get() != in[0]->buffer.get()) {
      std::memcpy(out[0]->buffer.data(), in[0]->buffer.data(), in[0]->buffer.bytes());
    }
    StridedMove move = move_of(range_, in[0]->shape);
    std::swap(move.from_strides, move.to_strides);
    std::swap(move.from_offset, move.to_offset);
    (Adds ? add_strided : copy_strided)(move, *in[1], *out[0]);
  }
  [[nodiscard]] InputSet may_overwrite(int) const override { return 0b01; }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, 2);
    check_range(op, range_, in[0]->shape);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return Adds ? in[1]->shape.numel() : 0;
  }

  void vjp(VjpContext& context) const override {
    const Tensor& g = context.g();
    if (context.wanted(0)) {
      const auto nothing = [&] { return zeros(sliced_shape(range_, g.shape()), {.dtype = g.dtype()}); };
      context.set(0, Adds ? g : apply(*this, g, nothing()));
    }
    if (context.wanted(1)) context.set(1, sliced(g, options_of(range_)));
  }

 private:
  SliceRange range_;
};

using SliceAdd = SliceWrite<true>;
using SliceScatter = SliceWrite<false>;

class Slice final : public PrimitiveOf<Slice, OpId::slice> {
 public:
  explicit Slice(const SliceRange& range = {}) : range_(range) {}

  void describe(Attributes& a) override { describe_range(a, range_); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = sliced_shape(range_, in[0]->shape);
  }
  void eval(Inputs in, Outputs out) const override {
    copy_strided(move_of(range_, in[0]->shape), *in[0], *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    check_range(op, range_, in[0]->shape);
  }

  // Slices of one tensor in a loop add to one sum: each costs what it has, not what x has.
  void vjp(VjpContext& context) const override {
    const auto along = static_cast<std::size_t>(range_.axis);
    const LookupTarget target = context.lookup_target(0, along);
    if (target.may_defer) {
      const Tensor places =
          arange(range_.start + range_.count * range_.step, {.start = range_.start, .step = range_.step});
      context.defer(0,
                    {.axis = along, .places = places, .gradient = context.g(), .kind = Lookup::Kind::slice});
      return;
    }
    if (target.sum != nullptr) {
      apply_onto(SliceAdd(range_), *target.sum, context.g());
      return;
    }
    const std::int64_t size = context.shape(0)[along];
    if (range_.count == 0) {
      context.set(0, padded(context.g(), {.axis = range_.axis, .low = size}));
      return;
    }
    const std::int64_t end = range_.start + (range_.count - 1) * range_.step + 1;
    context.set(
        0,
        padded(context.g(),
               {.axis = range_.axis, .low = range_.start, .high = size - end, .interior = range_.step - 1}));
  }

 private:
  SliceRange range_;
};

class Pad final : public PrimitiveOf<Pad, OpId::pad> {
 public:
  /// The options are checked, and the axis counts from the front.
  explicit Pad(const PadOptions& options = {}) : options_(options) {}

  void describe(Attributes& a) override {
    a("axis", options_.axis);
    a("low", options_.low);
    a("high", options_.high);
    a("interior", options_.interior, 0);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    const Shape& shape = in[0]->shape;
    const auto axis = static_cast<std::size_t>(options_.axis);
    const std::int64_t size = padded_size(shape, shape[axis], options_);
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = {};  // grown size by size, which checks that the elements can be counted
    for (std::size_t d = 0; d < shape.rank(); ++d) out[0]->shape.push_back(d == axis ? size : shape[d]);
  }
  void eval(Inputs in, Outputs out) const override {
    const Shape& shape = in[0]->shape;
    const auto axis = static_cast<std::size_t>(options_.axis);
    const std::int64_t inner = product(shape, axis + 1, shape.rank());
    std::memset(out[0]->buffer.data(), 0, out[0]->buffer.bytes());  // zero bits are 0 in every dtype
    StridedMove move;
    move.add_dimension(product(shape, 0, axis), shape[axis] * inner, out[0]->shape[axis] * inner);
    move.add_dimension(shape[axis], inner, (options_.interior + 1) * inner);
    move.add_dimension(inner, 1, 1);
    move.to_offset = options_.low * inner;
    copy_strided(move, *in[0], *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    require_axis(name(), static_cast<std::size_t>(options_.axis), in[0]->shape);
    require_attribute(options_.low >= 0, name(), "low", "at least 0", options_.low);
    require_attribute(options_.high >= 0, name(), "high", "at least 0", options_.high);
    const bool has_gaps = in[0]->shape[static_cast<std::size_t>(options_.axis)] > 1;
    require_attribute(options_.interior == 0 || (has_gaps && options_.interior > 0), name(), "interior",
                      has_gaps ? "at least 0" : "0 where there is nothing to part", options_.interior);
  }

  void vjp(VjpContext& context) const override {
    const std::int64_t size = context.g().shape()[static_cast<std::size_t>(options_.axis)];
    context.set(0, sliced(context.g(), {.axis = options_.axis,
                                        .start = options_.low,
                                        .stop = size - options_.high,
                                        .step = options_.interior + 1}));
  }

 private:
  PadOptions options_;
};

}  // namespace

Tensor sliced(const Tensor& x, const SliceOptions& options) {
  const SliceRange range = range_of(OpId::slice, x.shape(), options);
  return is_all(range, x.shape()) ? x : apply(Slice(range), x);
}

Tensor padded(const Tensor& x, const PadOptions& options) {
  const std::size_t axis = normalize_axis(to_string(OpId::pad), options.axis, x.rank());
  if (options.low < 0 || options.high < 0 || options.interior < 0) {
    throw ValueError(
        fmt::format("pad: low, high and interior must not be negative, got {}, {} and {}; slice removes "
                    "elements",
                    options.low, options.high, options.interior));
  }
  const std::int64_t n = x.shape()[axis];
  PadOptions resolved = options;
  resolved.axis = static_cast<std::int64_t>(axis);
  if (n <= 1) resolved.interior = 0;  // there is nothing to part
  if (padded_size(x.shape(), n, resolved) == n) return x;
  return apply(Pad(resolved), x);
}

namespace {

/// A result of what may have nothing to do.
Tensor own(const Tensor& result, const Tensor& x) { return result.node() == x.node() ? alias(x) : result; }

/// One entry along an axis, as a slice.
SliceOptions entry_of(OpId op, const Shape& x, std::int64_t axis, std::int64_t index) {
  const std::size_t dim = normalize_axis(to_string(op), axis, x.rank());
  const std::int64_t size = x[dim];
  if (index < -size || index >= size) {
    throw ShapeError(fmt::format("{}: index {} is out of range: axis {} of {} has size {}", to_string(op),
                                 index, dim, to_string(x), size));
  }
  const std::int64_t place = index < 0 ? index + size : index;
  return {.axis = static_cast<std::int64_t>(dim), .start = place, .stop = place + 1};
}

Shape without_axis(const Shape& x, std::int64_t axis) {
  return reduced_shape(x, AxisMask{1} << static_cast<std::size_t>(axis), false);
}

}  // namespace
}  // namespace detail

Tensor slice(const Tensor& x, const SliceOptions& options) {
  return detail::own(detail::sliced(x, options), x);
}

Tensor slice_add(const Tensor& x, const SliceOptions& options, const Tensor& source) {
  return detail::apply(detail::SliceAdd(detail::range_of(detail::OpId::slice_add, x.shape(), options)), x,
                       source);
}

Tensor pad(const Tensor& x, const PadOptions& options) { return detail::own(detail::padded(x, options), x); }

Tensor select(const Tensor& x, std::int64_t axis, std::int64_t index) {
  const SliceOptions entry = detail::entry_of(detail::OpId::select, x.shape(), axis, index);
  return reshape(detail::sliced(x, entry), detail::without_axis(x.shape(), entry.axis));
}

Tensor slice_scatter(const Tensor& x, const SliceOptions& options, const Tensor& source) {
  const detail::SliceRange range = detail::range_of(detail::OpId::slice_scatter, x.shape(), options);
  return detail::apply(detail::SliceScatter(range), x, source);
}

Tensor select_scatter(const Tensor& x, std::int64_t axis, std::int64_t index, const Tensor& source) {
  constexpr detail::OpId op = detail::OpId::select_scatter;
  const SliceOptions entry = detail::entry_of(op, x.shape(), axis, index);
  const Shape place = detail::without_axis(x.shape(), entry.axis);
  if (!(source.shape() == place)) {
    throw ShapeError(fmt::format(
        "select_scatter: source must have the shape of what it replaces: source is {}, that is {}",
        to_string(source.shape()), to_string(place)));
  }
  Shape kept = x.shape();
  kept[static_cast<std::size_t>(entry.axis)] = 1;
  return slice_scatter(x, entry, detail::reshaped(source, kept));
}

}  // namespace xtgrad::v1
