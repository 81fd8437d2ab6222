#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/copy_strided.h"
#include "xtgrad/autograd/kernels/levels/unfold2d.h"
#include "xtgrad/autograd/kernels/reduce.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/windows.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

Window window_of(const Unfold2dOptions& options) {
  return {options.kernel, options.stride, options.padding, options.dilation};
}

/// What unfold and its adjoint share.
template <class Self, OpId Id>
class Windows : public PrimitiveOf<Self, Id> {
 public:
  explicit Windows(const Unfold2dOptions& options = {}) : options_(options) {}

  void describe(Attributes& a) override {
    a("kernel", options_.kernel);
    a("stride", options_.stride);
    a("padding", options_.padding);
    a("dilation", options_.dilation);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_joining(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override { this->require_call(in, out, 1); }

 protected:
  ~Windows() = default;

  /// Elements of a window.
  [[nodiscard]] std::int64_t area() const { return options_.kernel.height * options_.kernel.width; }
  [[nodiscard]] WindowedPlanes planes(const Shape& image) const {
    const Window window = window_of(options_);
    return windowed_planes(image, output_size(Id, image, window), window);
  }

  Unfold2dOptions options_;
};

class Unfold2d final : public Windows<Unfold2d, OpId::unfold2d> {
 public:
  using Windows::Windows;

  void infer(InputSpecs in, OutputSpecs out) const override {
    const Shape& x = in[0]->shape;
    check_floating(op, *in[0]);
    const Size2d places = output_size(op, x, window_of(options_));
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = {x[0], checked_product(op, x, x[1], area()),
                     checked_product(op, x, places.height, places.width)};
  }
  void eval(Inputs in, Outputs out) const override { unfold_planes(planes(in[0]->shape), *in[0], *out[0]); }
  void vjp(VjpContext& context) const override {
    const Shape& x = context.shape(0);
    context.set(0, fold2d(context.g(), {x[2], x[3]}, options_));
  }
};

class Fold2d final : public Windows<Fold2d, OpId::fold2d> {
 public:
  explicit Fold2d(const Unfold2dOptions& options = {}, const Size2d& output = 0)
      : Windows(options), output_(output) {}

  void describe(Attributes& a) override {
    a("output", output_);
    Windows::describe(a);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_floating(op, *in[0]);
    const Shape& columns = in[0]->shape;
    if (columns.rank() != 3) {
      throw ShapeError(fmt::format(
          "fold2d: columns needs 3 dimensions [n, c * kh * kw, places]: columns is {}", to_string(columns)));
    }
    const Window window = window_of(options_);
    check_window(op, window);
    if (columns[1] % area() != 0) {
      throw ShapeError(
          fmt::format("fold2d: the second size of columns must be a multiple of the kernel's {} elements: "
                      "columns is {}, kernel {}",
                      area(), to_string(columns), to_string(options_.kernel)));
    }
    check_image_size(op, output_, "the output");
    const Shape image{columns[0], columns[1] / area(), output_.height, output_.width};
    const Size2d places = output_size(op, image, window, false, "the output");
    if (checked_product(op, image, places.height, places.width) != columns[2]) {
      throw ShapeError(fmt::format("fold2d: the window has {} places on the output: columns is {}, output {}",
                                   to_string(places), to_string(columns), to_string(output_)));
    }
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = image;
  }
  void eval(Inputs in, Outputs out) const override { fold_planes(planes(out[0]->shape), *in[0], *out[0]); }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[0]->shape.numel(); }
  void vjp(VjpContext& context) const override { context.set(0, unfold2d(context.g(), options_)); }

 private:
  Size2d output_;
};

/// Windows along an axis.
struct AxisWindows {
  std::size_t axis = 0;
  std::int64_t size = 1;
  std::int64_t step = 1;

  void describe(Attributes& a) {
    a("axis", axis);
    a("size", size);
    a("step", step, 1);
  }
  void check_loaded(std::string_view operation, const Shape& x) const {
    require_axis(operation, axis, x);
    require_attribute(size >= 1 && size <= x[axis], operation, "size", "from 1 to the size of the axis",
                      size);
    require_attribute(step >= 1, operation, "step", "at least 1", step);
  }
  [[nodiscard]] std::int64_t count(const Shape& x) const { return (x[axis] - size) / step + 1; }
  [[nodiscard]] Shape result(const Shape& x) const {
    Shape shape = x;
    shape[axis] = count(x);
    shape.push_back(size);
    return shape;
  }
};

Tensor folded(const Tensor& g, const AxisWindows& windows, const Shape& x);

class Unfold final : public PrimitiveOf<Unfold, OpId::unfold> {
 public:
  explicit Unfold(const AxisWindows& windows = {}) : windows_(windows) {}

