#include "xtgrad/nn/conv.h"

#include <fmt/format.h>

#include <string_view>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/conv_layer.h"
#include "xtgrad/nn/options.h"

namespace xtgrad::inline v1::nn {
namespace {

/// What both layers ask of the options that they share.
void check_options(std::string_view module, const auto& options) {
  detail::check_channels(module, options.in_channels, options.out_channels, options.groups);
  detail::check_kernel(module, options.kernel);
  detail::check_size(module, "stride", options.stride, 1);
  detail::check_size(module, "padding", options.padding, 0);
  detail::check_size(module, "dilation", options.dilation, 1);
}

}  // namespace

Conv2d::Conv2d(const Conv2dOptions& options) : options_(options) {
  check_options("Conv2d", options);
  const Shape shape{options.out_channels, options.in_channels / options.groups, options.kernel.height,
                    options.kernel.width};
  weight = detail::starting_conv_weight(shape);
  if (options.bias) bias = detail::starting_conv_bias(options.out_channels, shape);
}

void Conv2d::members(Members& m) {
  m("weight", weight);
  m("bias", bias);
}

Tensor Conv2d::forward(const Tensor& x) {
  const Tensor w = weight;  // [out, in / groups, kh, kw]
  if (!detail::takes_channels(x, options_.in_channels, w))
    detail::throw_conv_input(label(), x, options_.in_channels, w);
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
  weight = detail::starting_conv_weight(shape);
  if (options.bias) bias = detail::starting_conv_bias(options.out_channels, shape);
}

void ConvTranspose2d::members(Members& m) {
  m("weight", weight);
  m("bias", bias);
}

Tensor ConvTranspose2d::forward(const Tensor& x) {
  const Tensor w = weight;  // [in, out / groups, kh, kw]
  if (!detail::takes_channels(x, options_.in_channels, w))
    detail::throw_conv_input(label(), x, options_.in_channels, w);
  const Tensor y = conv_transpose2d(x, w,
                                    {.stride = options_.stride,
                                     .padding = options_.padding,
                                     .output_padding = options_.output_padding,
                                     .dilation = options_.dilation,
                                     .groups = options_.groups});
  return bias.defined() ? y + reshape(bias, Shape{options_.out_channels, 1, 1}) : y;
}

}  // namespace xtgrad::v1::nn
