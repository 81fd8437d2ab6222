#include <fmt/format.h>

#include <limits>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/conv2d.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/windows.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

// y = conv2d(x, w) is linear in x and in w. With the cotangent g of y, <g, conv2d(x, w)> is a trilinear form,
// and the three primitives here are its derivatives by g, x and w: so the rule of each is the other two, and
// derivatives of every order are convolutions again.

Size2d sides(const Shape& image) { return {image[2], image[3]}; }

Window window_of(const Size2d& kernel, const Conv2dOptions& options) {
  return {
      .kernel = kernel, .stride = options.stride, .padding = options.padding, .dilation = options.dilation};
}

Conv2dSizes sizes_of(const Shape& x, const Shape& weight, const Shape& y, const Conv2dOptions& options) {
  // A filter without input channels has no elements, however large its kernel.
  const Size2d kernel = weight[0] == 0 || weight[1] == 0 ? Size2d(0) : sides(weight);
  return {.n = x[0],
          .in = x[1],
          .out = y[1],
          .groups = options.groups,
          .image = sides(x),
          .result = sides(y),
          .kernel = kernel,
          .stride = options.stride,
          .padding = options.padding,
          .dilation = options.dilation};
}

std::string attributes_of(const Conv2dOptions& options) {
  std::string text =
      fmt::format("stride={}, padding={}", to_string(options.stride), to_string(options.padding));
  if (options.dilation != Size2d(1)) text += ", dilation=" + to_string(options.dilation);
  if (options.groups != 1) text += fmt::format(", groups={}", options.groups);
  return text;
}

/// What conv_transpose2d must add at the end to make an image of `size` from a result of `result`.
Size2d output_padding(const Size2d& size, const Size2d& result, const Size2d& kernel,
                      const Conv2dOptions& o) {
  const auto side = [](std::int64_t to, std::int64_t from, const WindowSide& w) {
    return to - ((from - 1) * w.stride - 2 * w.padding + w.extent());
  };
  const Window window = window_of(kernel, o);
  return {side(size.height, result.height, window.rows()), side(size.width, result.width, window.columns())};
}

/// conv_transpose2d to an image of the given sides.
Tensor input_grad(const Tensor& g, const Tensor& weight, const Size2d& image, const Conv2dOptions& options) {
  return conv_transpose2d(
      g, weight,
      {.stride = options.stride,
       .padding = options.padding,
       .output_padding = output_padding(image, sides(g.shape()), sides(weight.shape()), options),
       .dilation = options.dilation,
       .groups = options.groups});
}

Reads reads_the_other(Wanted wanted) {
  return (is_wanted(wanted, 0) ? input_bit(1) : reads_nothing) |
         (is_wanted(wanted, 1) ? input_bit(0) : reads_nothing);
}

class Conv2d final : public PrimitiveOf<OpId::conv2d> {
 public:
  explicit Conv2d(const Conv2dOptions& options) : options_(options) {}
  static Reads reads(Wanted wanted) { return reads_the_other(wanted); }

  [[nodiscard]] Array forward(const Array& x, const Array& weight) const {
    return convolve(x, weight, nullptr);
  }
  [[nodiscard]] Array forward(const Array& x, const Array& weight, const Array& bias) const {
    return convolve(x, weight, &bias);
  }

  void vjp(VjpContext& context) const override {
    const Tensor& g = context.g;  // [n, out, h', w']
    if (context.wanted(0)) context.set(0, input_grad(g, context.input(1), sides(context.shape(0)), options_));
    if (context.wanted(1))
      context.set(1, conv2d_weight_grad(context.input(0), g, sides(context.shape(1)), options_));
    if (context.inputs() > 2 && context.wanted(2)) context.set(2, sum(g, {.axes = {0, 2, 3}}));
  }
  [[nodiscard]] std::string attributes() const override { return attributes_of(options_); }

 private:
  [[nodiscard]] Array convolve(const Array& x, const Array& weight, const Array* bias) const {
    const Size2d size = output_size(op, x.shape, window_of(sides(weight.shape), options_));
    Array y = Array::uninitialized({x.shape[0], weight.shape[0], size.height, size.width}, x.dtype);
    detail::conv2d(sizes_of(x.shape, weight.shape, y.shape, options_), x, weight, bias, y);
    return y;
  }

  Conv2dOptions options_;
};

