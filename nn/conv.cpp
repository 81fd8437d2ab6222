#include "xtgrad/nn/conv.h"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <string_view>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/init.h"
#include "xtgrad/nn/options.h"

namespace xtgrad::inline v1::nn {
namespace {

void check_groups(std::string_view module, std::string_view option, std::int64_t channels,
                  std::int64_t groups) {
  if (channels % groups == 0) return;
  throw ValueError(fmt::format("{}: groups must divide {}: got {} groups for {} channels", module, option,
                               groups, channels));
}

/// What both layers ask of the options that they share.
void check_options(std::string_view module, const auto& options) {
  detail::check_option(module, "in_channels", options.in_channels, 1);
  detail::check_option(module, "out_channels", options.out_channels, 1);
  detail::check_kernel(module, options.kernel);
  detail::check_size(module, "stride", options.stride, 1);
  detail::check_size(module, "padding", options.padding, 0);
  detail::check_size(module, "dilation", options.dilation, 1);
  detail::check_option(module, "groups", options.groups, 1);
  check_groups(module, "in_channels", options.in_channels, options.groups);
  check_groups(module, "out_channels", options.out_channels, options.groups);
}

/// U(-1/sqrt(f), 1/sqrt(f)), which is kaiming_uniform with the gain of leaky_relu at slope sqrt(5).
Parameter starting_weight(const Shape& shape) {
  return Parameter(init::kaiming_uniform(shape, {.gain = 1 / std::sqrt(3.0)}));
}
Parameter starting_bias(std::int64_t out, const Shape& weight) {
  const double bound = 1 / std::sqrt(static_cast<double>(init::fans(weight).in));
  return Parameter(uniform({out}, {.low = -bound, .high = bound}));
}

/// True if a layer whose weight has that dtype takes x.
bool takes(const Tensor& x, std::int64_t channels, Dtype dtype) {
  return x.rank() == 4 && x.size(1) == channels && x.dtype() == dtype;
}

[[noreturn]] void throw_input(const std::string& label, const Tensor& x, std::int64_t channels, Dtype dtype) {
  if (x.rank() != 4 || x.size(1) != channels) {
    throw ShapeError(
        fmt::format("{}: input must be [n, {}, h, w]: got {}", label, channels, to_string(x.shape())));
  }
  throw DtypeError(fmt::format("{}: input is {}, weight is {}; convert the input or the model with to()",
                               label, to_string(x.dtype()), to_string(dtype)));
}

}  // namespace

Conv2d::Conv2d(const Conv2dOptions& options) : options_(options) {
  check_options("Conv2d", options);
  const Shape shape{options.out_channels, options.in_channels / options.groups, options.kernel.height,
                    options.kernel.width};
  weight = starting_weight(shape);
  if (options.bias) bias = starting_bias(options.out_channels, shape);
}

void Conv2d::members(Members& m) {
  m("weight", weight);
  m("bias", bias);
}

Tensor Conv2d::forward(const Tensor& x) {
  const Tensor w = weight;  // [out, in / groups, kh, kw]
  if (!takes(x, options_.in_channels, w.dtype())) throw_input(label(), x, options_.in_channels, w.dtype());
  const xtgrad::Conv2dOptions how{.stride = options_.stride,
                                  .padding = options_.padding,
                                  .dilation = options_.dilation,
                                  .groups = options_.groups};
  return bias.defined() ? conv2d(x, w, bias, how) : conv2d(x, w, how);
}

ConvTranspose2d::ConvTranspose2d(const ConvTranspose2dOptions& options) : options_(options) {
  check_options("ConvTranspose2d", options);
  const Size2d &extra = options.output_padding, &stride = options.stride;
  detail::check_size("ConvTranspose2d", "output_padding", extra, 0);
  if (extra.height >= stride.height || extra.width >= stride.width) {
    throw ValueError(
        fmt::format("ConvTranspose2d: output_padding must be less than stride: got {}, stride {}",
                    to_string(extra), to_string(stride)));
  }
  const Shape shape{options.in_channels, options.out_channels / options.groups, options.kernel.height,
                    options.kernel.width};
  weight = starting_weight(shape);
  if (options.bias) bias = starting_bias(options.out_channels, shape);
}

void ConvTranspose2d::members(Members& m) {
  m("weight", weight);
  m("bias", bias);
}

Tensor ConvTranspose2d::forward(const Tensor& x) {
  const Tensor w = weight;  // [in, out / groups, kh, kw]
  if (!takes(x, options_.in_channels, w.dtype())) throw_input(label(), x, options_.in_channels, w.dtype());
  const Tensor y = conv_transpose2d(x, w,
                                    {.stride = options_.stride,
                                     .padding = options_.padding,
                                     .output_padding = options_.output_padding,
                                     .dilation = options_.dilation,
                                     .groups = options_.groups});
  return bias.defined() ? y + reshape(bias, Shape{options_.out_channels, 1, 1}) : y;
}

}  // namespace xtgrad::v1::nn
