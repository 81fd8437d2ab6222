#include "xtgrad/autograd/ops/pool.h"

#include <fmt/format.h>

#include <cstdint>
#include <limits>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/pool2d.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/windows.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

Window window_of(const MaxPool2dOptions& options) {
  return {options.kernel, options.stride.value_or(options.kernel), options.padding, options.dilation};
}

Window window_of(const AvgPool2dOptions& options) {
  return {options.kernel, options.stride.value_or(options.kernel), options.padding, 1};
}

/// No more padding than half the window, or windows without dilation could lie on padding alone.
void check_padding(std::string_view function, const Window& window) {
  if (window.padding.height <= window.rows().extent() / 2 &&
      window.padding.width <= window.columns().extent() / 2) {
    return;
  }
  throw ValueError(
      fmt::format("{}: padding must be at most half the window: padding {}, kernel {}, dilation {}", function,
                  to_string(window.padding), to_string(window.kernel), to_string(window.dilation)));
}

/// Checks all options, and `x`, called so in the message; returns the output's height and width.
template <class Options>
Size2d pooled_size(OpId op, const Shape& x, const Options& options, const char* name = "x") {
  const Window window = window_of(options);
  check_window(op, window);
  check_pool_options(to_string(op), options);
  return output_size(op, x, window, options.ceil_mode, name);
}

Shape pooled_shape(const Shape& x, const Size2d& places) { return {x[0], x[1], places.height, places.width}; }

/// What the three operations of max pooling share. x, where only its largest elements' places matter, is a
/// constant to put and take: who is the largest is piecewise constant.
template <class Self, OpId Id>
class MaxPool : public PrimitiveOf<Self, Id> {
 public:
  explicit MaxPool(const MaxPool2dOptions& options) : options_(options) {}

  void describe(Attributes& a) override {
    a("kernel", options_.kernel);
    a("stride", options_.stride, std::nullopt);
    a("padding", options_.padding, 0);
    a("dilation", options_.dilation, 1);
    a("ceil_mode", options_.ceil_mode, false);
  }

 protected:
  ~MaxPool() = default;

  /// Planes of the image `x`, whose windows give the image `pooled`.
  [[nodiscard]] WindowedPlanes planes(const Shape& x, const Shape& pooled) const {
    return windowed_planes(x, {pooled[2], pooled[3]}, window_of(options_));
  }

  /// Each place looks at its whole window.
  [[nodiscard]] std::int64_t flops_of(const Shape& pooled) const {
    return pooled.numel() * options_.kernel.height * options_.kernel.width;
  }

  MaxPool2dOptions options_;
};

/// Its rule finds the largest elements again rather than keep where they are: with x in memory that adds half
/// to the time of writing the gradient, and the layer before mostly keeps x for its own rule.
class MaxPool2d final : public MaxPool<MaxPool2d, OpId::max_pool2d> {
 public:
  using MaxPool::MaxPool;
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }

  void infer(InputSpecs in, OutputSpecs out) const override {
    check_floating(op, *in[0]);
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = pooled_shape(in[0]->shape, pooled_size(op, in[0]->shape, options_));
  }
  void eval(Inputs in, Outputs out) const override {
    max_pool_planes(planes(in[0]->shape, out[0]->shape), *in[0], *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return flops_of(out[0]->shape);
  }
  void vjp(VjpContext& context) const override {
    context.set(0, max_pool2d_put(context.g(), context.input(0), options_));
  }
};

class MaxPool2dTake final : public MaxPool<MaxPool2dTake, OpId::max_pool2d_take> {
 public:
  using MaxPool::MaxPool;
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(1); }

  void infer(InputSpecs in, OutputSpecs out) const override {
    const Spec &u = *in[0], &x = *in[1];
    check_floating(op, u);
    check_same_dtype(op, u, x);
    const Size2d places = pooled_size(op, x.shape, options_);
    if (!(u.shape == x.shape)) {
      throw ShapeError(fmt::format("max_pool2d_take: u and x must have one shape: u is {}, x is {}",
                                   to_string(u.shape), to_string(x.shape)));
    }
    out[0]->dtype = x.dtype;
    out[0]->shape = pooled_shape(x.shape, places);
  }
  void eval(Inputs in, Outputs out) const override {
    max_take_planes(planes(in[1]->shape, out[0]->shape), *in[0], *in[1], *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return flops_of(out[0]->shape);
  }
  void vjp(VjpContext& context) const override {
    context.set(0, max_pool2d_put(context.g(), context.input(1), options_));
  }
};

class MaxPool2dPut final : public MaxPool<MaxPool2dPut, OpId::max_pool2d_put> {
 public:
  using MaxPool::MaxPool;
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(1); }

  void infer(InputSpecs in, OutputSpecs out) const override {
    const Spec &g = *in[0], &x = *in[1];
    check_floating(op, g);
    check_same_dtype(op, g, x);
    const Shape pooled = pooled_shape(x.shape, pooled_size(op, x.shape, options_));
    if (!(g.shape == pooled)) {
      throw ShapeError(
          fmt::format("max_pool2d_put: g must have the shape of max_pool2d(x): g is {}, that is {}",
                      to_string(g.shape), to_string(pooled)));
    }
    out[0]->dtype = x.dtype;
    out[0]->shape = x.shape;
  }
  void eval(Inputs in, Outputs out) const override {
    max_put_planes(planes(in[1]->shape, in[0]->shape), *in[0], *in[1], *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return flops_of(in[0]->shape);
  }
  void vjp(VjpContext& context) const override {
    context.set(0, max_pool2d_take(context.g(), context.input(1), options_));
  }
};