class ConvTranspose2d final : public PrimitiveOf<OpId::conv_transpose2d> {
 public:
  ConvTranspose2d(const Conv2dOptions& options, const Size2d& output) : options_(options), output_(output) {}
  static Reads reads(Wanted wanted) { return reads_the_other(wanted); }

  [[nodiscard]] Array forward(const Array& g, const Array& weight) const {
    Array x = Array::uninitialized(
        {g.shape[0], weight.shape[1] * options_.groups, output_.height, output_.width}, g.dtype);
    conv2d_input_grad(sizes_of(x.shape, weight.shape, g.shape, options_), g, weight, x);
    return x;
  }

  void vjp(VjpContext& context) const override {
    const Tensor& u = context.g;  // [n, in, h, w]
    if (context.wanted(0)) context.set(0, xtgrad::conv2d(u, context.input(1), options_));
    if (context.wanted(1))
      context.set(1, conv2d_weight_grad(u, context.input(0), sides(context.shape(1)), options_));
  }
  [[nodiscard]] std::string attributes() const override { return attributes_of(options_); }

 private:
  Conv2dOptions options_;
  Size2d output_;
};

class Conv2dWeightGrad final : public PrimitiveOf<OpId::conv2d_weight_grad> {
 public:
  Conv2dWeightGrad(const Size2d& kernel, const Conv2dOptions& options) : kernel_(kernel), options_(options) {}
  static Reads reads(Wanted wanted) { return reads_the_other(wanted); }

  [[nodiscard]] Array forward(const Array& x, const Array& g) const {
    Array dw = Array::uninitialized({g.shape[1], x.shape[1] / options_.groups, kernel_.height, kernel_.width},
                                    x.dtype);
    detail::conv2d_weight_grad(sizes_of(x.shape, dw.shape, g.shape, options_), x, g, dw);
    return dw;
  }

  void vjp(VjpContext& context) const override {
    const Tensor& v = context.g;  // [out, in / groups, kh, kw]
    if (context.wanted(0)) context.set(0, input_grad(context.input(1), v, sides(context.shape(0)), options_));
    if (context.wanted(1)) context.set(1, xtgrad::conv2d(context.input(0), v, options_));
  }
  [[nodiscard]] std::string attributes() const override { return attributes_of(options_); }

 private:
  Size2d kernel_;
  Conv2dOptions options_;
};

void check_groups(OpId op, std::int64_t groups) {
  if (groups < 1)
    throw ValueError(fmt::format("{}: groups must be at least 1, got {}", to_string(op), groups));
}

[[noreturn]] void throw_channels(OpId op, std::string_view rule, const Shape& x, const Shape& weight,
                                 std::int64_t groups) {
  throw ShapeError(fmt::format("{}: {}: x is {}, weight is {}, groups {}", to_string(op), rule, to_string(x),
                               to_string(weight), groups));
}

void check_weight(OpId op, const Shape& weight, std::int64_t groups) {
  if (weight.rank() != 4) {
    throw ShapeError(fmt::format("{}: weight needs 4 dimensions [out, in / groups, kh, kw]: weight is {}",
                                 to_string(op), to_string(weight)));
  }
  if (weight[2] < 1 || weight[3] < 1) {
    throw ShapeError(
        fmt::format("{}: the kernel has no elements: weight is {}", to_string(op), to_string(weight)));
  }
  if (weight[0] % groups != 0) {
    throw ShapeError(
        fmt::format("{}: groups must divide the first dimension of weight: weight is {}, groups {}",
                    to_string(op), to_string(weight), groups));
  }
}

void check_operands(OpId op, const Tensor& a, const Tensor& b, std::string_view name_of_b) {
  check_same_dtype(op, a, b, {"x", name_of_b});
  check_floating(op, a);
}

void check_conv2d(const Tensor& x, const Tensor& weight, const Conv2dOptions& options) {
  constexpr OpId op = OpId::conv2d;
  check_operands(op, x, weight, "weight");
  check_groups(op, options.groups);
  check_weight(op, weight.shape(), options.groups);
  check_image(op, x.shape());
  // Not their product, which may leave int64.
  if (x.shape()[1] % options.groups != 0 || x.shape()[1] / options.groups != weight.shape()[1]) {
    throw_channels(op, "x must have in / groups channels for each group", x.shape(), weight.shape(),
                   options.groups);
  }
  // Here, and not only where it is needed, so that bad options are refused before anything else is done.
  [[maybe_unused]] const Size2d size = output_size(op, x.shape(), window_of(sides(weight.shape()), options));
}

