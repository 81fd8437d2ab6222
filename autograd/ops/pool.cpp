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

std::string describe(const Window& window, bool ceil_mode) {
  return fmt::format("kernel={}, stride={}, padding={}, dilation={}{}", to_string(window.kernel),
                     to_string(window.stride), to_string(window.padding), to_string(window.dilation),
                     ceil_mode ? ", ceil_mode" : "");
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
template <OpId Id>
class MaxPool : public PrimitiveOf<Id> {
 public:
  MaxPool(const MaxPool2dOptions& options, const Size2d& places) : options_(options), places_(places) {}

  [[nodiscard]] std::string attributes() const override {
    return describe(window_of(options_), options_.ceil_mode);
  }

 protected:
  ~MaxPool() = default;

  [[nodiscard]] WindowedPlanes planes(const Shape& x) const {
    return windowed_planes(x, places_, window_of(options_));
  }

  MaxPool2dOptions options_;
  Size2d places_;
};

/// Its rule finds the largest elements again rather than keep where they are: with x in memory that adds half
/// to the time of writing the gradient, and the layer before mostly keeps x for its own rule.
class MaxPool2d final : public MaxPool<OpId::max_pool2d> {
 public:
  using MaxPool::MaxPool;
  static Reads reads(Wanted) { return input_bit(0); }

  [[nodiscard]] Array forward(const Array& x) const {
    Array out = Array::uninitialized(pooled_shape(x.shape, places_), x.dtype);
    max_pool_planes(planes(x.shape), x, out);
    return out;
  }
  void vjp(VjpContext& context) const override {
    context.set(0, max_pool2d_put(context.g, context.input(0), options_));
  }
};

class MaxPool2dTake final : public MaxPool<OpId::max_pool2d_take> {
 public:
  using MaxPool::MaxPool;
  static Reads reads(Wanted) { return input_bit(1); }

  [[nodiscard]] Array forward(const Array& u, const Array& x) const {
    Array out = Array::uninitialized(pooled_shape(x.shape, places_), x.dtype);
    max_take_planes(planes(x.shape), u, x, out);
    return out;
  }
  void vjp(VjpContext& context) const override {
    context.set(0, max_pool2d_put(context.g, context.input(1), options_));
  }
};

class MaxPool2dPut final : public MaxPool<OpId::max_pool2d_put> {
 public:
  using MaxPool::MaxPool;
  static Reads reads(Wanted) { return input_bit(1); }

  [[nodiscard]] Array forward(const Array& g, const Array& x) const {
    Array out = Array::uninitialized(x.shape, x.dtype);
    max_put_planes(planes(x.shape), g, x, out);
    return out;
  }
  void vjp(VjpContext& context) const override {
    context.set(0, max_pool2d_take(context.g, context.input(1), options_));
  }
};

/// Avg pooling and its adjoint.
template <OpId Id>
class AvgPool : public PrimitiveOf<Id> {
 public:
  AvgPool(const AvgPool2dOptions& options, const Size2d& image, const Size2d& places)
      : options_(options), image_(image), places_(places) {}
  static Reads reads(Wanted) { return reads_nothing; }

  [[nodiscard]] std::string attributes() const override {
    std::string text = describe(window_of(options_), options_.ceil_mode);
    if (!options_.count_include_pad) text += ", count_include_pad=false";
    if (options_.divisor_override) text += fmt::format(", divisor_override={}", *options_.divisor_override);
    return text;
  }

 protected:
  ~AvgPool() = default;

  [[nodiscard]] WindowedPlanes planes(const Shape& image) const {
    return windowed_planes(image, places_, window_of(options_));
  }
  [[nodiscard]] AvgDivisor divisor() const {
    return {.fixed = options_.divisor_override.value_or(0), .count_padding = options_.count_include_pad};
  }

  AvgPool2dOptions options_;
  Size2d image_;
  Size2d places_;
};

class AvgPool2d final : public AvgPool<OpId::avg_pool2d> {
 public:
  using AvgPool::AvgPool;

  [[nodiscard]] Array forward(const Array& x) const {
    Array out = Array::uninitialized(pooled_shape(x.shape, places_), x.dtype);
    avg_pool_planes(planes(x.shape), divisor(), x, out);
    return out;
  }
  void vjp(VjpContext& context) const override {
    context.set(0, avg_pool2d_spread(context.g, image_, options_));
  }
};

class AvgPool2dSpread final : public AvgPool<OpId::avg_pool2d_spread> {
 public:
  using AvgPool::AvgPool;

  [[nodiscard]] Array forward(const Array& g) const {
    const Shape shape = pooled_shape(g.shape, image_);
    Array out = Array::uninitialized(shape, g.dtype);
    avg_spread_planes(planes(shape), divisor(), g, out);
    return out;
  }
  void vjp(VjpContext& context) const override { context.set(0, avg_pool2d(context.g, options_)); }
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
  detail::check_floating(OpId::max_pool2d, x);
  const Size2d places = detail::pooled_size(OpId::max_pool2d, x.shape(), options);
  return detail::apply(detail::MaxPool2d(options, places), x);
}

Tensor max_pool2d_take(const Tensor& u, const Tensor& x, const MaxPool2dOptions& options) {
  detail::check_floating(OpId::max_pool2d_take, u);
  detail::check_same_dtype(OpId::max_pool2d_take, u, x);
  const Size2d places = detail::pooled_size(OpId::max_pool2d_take, x.shape(), options);
  if (u.shape() != x.shape()) {
    throw ShapeError(fmt::format("max_pool2d_take: u and x must have one shape: u is {}, x is {}",
                                 to_string(u.shape()), to_string(x.shape())));
  }
  return detail::apply(detail::MaxPool2dTake(options, places), u, detail::make_constant(detail::array_of(x)));
}

Tensor max_pool2d_put(const Tensor& g, const Tensor& x, const MaxPool2dOptions& options) {
  detail::check_floating(OpId::max_pool2d_put, g);
  detail::check_same_dtype(OpId::max_pool2d_put, g, x);
  const Size2d places = detail::pooled_size(OpId::max_pool2d_put, x.shape(), options);
  const Shape pooled = detail::pooled_shape(x.shape(), places);
  if (g.shape() != pooled) {
    throw ShapeError(
        fmt::format("max_pool2d_put: g must have the shape of max_pool2d(x): g is {}, that is {}",
                    to_string(g.shape()), to_string(pooled)));
  }
  return detail::apply(detail::MaxPool2dPut(options, places), g, detail::make_constant(detail::array_of(x)));
}

Tensor avg_pool2d(const Tensor& x, const AvgPool2dOptions& options) {
  detail::check_floating(OpId::avg_pool2d, x);
  const Size2d places = detail::pooled_size(OpId::avg_pool2d, x.shape(), options);
  return detail::apply(detail::AvgPool2d(options, {x.shape()[2], x.shape()[3]}, places), x);
}

Tensor avg_pool2d_spread(const Tensor& g, const Size2d& image, const AvgPool2dOptions& options) {
  detail::check_floating(OpId::avg_pool2d_spread, g);
  detail::check_image(OpId::avg_pool2d_spread, g.shape(), "g");
  detail::check_image_size(OpId::avg_pool2d_spread, image, "the image");
  const Shape shape = detail::pooled_shape(g.shape(), image);
  const Size2d places = detail::pooled_size(OpId::avg_pool2d_spread, shape, options, "the image");
  if (g.shape() != detail::pooled_shape(shape, places)) {
    throw ShapeError(
        fmt::format("avg_pool2d_spread: the window has {} places on the image: g is {}, the image {}",
                    to_string(places), to_string(g.shape()), to_string(image)));
  }
  return detail::apply(detail::AvgPool2dSpread(options, image, places), g);
}

}  // namespace xtgrad::inline v1