/// Avg pooling and its adjoint.
template <class Self, OpId Id>
class AvgPool : public PrimitiveOf<Self, Id> {
 public:
  explicit AvgPool(const AvgPool2dOptions& options) : options_(options) {}

  void describe(Attributes& a) override {
    a("kernel", options_.kernel);
    a("stride", options_.stride, std::nullopt);
    a("padding", options_.padding, 0);
    a("ceil_mode", options_.ceil_mode, false);
    a("count_include_pad", options_.count_include_pad, true);
    a("divisor_override", options_.divisor_override, std::nullopt);
  }

 protected:
  ~AvgPool() = default;

  [[nodiscard]] WindowedPlanes planes(const Shape& image, const Shape& pooled) const {
    return windowed_planes(image, {pooled[2], pooled[3]}, window_of(options_));
  }
  [[nodiscard]] AvgDivisor divisor() const {
    return {.fixed = options_.divisor_override.value_or(0), .count_padding = options_.count_include_pad};
  }

  /// Each place sums its window, or spreads over it, and divides.
  [[nodiscard]] std::int64_t flops_of(const Shape& pooled) const {
    return pooled.numel() * options_.kernel.height * options_.kernel.width;
  }

  AvgPool2dOptions options_;
};

class AvgPool2d final : public AvgPool<AvgPool2d, OpId::avg_pool2d> {
 public:
  using AvgPool::AvgPool;

  void infer(InputSpecs in, OutputSpecs out) const override {
    check_floating(op, *in[0]);
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = pooled_shape(in[0]->shape, pooled_size(op, in[0]->shape, options_));
  }
  void eval(Inputs in, Outputs out) const override {
    avg_pool_planes(planes(in[0]->shape, out[0]->shape), divisor(), *in[0], *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return flops_of(out[0]->shape);
  }
  void vjp(VjpContext& context) const override {
    const Shape& x = context.shape(0);
    context.set(0, avg_pool2d_spread(context.g(), {x[2], x[3]}, options_));
  }
};

class AvgPool2dSpread final : public AvgPool<AvgPool2dSpread, OpId::avg_pool2d_spread> {
 public:
  AvgPool2dSpread(const AvgPool2dOptions& options, const Size2d& image) : AvgPool(options), image_(image) {}

  void describe(Attributes& a) override {
    a("image", image_);
    AvgPool::describe(a);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    const Shape& g = in[0]->shape;
    check_floating(op, *in[0]);
    check_image(op, g, "g");
    check_image_size(op, image_, "the image");
    const Shape shape = pooled_shape(g, image_);
    const Size2d places = pooled_size(op, shape, options_, "the image");
    if (!(g == pooled_shape(shape, places))) {
      throw ShapeError(
          fmt::format("avg_pool2d_spread: the window has {} places on the image: g is {}, the image {}",
                      to_string(places), to_string(g), to_string(image_)));
    }
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = shape;
  }
  void eval(Inputs in, Outputs out) const override {
    avg_spread_planes(planes(out[0]->shape, in[0]->shape), divisor(), *in[0], *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return flops_of(in[0]->shape);
  }
  void vjp(VjpContext& context) const override { context.set(0, avg_pool2d(context.g(), options_)); }

 private:
  Size2d image_;
};

}  // namespace

void check_pool_options(std::string_view function, const MaxPool2dOptions& options) {
  check_padding(function, window_of(options));
  // The kernel counts the elements of a window in 32 bits.
  if (options.kernel.height > std::numeric_limits<std::int32_t>::max() / options.kernel.width) {
    throw ValueError(fmt::format("{}: the kernel must have at most 2^31 - 1 elements, got {}", function,
                                 to_string(options.kernel)));
  }
}

void check_pool_options(std::string_view function, const AvgPool2dOptions& options) {
  check_padding(function, window_of(options));
  if (options.divisor_override && *options.divisor_override < 1) {
    throw ValueError(
        fmt::format("{}: divisor_override must be at least 1, got {}", function, *options.divisor_override));
  }
}

}  // namespace detail

using detail::OpId;

Tensor max_pool2d(const Tensor& x, const MaxPool2dOptions& options) {
  return detail::apply(detail::MaxPool2d(options), x);
}

Tensor max_pool2d_take(const Tensor& u, const Tensor& x, const MaxPool2dOptions& options) {
  return detail::apply(detail::MaxPool2dTake(options), u, detail::make_constant(detail::array_of(x)));
}

Tensor max_pool2d_put(const Tensor& g, const Tensor& x, const MaxPool2dOptions& options) {
  return detail::apply(detail::MaxPool2dPut(options), g, detail::make_constant(detail::array_of(x)));
}

Tensor avg_pool2d(const Tensor& x, const AvgPool2dOptions& options) {
  return detail::apply(detail::AvgPool2d(options), x);
}

Tensor avg_pool2d_spread(const Tensor& g, const Size2d& image, const AvgPool2dOptions& options) {
  return detail::apply(detail::AvgPool2dSpread(options, image), g);
}

}  // namespace xtgrad::v1
