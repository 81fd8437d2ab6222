#include "xtgrad/autograd/ops/pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/avg_pool2d.h"
#include "xtgrad/autograd/kernels/levels/max_pool2d.h"
#include "xtgrad/autograd/kernels/levels/plane_sums.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
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

void describe_options(Attributes& a, MaxPool2dOptions& options) {
  a("kernel", options.kernel);
  a("stride", options.stride, std::nullopt);
  a("padding", options.padding, 0);
  a("dilation", options.dilation, 1);
  a("ceil_mode", options.ceil_mode, false);
}

/// Each place looks at its whole window.
std::int64_t flops_of(const Shape& pooled, const MaxPool2dOptions& options) {
  return pooled.numel() * options.kernel.height * options.kernel.width;
}

/// What says where an element lies in a plane of x [n, c, h, w], neither side of which is empty.
Dtype place_dtype(const Shape& x) {
  return x[3] <= std::numeric_limits<std::int32_t>::max() / x[2] ? Dtype::int32 : Dtype::int64;
}

/// max_pool2d_put, and `few` if no element is named by more than few_terms places.
Tensor put(const Tensor& g, const Tensor& places, const Size2d& image, bool few);

/// Its auxiliary are the places of the largest elements, so that the rule needs no x. Who is the largest is
/// piecewise constant, and so are they.
class MaxPool2d final : public PrimitiveOf<MaxPool2d, OpId::max_pool2d> {
 public:
  static constexpr std::size_t auxiliaries = 1;
  explicit MaxPool2d(const MaxPool2dOptions& options = {}) : options_(options) {}

  void describe(Attributes& a) override { describe_options(a, options_); }