/// Sides of conv_transpose2d's image.
Size2d transposed_size(const Shape& x, const Shape& weight, const ConvTranspose2dOptions& options) {
  constexpr OpId op = OpId::conv_transpose2d;
  const Window window{sides(weight), options.stride, options.padding, options.dilation};
  check_window(op, window);
  const auto& extra = options.output_padding;
  if (extra.height < 0 || extra.width < 0 || extra.height >= options.stride.height ||
      extra.width >= options.stride.width) {
    throw ValueError(
        fmt::format("{}: output_padding must be at least 0 and less than stride: it is {}, stride {}",
                    to_string(op), to_string(extra), to_string(options.stride)));
  }
  // With these, and options that check_window has passed, no sum below leaves int64.
  constexpr std::int64_t largest = std::numeric_limits<std::int32_t>::max();
  if (x[2] > largest || x[3] > largest) {
    throw ShapeError(
        fmt::format("{}: more than 2^31 - 1 rows or columns: x is {}", to_string(op), to_string(x)));
  }
  const auto side = [](std::int64_t places, const WindowSide& w, std::int64_t more) {
    return (places - 1) * w.stride - 2 * w.padding + w.extent() + more;
  };
  const Size2d size(side(x[2], window.rows(), extra.height), side(x[3], window.columns(), extra.width));
  if (x[2] < 1 || x[3] < 1 || size.height < 1 || size.width < 1) {
    throw ShapeError(fmt::format(
        "{}: the result has no elements: x is {}, weight is {}, stride {}, padding {}", to_string(op),
        to_string(x), to_string(weight), to_string(options.stride), to_string(options.padding)));
  }
  return size;
}

}}  // namespace detail

Tensor conv2d(const Tensor& x, const Tensor& weight, const Conv2dOptions& options) {
  detail::check_conv2d(x, weight, options);
  return detail::apply(detail::Conv2d(options), x, weight);
}

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
  detail::check_conv2d(x, weight, options);
  detail::check_same_dtype(detail::OpId::conv2d, weight, bias, {"weight", "bias"});
  if (bias.shape() != Shape{weight.shape()[0]}) {
    throw ShapeError(fmt::format("conv2d: bias needs one element an output channel: weight is {}, bias is {}",
                                 to_string(weight.shape()), to_string(bias.shape())));
  }
  return detail::apply(detail::Conv2d(options), x, weight, bias);
}

Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const ConvTranspose2dOptions& options) {
  constexpr auto op = detail::OpId::conv_transpose2d;
  detail::check_operands(op, x, weight, "weight");
  detail::check_groups(op, options.groups);
  detail::check_weight(op, weight.shape(), options.groups);
  detail::check_image(op, x.shape());
  if (x.shape()[1] != weight.shape()[0]) {
    detail::throw_channels(op, "x needs as many channels as weight has in its first dimension", x.shape(),
                           weight.shape(), options.groups);
  }
  const Size2d size = detail::transposed_size(x.shape(), weight.shape(), options);
  return detail::apply(detail::ConvTranspose2d({.stride = options.stride,
                                                .padding = options.padding,
                                                .dilation = options.dilation,
                                                .groups = options.groups},
                                               size),
                       x, weight);
}

Tensor conv2d_weight_grad(const Tensor& x, const Tensor& g, const Size2d& kernel,
                          const Conv2dOptions& options) {
  constexpr auto op = detail::OpId::conv2d_weight_grad;
  detail::check_operands(op, x, g, "g");
  detail::check_groups(op, options.groups);
  detail::check_image(op, g.shape(), "g");
  const Size2d size = detail::output_size(op, x.shape(), detail::window_of(kernel, options));
  const Shape expected{x.shape()[0], g.shape()[1], size.height, size.width};
  if (g.shape() != expected) {
    throw ShapeError(fmt::format("{}: g is not of the shape of conv2d's output: g is {}, the output {}",
                                 detail::to_string(op), to_string(g.shape()), to_string(expected)));
  }
  if (x.shape()[1] % options.groups != 0 || g.shape()[1] % options.groups != 0) {
    throw ShapeError(fmt::format("{}: groups must divide the channels of both: x is {}, g is {}, groups {}",
                                 detail::to_string(op), to_string(x.shape()), to_string(g.shape()),
                                 options.groups));
  }
  return detail::apply(detail::Conv2dWeightGrad(kernel, options), x, g);
}

}  // namespace xtgrad::inline v1
