#include "xtgrad/nn/conv_nd.h"

#include <fmt/format.h>

#include <string_view>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/conv_layer.h"

namespace xtgrad::inline v1::nn {
namespace {

using xtgrad::detail::PerDirection;

void check_options(std::string_view module, const auto& options) {
  detail::check_channels(module, options.in_channels, options.out_channels, options.groups);
  detail::check_required(module, "kernel", options.kernel);
  detail::check_numbers(module, "stride", options.stride, 1);
  detail::check_numbers(module, "padding", options.padding, 0);
  detail::check_numbers(module, "dilation", options.dilation, 1);
}

void check_extra(std::string_view module, const PerDirection& extra, const PerDirection& stride) {
  detail::check_numbers(module, "output_padding", extra, 0);
  for (std::size_t d = 0; d < extra.count(); ++d) {
    if (extra[d] < stride[d]) continue;
    throw ValueError(fmt::format("{}: output_padding must be less than stride: got {}, stride {}", module,
                                 to_string(extra), to_string(stride)));
  }
}

/// [outer, inner / groups, kernel...]
Shape weight_shape(std::int64_t outer, std::int64_t inner, const PerDirection& kernel) {
  Shape shape{outer, inner};
  for (std::size_t d = 0; d < kernel.count(); ++d) shape.push_back(kernel[d]);
  return shape;
}

/// Parameters of a layer that has passed the checks, `outer` and `inner` its channels as the weight has them.
void start(auto& layer, std::int64_t outer, std::int64_t inner) {
  const auto options = layer.options();
  const Shape shape = weight_shape(outer, inner / options.groups, options.kernel);
  layer.weight = detail::starting_conv_weight(shape);
  if (options.bias) layer.bias = detail::starting_conv_bias(options.out_channels, shape);
}

/// `f(x, weight, how)`, or with the bias behind the weight.
template <class How>
Tensor run(const auto& who, const auto& layer, const Tensor& x, const How& how, const auto& f) {
  const Tensor w = layer.weight;
  const std::int64_t channels = layer.options().in_channels;
  if (!detail::takes_channels(x, channels, w)) detail::throw_conv_input(who(), x, channels, w);
  return layer.bias.defined() ? f(x, w, layer.bias.tensor(), how) : f(x, w, how);
}

}  // namespace

Conv1d::Conv1d(const Conv1dOptions& options) : options_(options) {
  check_options("Conv1d", options);
  start(*this, options.out_channels, options.in_channels);
}

void Conv1d::members(Members& m) {
  m("weight", weight);
  m("bias", bias);
}

Tensor Conv1d::forward(const Tensor& x) {
  const xtgrad::Conv1dOptions how{.stride = options_.stride,
                                  .padding = options_.padding,
                                  .dilation = options_.dilation,
                                  .groups = options_.groups};
  return run([this] { return label(); }, *this, x, how,
             [](const auto&... arguments) { return conv1d(arguments...); });
}

Conv3d::Conv3d(const Conv3dOptions& options) : options_(options) {
  check_options("Conv3d", options);
  start(*this, options.out_channels, options.in_channels);
}

void Conv3d::members(Members& m) {
  m("weight", weight);
  m("bias", bias);
}

Tensor Conv3d::forward(const Tensor& x) {
  const xtgrad::Conv3dOptions how{.stride = options_.stride,
                                  .padding = options_.padding,
                                  .dilation = options_.dilation,
                                  .groups = options_.groups};
  return run([this] { return label(); }, *this, x, how,
             [](const auto&... arguments) { return conv3d(arguments...); });
}

ConvTranspose1d::ConvTranspose1d(const ConvTranspose1dOptions& options) : options_(options) {
  check_options("ConvTranspose1d", options);
  check_extra("ConvTranspose1d", options.output_padding, options.stride);
  start(*this, options.in_channels, options.out_channels);
}

void ConvTranspose1d::members(Members& m) {
  m("weight", weight);
  m("bias", bias);
}

Tensor ConvTranspose1d::forward(const Tensor& x) {
  const xtgrad::ConvTranspose1dOptions how{.stride = options_.stride,
                                           .padding = options_.padding,
                                           .output_padding = options_.output_padding,
                                           .dilation = options_.dilation,
                                           .groups = options_.groups};
  return run([this] { return label(); }, *this, x, how,
             [](const auto&... arguments) { return conv_transpose1d(arguments...); });
}

ConvTranspose3d::ConvTranspose3d(const ConvTranspose3dOptions& options) : options_(options) {
  check_options("ConvTranspose3d", options);
  check_extra("ConvTranspose3d", options.output_padding, options.stride);
  start(*this, options.in_channels, options.out_channels);
}

void ConvTranspose3d::members(Members& m) {
  m("weight", weight);
  m("bias", bias);
}

Tensor ConvTranspose3d::forward(const Tensor& x) {
  const xtgrad::ConvTranspose3dOptions how{.stride = options_.stride,
                                           .padding = options_.padding,
                                           .output_padding = options_.output_padding,
                                           .dilation = options_.dilation,
                                           .groups = options_.groups};
  return run([this] { return label(); }, *this, x, how,
             [](const auto&... arguments) { return conv_transpose3d(arguments...); });
}

}  // namespace xtgrad::v1::nn