  void infer(InputSpecs in, OutputSpecs out) const override {
    const Shape& x = in[0]->shape;
    check_floating(op, *in[0]);
    *out[0] = {pooled_shape(x, pooled_size(op, x, options_)), in[0]->dtype};
    *out[1] = {out[0]->shape, place_dtype(x)};
  }
  void eval(Inputs in, Outputs out) const override {
    const Shape &x = in[0]->shape, &y = out[0]->shape;
    max_pool_planes(windowed_planes(x, {y[2], y[3]}, window_of(options_)), *in[0], out[0], out[1]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_joining(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
  void vjp(VjpContext& context) const override {
    const Shape& x = context.shape(0);
    const Shape& y = context.g().shape();
    const bool few = few_windows_meet(windowed_planes(x, {y[2], y[3]}, window_of(options_)));
    context.set(0, put(context.g(), make_constant(Array(context.auxiliary())), {x[2], x[3]}, few));
  }

  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return flops_of(out[0]->shape, options_);
  }

 private:
  MaxPool2dOptions options_;
};

class MaxPool2dPlaces final : public ConstantPrimitive<MaxPool2dPlaces> {
 public:
  static constexpr OpId op = OpId::max_pool2d_places;
  explicit MaxPool2dPlaces(const MaxPool2dOptions& options = {}) : options_(options) {}

  [[nodiscard]] std::string_view name() const override { return to_string(op); }
  void describe(Attributes& a) override { describe_options(a, options_); }

  void infer(InputSpecs in, OutputSpecs out) const override {
    const Shape& x = in[0]->shape;
    check_floating(op, *in[0]);
    *out[0] = {pooled_shape(x, pooled_size(op, x, options_)), place_dtype(x)};
  }
  void eval(Inputs in, Outputs out) const override {
    const Shape &x = in[0]->shape, &places = out[0]->shape;
    max_pool_planes(windowed_planes(x, {places[2], places[3]}, window_of(options_)), *in[0], nullptr, out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_joining(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return flops_of(out[0]->shape, options_);
  }

 private:
  MaxPool2dOptions options_;
};

void check_places(OpId op, const Spec& places) {
  if (!IndexTypes::contains(places.dtype)) {
    throw DtypeError(fmt::format("{}: places must be int32 or int64, got {}; convert with to(int64)",
                                 to_string(op), to_string(places.dtype)));
  }
  check_image(op, places.shape, "places");
}

/// Throws ValueError for the first of the places that is not in a plane of `size` elements.
void check_places_range(OpId op, const Array& places, std::int64_t size) {
  visit_listed<IndexTypes>(places.dtype, [&](auto zero) {
    const auto* values = places.data<decltype(zero)>();
    const std::int64_t n = places.numel();
    auto lowest = zero, highest = zero;  // without an early exit, so that the compiler can use SIMD
    for (std::int64_t i = 0; i < n; ++i) {
      lowest = std::min(lowest, values[i]);
      highest = std::max(highest, values[i]);
    }
    if (lowest >= -1 && highest < size) return;
    const auto* bad = std::find_if(values, values + n, [&](auto v) { return v < -1 || v >= size; });
    if (bad == values + n) return;  // size is 0, and all are -1
    std::int64_t rest = bad - values;
    std::array<std::int64_t, 4> at{};
    for (std::size_t d = at.size(); d-- > 0; rest /= places.shape[d]) at[d] = rest % places.shape[d];
    throw ValueError(fmt::format("{}: a place is out of range: {} at {}, but a plane has {} elements",
                                 to_string(op), *bad, to_string(Shape{at[0], at[1], at[2], at[3]}), size));
  });
}

PlacedPlanes placed_planes(const Shape& image, const Shape& places) {
  return {
      .planes = image[0] * image[1], .plane_size = image[2] * image[3], .place_count = places[2] * places[3]};
}

class MaxPool2dTake final : public PrimitiveOf<MaxPool2dTake, OpId::max_pool2d_take> {
 public:
  explicit MaxPool2dTake(bool few = false) : few_(few) {}

  void describe(Attributes& a) override { a("few", few_, false); }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(1); }

  void infer(InputSpecs in, OutputSpecs out) const override {
    const Spec &u = *in[0], &places = *in[1];
    check_floating(op, u);
    check_image(op, u.shape, "u");
    check_places(op, places);
    if (u.shape[0] != places.shape[0] || u.shape[1] != places.shape[1]) {
      throw ShapeError(
          fmt::format("max_pool2d_take: u and places must have the same planes: u is {}, places is {}",
                      to_string(u.shape), to_string(places.shape)));
    }
    *out[0] = {places.shape, u.dtype};
  }
  void eval(Inputs in, Outputs out) const override {
    const PlacedPlanes at = placed_planes(in[0]->shape, in[1]->shape);
    check_places_range(op, *in[1], at.plane_size);
    take_places(at, *in[0], *in[1], *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_joining(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 2); }
  void vjp(VjpContext& context) const override {
    const Shape& u = context.shape(0);
    context.set(0, put(context.g(), context.input(1), {u[2], u[3]}, few_));
  }

 private:
  bool few_;  // no element is named by more than few_terms places
};

class MaxPool2dPut final : public PrimitiveOf<MaxPool2dPut, OpId::max_pool2d_put> {
 public:
  explicit MaxPool2dPut(const Size2d& image = 0, bool few = false) : image_(image), few_(few) {}

  void describe(Attributes& a) override {
    a("image", image_);
    a("few", few_, false);
  }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(1); }

  void infer(InputSpecs in, OutputSpecs out) const override {
    const Spec &g = *in[0], &places = *in[1];
    check_floating(op, g);
    check_places(op, places);
    if (!(g.shape == places.shape)) {
      throw ShapeError(fmt::format("max_pool2d_put: g and places must have one shape: g is {}, places is {}",
                                   to_string(g.shape), to_string(places.shape)));
    }
    check_image_size(op, image_, "the image");
    *out[0] = {pooled_shape(g.shape, image_), g.dtype};
  }
  void eval(Inputs in, Outputs out) const override {
    const PlacedPlanes at = placed_planes(out[0]->shape, in[1]->shape);
    check_places_range(op, *in[1], at.plane_size);
    put_places(at, few_, *in[0], *in[1], *out[0]);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_joining(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 2); }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override { return in[0]->shape.numel(); }
  void vjp(VjpContext& context) const override {
    context.set(0, apply(MaxPool2dTake(few_), context.g(), Tensor(context.input(1))));
  }

 private:
  Size2d image_;
  bool few_;  // no element is named by more than few_terms places
};

Tensor put(const Tensor& g, const Tensor& places, const Size2d& image, bool few) {
  return apply(MaxPool2dPut(image, few), g, places);
}

/// Avg pooling and its adjoint.
template <class Self, OpId Id>
class AvgPool : public PrimitiveOf<Self, Id> {
 public:
  explicit AvgPool(const AvgPool2dOptions& options = {}) : options_(options) {}

  void describe(Attributes& a) override {
    a("kernel", options_.kernel);
    a("stride", options_.stride, std::nullopt);
    a("padding", options_.padding, 0);
    a("ceil_mode", options_.ceil_mode, false);
    a("count_include_pad", options_.count_include_pad, true);
    a("divisor_override", options_.divisor_override, std::nullopt);
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_joining(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override { this->require_call(in, out, 1); }

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
  explicit AvgPool2dSpread(const AvgPool2dOptions& options = {}, const Size2d& image = 0)
      : AvgPool(options), image_(image) {}

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
  // So that whoever counts the elements of a window may do so in 32 bits.
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

Tensor max_pool2d_places(const Tensor& x, const MaxPool2dOptions& options) {
  return detail::apply_constant(detail::MaxPool2dPlaces(options), x);
}

Tensor max_pool2d_take(const Tensor& u, const Tensor& places) {
  return detail::apply(detail::MaxPool2dTake(), u, places);
}

Tensor max_pool2d_put(const Tensor& g, const Tensor& places, const Size2d& image) {
  return detail::apply(detail::MaxPool2dPut(image), g, places);
}

Tensor avg_pool2d(const Tensor& x, const AvgPool2dOptions& options) {
  return detail::apply(detail::AvgPool2d(options), x);
}

Tensor avg_pool2d_spread(const Tensor& g, const Size2d& image, const AvgPool2dOptions& options) {
  return detail::apply(detail::AvgPool2dSpread(options, image), g);
}

}  // namespace xtgrad::v1
