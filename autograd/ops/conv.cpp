#include <fmt/format.h>

#include <limits>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/conv2d.h"
#include "xtgrad/autograd/kernels/conv2d_input_grad.h"
#include "xtgrad/autograd/kernels/conv2d_weight_grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
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

void describe_options(Attributes& a, Conv2dOptions& options) {
  a("stride", options.stride);
  a("padding", options.padding);
  a("dilation", options.dilation, 1);
  a("groups", options.groups, 1);
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

/// Operations of all three: each element of y meets the weights of its output channel.
std::int64_t flops_of(const Shape& y, const Shape& weight) {
  return 2 * y.numel() * weight[1] * weight[2] * weight[3];
}

Reads reads_the_other(Wanted wanted) {
  return (is_wanted(wanted, 0) ? input_bit(1) : reads_nothing) |
         (is_wanted(wanted, 1) ? input_bit(0) : reads_nothing);
}

/// Whether a weight or a bias is not the same for all examples.
bool has_own_weights(const BatchContext& context) {
  for (std::size_t i = 1; i < context.inputs(); ++i)
    if (context.input(i).is_batched) return true;
  return false;
}

/// Of examples that share weights: their images are one batch of images.
bool batch_images(const Primitive& primitive, BatchContext& context) {
  std::vector<Tensor> operands{merged_into(context.input(0).tensor, 0)};
  for (std::size_t i = 1; i < context.inputs(); ++i) operands.push_back(context.input(i).tensor);
  std::vector<const Tensor*> pointers;
  for (const Tensor& operand : operands) pointers.push_back(&operand);
  context.set(0, parted_from(apply_any(primitive, pointers), 0, context.size()));
  return true;
}

/// The options of as many convolutions beside each other, groups of one.
template <class Options>
Options for_each(Options options, const BatchContext& context) {
  options.groups *= context.size();
  return options;
}

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

void check_operands(OpId op, const Spec& a, const Spec& b, std::string_view name_of_b) {
  check_same_dtype(op, a, b, {"x", name_of_b});
  check_floating(op, a);
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
  // A side of 0 is an image of padding alone, which conv2d takes.
  if (x[2] < 1 || x[3] < 1 || size.height < 0 || size.width < 0) {
    const char* what =
        x[2] < 1 || x[3] < 1 ? "x has no rows or no columns" : "a side of the result is negative";
    throw ShapeError(fmt::format("{}: {}: x is {}, weight is {}, stride {}, padding {}", to_string(op), what,
                                 to_string(x), to_string(weight), to_string(options.stride),
                                 to_string(options.padding)));
  }
  return size;
}

class Conv2d final : public PrimitiveOf<Conv2d, OpId::conv2d> {
 public:
  explicit Conv2d(const Conv2dOptions& options = {}) : options_(options) {}

  void describe(Attributes& a) override { describe_options(a, options_); }
  [[nodiscard]] Reads reads(Wanted wanted) const override { return reads_the_other(wanted); }

  /// Inputs x, weight and, if there is one, the bias.
  void infer(InputSpecs in, OutputSpecs out) const override {
    const Spec &x = *in[0], &weight = *in[1];
    check_operands(op, x, weight, "weight");
    check_groups(op, options_.groups);
    check_weight(op, weight.shape, options_.groups);
    check_image(op, x.shape);
    // Not their product, which may leave int64.
    if (x.shape[1] % options_.groups != 0 || x.shape[1] / options_.groups != weight.shape[1]) {
      throw_channels(op, "x must have in / groups channels for each group", x.shape, weight.shape,
                     options_.groups);
    }
    const Size2d size = padded_output_size(op, x.shape, window_of(sides(weight.shape), options_));
    if (in.size() > 2) check_bias(weight, *in[2]);
    out[0]->dtype = x.dtype;
    out[0]->shape = {x.shape[0], weight.shape[0], size.height, size.width};
  }
  void eval(Inputs in, Outputs out) const override {
    detail::conv2d(sizes_of(in[0]->shape, in[1]->shape, out[0]->shape, options_), *in[0], *in[1],
                   in.size() > 2 ? in[2] : nullptr, *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs out) const override {
    const Shape& y = out[0]->shape;
    return flops_of(y, in[1]->shape) + (in.size() > 2 ? y.numel() : 0);
  }
  /// Weights of each example are groups of their own.
  [[nodiscard]] bool batch(BatchContext& context) const override {
    if (!has_own_weights(context)) return batch_images(*this, context);
    const Shape &x = context.input(0).tensor.shape(), &weight = context.input(1).tensor.shape();
    // A kernel of the image's size is a product of matrices, of another order of terms than groups have.
    if (x[x.rank() - 1] == weight.back() && x[x.rank() - 2] == weight[weight.rank() - 2]) return false;
    return batch_by_merging(Conv2d(for_each(options_, context)), context, {1, 0, 0}, {1});
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, in.size() == 3 ? 3 : 2);
  }

  void vjp(VjpContext& context) const override {
    const Tensor& g = context.g();  // [n, out, h', w']
    if (context.wanted(0)) context.set(0, input_grad(g, context.input(1), sides(context.shape(0)), options_));
    if (context.wanted(1))
      context.set(1, conv2d_weight_grad(context.input(0), g, sides(context.shape(1)), options_));
    if (context.inputs() > 2 && context.wanted(2)) context.set(2, sum(g, {.axes = {0, 2, 3}}));
  }

 private:
  static void check_bias(const Spec& weight, const Spec& bias) {
    check_same_dtype(op, weight, bias, {"weight", "bias"});
    if (bias.shape == Shape{weight.shape[0]}) return;
    throw ShapeError(fmt::format("conv2d: bias needs one element an output channel: weight is {}, bias is {}",
                                 to_string(weight.shape), to_string(bias.shape)));
  }

  Conv2dOptions options_;
};

class ConvTranspose2d final : public PrimitiveOf<ConvTranspose2d, OpId::conv_transpose2d> {
 public:
  explicit ConvTranspose2d(const ConvTranspose2dOptions& options = {}) : options_(options) {}

  void describe(Attributes& a) override {
    a("stride", options_.stride);
    a("padding", options_.padding);
    a("output_padding", options_.output_padding, 0);
    a("dilation", options_.dilation, 1);
    a("groups", options_.groups, 1);
  }
  [[nodiscard]] Reads reads(Wanted wanted) const override { return reads_the_other(wanted); }

  void infer(InputSpecs in, OutputSpecs out) const override {
    const Spec &g = *in[0], &weight = *in[1];
    check_operands(op, g, weight, "weight");
    check_groups(op, options_.groups);
    check_weight(op, weight.shape, options_.groups);
    check_image(op, g.shape);
    if (g.shape[1] != weight.shape[0]) {
      throw_channels(op, "x needs as many channels as weight has in its first dimension", g.shape,
                     weight.shape, options_.groups);
    }
    const Size2d size = transposed_size(g.shape, weight.shape, options_);
    out[0]->dtype = g.dtype;
    // A weight without elements is divided by any number of groups.
    const std::int64_t channels = checked_product(op, g.shape, weight.shape[1], options_.groups);
    out[0]->shape = {g.shape[0], channels, size.height, size.width};
  }
  void eval(Inputs in, Outputs out) const override {
    conv2d_input_grad(sizes_of(out[0]->shape, in[1]->shape, in[0]->shape, conv()), *in[0], *in[1], *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return flops_of(in[0]->shape, in[1]->shape);
  }
  /// As conv2d's.
  [[nodiscard]] bool batch(BatchContext& context) const override {
    if (!has_own_weights(context)) return batch_images(*this, context);
    const Shape& places = context.input(0).tensor.shape();
    if (places[places.rank() - 1] == 1 && places[places.rank() - 2] == 1) return false;
    return batch_by_merging(ConvTranspose2d(for_each(options_, context)), context, {1, 0}, {1});
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 2); }

  void vjp(VjpContext& context) const override {
    const Tensor& u = context.g();  // [n, in, h, w]
    if (context.wanted(0)) context.set(0, xtgrad::conv2d(u, context.input(1), conv()));
    if (context.wanted(1))
      context.set(1, conv2d_weight_grad(u, context.input(0), sides(context.shape(1)), conv()));
  }

 private:
  /// Of the convolution that this is the transpose of.
  [[nodiscard]] Conv2dOptions conv() const {
    return {.stride = options_.stride,
            .padding = options_.padding,
            .dilation = options_.dilation,
            .groups = options_.groups};
  }

  ConvTranspose2dOptions options_;
};

class Conv2dWeightGrad final : public PrimitiveOf<Conv2dWeightGrad, OpId::conv2d_weight_grad> {
 public:
  explicit Conv2dWeightGrad(const Size2d& kernel = 1, const Conv2dOptions& options = {})
      : kernel_(kernel), options_(options) {}

  void describe(Attributes& a) override {
    a("kernel", kernel_);
    describe_options(a, options_);
  }
  [[nodiscard]] Reads reads(Wanted wanted) const override { return reads_the_other(wanted); }

  void infer(InputSpecs in, OutputSpecs out) const override {
    const Shape &x = in[0]->shape, &g = in[1]->shape;
    check_operands(op, *in[0], *in[1], "g");
    check_groups(op, options_.groups);
    check_image(op, g, "g");
    const Size2d size = padded_output_size(op, x, window_of(kernel_, options_));
    const Shape expected{x[0], g[1], size.height, size.width};
    if (!(g == expected)) {
      throw ShapeError(fmt::format("{}: g is not of the shape of conv2d's output: g is {}, the output {}",
                                   to_string(op), to_string(g), to_string(expected)));
    }
    if (x[1] % options_.groups != 0 || g[1] % options_.groups != 0) {
      throw ShapeError(fmt::format("{}: groups must divide the channels of both: x is {}, g is {}, groups {}",
                                   to_string(op), to_string(x), to_string(g), options_.groups));
    }
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = {g[1], x[1] / options_.groups, kernel_.height, kernel_.width};
  }
  void eval(Inputs in, Outputs out) const override {
    detail::conv2d_weight_grad(sizes_of(in[0]->shape, out[0]->shape, in[1]->shape, options_), *in[0], *in[1],
                               *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs out) const override {
    return flops_of(in[1]->shape, out[0]->shape);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 2); }

  void vjp(VjpContext& context) const override {
    const Tensor& v = context.g();  // [out, in / groups, kh, kw]
    if (context.wanted(0)) context.set(0, input_grad(context.input(1), v, sides(context.shape(0)), options_));
    if (context.wanted(1)) context.set(1, xtgrad::conv2d(context.input(0), v, options_));
  }

 private:
  Size2d kernel_ = 1;
  Conv2dOptions options_;
};

}}  // namespace detail

Tensor conv2d(const Tensor& x, const Tensor& weight, const Conv2dOptions& options) {
  return detail::apply(detail::Conv2d(options), x, weight);
}

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
  return detail::apply(detail::Conv2d(options), x, weight, bias);
}

Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const ConvTranspose2dOptions& options) {
  return detail::apply(detail::ConvTranspose2d(options), x, weight);
}

Tensor conv2d_weight_grad(const Tensor& x, const Tensor& g, const Size2d& kernel,
                          const Conv2dOptions& options) {
  return detail::apply(detail::Conv2dWeightGrad(kernel, options), x, g);
}

}  // namespace xtgrad::v1
