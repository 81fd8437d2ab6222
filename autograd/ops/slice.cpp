#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/copy_strided.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

std::int64_t product(const Shape& shape, std::size_t first, std::size_t last) {
  std::int64_t product = 1;
  for (std::size_t d = first; d < last; ++d) product *= shape[d];
  return product;
}

/// Options of a slice for a given size: nothing is negative, and nothing out of range.
struct SliceRange {
  std::int64_t axis;
  std::int64_t start;
  std::int64_t step;
  std::int64_t count;  // elements of the result
};

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

class Slice final : public PrimitiveOf<Slice, OpId::slice> {
 public:
  explicit Slice(const SliceRange& range) : range_(range) {}

  void describe(Attributes& a) override {
    a("axis", range_.axis);
    a("start", range_.start);
    a("step", range_.step, 1);
    a("count", range_.count);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = in[0]->shape;
    out[0]->shape[static_cast<std::size_t>(range_.axis)] = range_.count;
  }
  void eval(Inputs in, Outputs out) const override {
    const Shape& shape = in[0]->shape;
    const auto axis = static_cast<std::size_t>(range_.axis);
    const std::int64_t inner = product(shape, axis + 1, shape.rank());
    StridedMove move;
    move.add_dimension(product(shape, 0, axis), shape[axis] * inner, range_.count * inner);
    move.add_dimension(range_.count, range_.step * inner, inner);
    move.add_dimension(inner, 1, 1);
    move.from_offset = range_.start * inner;
    copy_strided(move, *in[0], *out[0]);
  }

  void vjp(VjpContext& context) const override {
    const std::int64_t size = context.shape(0)[static_cast<std::size_t>(range_.axis)];
    if (range_.count == 0) {
      context.set(0, pad(context.g(), {.axis = range_.axis, .low = size}));
      return;
    }
    const std::int64_t end = range_.start + (range_.count - 1) * range_.step + 1;
    context.set(
        0, pad(context.g(),
               {.axis = range_.axis, .low = range_.start, .high = size - end, .interior = range_.step - 1}));
  }

 private:
  SliceRange range_;
};

class Pad final : public PrimitiveOf<Pad, OpId::pad> {
 public:
  /// The options are checked, and the axis counts from the front.
  explicit Pad(const PadOptions& options) : options_(options) {}

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

  void vjp(VjpContext& context) const override {
    const std::int64_t size = context.g().shape()[static_cast<std::size_t>(options_.axis)];
    context.set(0, slice(context.g(), {.axis = options_.axis,
                                       .start = options_.low,
                                       .stop = size - options_.high,
                                       .step = options_.interior + 1}));
  }

 private:
  PadOptions options_;
};

}}  // namespace detail

Tensor slice(const Tensor& x, const SliceOptions& options) {
  const std::size_t axis = normalize_axis(to_string(detail::OpId::slice), options.axis, x.rank());
  if (options.step < 1)
    throw ValueError(fmt::format("slice: the step must be positive, got {}", options.step));
  const std::int64_t size = x.shape()[axis];
  const auto clip = [size](std::int64_t position) {
    return std::clamp<std::int64_t>(position < 0 ? position + size : position, 0, size);
  };
  const std::int64_t start = clip(options.start);
  const std::int64_t stop = clip(options.stop.value_or(size));
  const std::int64_t count = stop <= start ? 0 : (stop - start - 1) / options.step + 1;
  if (count == size && (options.step == 1 || size <= 1)) return x;
  // A step past the end means the same as one to the end, and its product with a stride cannot overflow.
  const std::int64_t step = std::min(options.step, std::max<std::int64_t>(1, size));
  return detail::apply(
      detail::Slice({.axis = static_cast<std::int64_t>(axis), .start = start, .step = step, .count = count}),
      x);
}

Tensor pad(const Tensor& x, const PadOptions& options) {
  const std::size_t axis = normalize_axis(to_string(detail::OpId::pad), options.axis, x.rank());
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
  if (detail::padded_size(x.shape(), n, resolved) == n) return x;
  return detail::apply(detail::Pad(resolved), x);
}

}  // namespace xtgrad::v1
