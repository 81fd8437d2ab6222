#include "xtgrad/nn/conv.h"

#include <fmt/format.h>

#include <cmath>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/init.h"
#include "xtgrad/nn/options.h"

namespace xtgrad::inline v1::nn {
namespace {

void check_groups(std::string_view option, std::int64_t channels, std::int64_t groups) {
  if (channels % groups == 0) return;
  throw ValueError(
      fmt::format("Conv2d: groups must divide {}: got {} groups for {} channels", option, groups, channels));
}

}  // namespace

Conv2d::Conv2d(const Conv2dOptions& options) : options_(options) {
  const auto& [in, out, kernel, stride, padding, dilation, groups, with_bias] = options;
  detail::check_option("Conv2d", "in_channels", in, 1);
  detail::check_option("Conv2d", "out_channels", out, 1);
  detail::check_kernel("Conv2d", kernel);
  detail::check_size("Conv2d", "stride", stride, 1);
  detail::check_size("Conv2d", "padding", padding, 0);
  detail::check_size("Conv2d", "dilation", dilation, 1);
  detail::check_option("Conv2d", "groups", groups, 1);
  check_groups("in_channels", in, groups);
  check_groups("out_channels", out, groups);
  const Shape shape{out, in / groups, kernel.height, kernel.width};
  // U(-1/sqrt(f), 1/sqrt(f)) is kaiming_uniform with the gain of leaky_relu at slope sqrt(5).
  weight = Parameter(init::kaiming_uniform(shape, {.gain = 1 / std::sqrt(3.0)}));
  if (!with_bias) return;
  const double bound = 1 / std::sqrt(static_cast<double>(init::fans(shape).in));
  bias = Parameter(uniform({out}, {.low = -bound, .high = bound}));
}

void Conv2d::members(Members& m) {
  m("weight", weight);
  m("bias", bias);
}

Tensor Conv2d::forward(const Tensor& x) {
  const Tensor w = weight;  // [out, in / groups, kh, kw]
  if (x.rank() != 4 || x.size(1) != options_.in_channels) {
    throw ShapeError(fmt::format("{}: input must be [n, {}, h, w]: got {}", label(), options_.in_channels,
                                 to_string(x.shape())));
  }
  if (x.dtype() != w.dtype()) {
    throw DtypeError(fmt::format("{}: input is {}, weight is {}; convert the input or the model with to()",
                                 label(), to_string(x.dtype()), to_string(w.dtype())));
  }
  const xtgrad::Conv2dOptions how{.stride = options_.stride,
                                  .padding = options_.padding,
                                  .dilation = options_.dilation,
                                  .groups = options_.groups};
  return bias.defined() ? conv2d(x, w, bias, how) : conv2d(x, w, how);
}

}  // namespace xtgrad::v1::nn