  void describe(Attributes& a) override { windows_.describe(a); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = windows_.result(in[0]->shape);
  }
  void eval(Inputs in, Outputs out) const override {
    const AxisView x(in[0]->shape, windows_.axis);
    const std::int64_t count = windows_.count(in[0]->shape), size = windows_.size;
    StridedMove move;
    move.add_dimension(x.outer, x.axis * x.inner, count * x.inner * size);
    move.add_dimension(count, count == 1 ? 0 : windows_.step * x.inner, x.inner * size);
    move.add_dimension(x.inner, 1, size);
    move.add_dimension(size, x.inner, 1);
    copy_strided(move, *in[0], *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    windows_.check_loaded(name(), in[0]->shape);
  }
  void vjp(VjpContext& context) const override {
    context.set(0, folded(context.g(), windows_, context.shape(0)));
  }

 private:
  AxisWindows windows_;
};

/// The adjoint: windows added up where they overlap.
class UnfoldAdd final : public DifferentiablePrimitive<UnfoldAdd> {
 public:
  explicit UnfoldAdd(const AxisWindows& windows = {}, const Shape& shape = {})
      : windows_(windows), shape_(shape) {}

  [[nodiscard]] std::string_view name() const override { return "unfold_add"; }
  void describe(Attributes& a) override {
    windows_.describe(a);
    a("shape", shape_);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_floating(OpId::unfold, *in[0]);
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = shape_;
  }
  // In passes of places that differ: windows that do not overlap, which lie together, or where these are
  // short and many an element of each window.
  void eval(Inputs in, Outputs out) const override {
    std::memset(out[0]->buffer.data(), 0, out[0]->buffer.bytes());
    if (in[0]->numel() == 0) return;
    const std::int64_t overlapping = (windows_.size - 1) / windows_.step + 1;
    constexpr std::int64_t long_window = 32;
    const bool by_windows = overlapping == 1 || windows_.size >= long_window;
    const std::int64_t count = windows_.count(shape_);
    const std::int64_t passes = by_windows ? std::min(overlapping, count) : windows_.size;
    for (std::int64_t pass = 0; pass < passes; ++pass)
      add_strided(by_windows ? windows_from(pass, overlapping, count) : elements_at(pass, count), *in[0],
                  *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[0]->shape.numel(); }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_along_axes(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    windows_.check_loaded(name(), shape_);
    require_spec(name(), "the windows", *in[0], {windows_.result(shape_), in[0]->dtype, {}});
  }
  void vjp(VjpContext& context) const override { context.set(0, apply(Unfold(windows_), context.g())); }

 private:
  /// Every so manieth window, from the first on.
  [[nodiscard]] StridedMove windows_from(std::int64_t first, std::int64_t apart, std::int64_t count) const {
    const AxisView x(shape_, windows_.axis);
    const std::int64_t size = windows_.size, window = x.inner * size;
    const std::int64_t some = (count - first - 1) / apart + 1;
    StridedMove move;
    move.add_dimension(x.outer, count * window, x.axis * x.inner);
    move.add_dimension(some, apart * window, some == 1 ? 0 : apart * windows_.step * x.inner);
    move.add_dimension(x.inner, size, 1);
    move.add_dimension(size, 1, x.inner);
    move.from_offset = first * window;
    move.to_offset = first * windows_.step * x.inner;
    return move;
  }
  /// The element of that number of every window.
  [[nodiscard]] StridedMove elements_at(std::int64_t number, std::int64_t count) const {
    const AxisView x(shape_, windows_.axis);
    const std::int64_t size = windows_.size;
    StridedMove move;
    move.add_dimension(x.outer, count * x.inner * size, x.axis * x.inner);
    move.add_dimension(count, x.inner * size, count == 1 ? 0 : windows_.step * x.inner);
    move.add_dimension(x.inner, size, 1);
    move.from_offset = number;
    move.to_offset = number * x.inner;
    return move;
  }

  AxisWindows windows_;
  Shape shape_;
};

Tensor folded(const Tensor& g, const AxisWindows& windows, const Shape& x) {
  return apply(UnfoldAdd(windows, x), g);
}

}}  // namespace detail

Tensor unfold2d(const Tensor& x, const Unfold2dOptions& options) {
  return detail::apply(detail::Unfold2d(options), x);
}

Tensor fold2d(const Tensor& unfolded, const Size2d& output, const Unfold2dOptions& options) {
  return detail::apply(detail::Fold2d(options, output), unfolded);
}

Tensor unfold(const Tensor& x, const UnfoldOptions& options) {
  const std::size_t axis = normalize_axis(to_string(detail::OpId::unfold), options.axis, x.rank());
  const std::int64_t size = options.size, step = options.step, n = x.shape()[axis];
  if (size < 1 || step < 1)
    throw ValueError(fmt::format("unfold: size and step must be at least 1, got {} and {}", size, step));
  if (size > n || x.rank() == Shape::max_rank) {
    throw ShapeError(
        fmt::format("unfold: needs an axis as long as a window, and at most {} dimensions: x is {}, axis {}, "
                    "size {}",
                    Shape::max_rank - 1, to_string(x.shape()), axis, size));
  }
  return detail::apply(detail::Unfold({axis, size, step}), x);
}

}  // namespace xtgrad::v1
