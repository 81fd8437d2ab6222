#include "xtgrad/nn/pool.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops/pool.h"
#include "xtgrad/nn/options.h"

namespace xtgrad::inline v1::nn {
namespace {

void check_window(std::string_view module, const Size2d& kernel, const std::optional<Size2d>& stride,
                  const Size2d& padding) {
  detail::check_kernel(module, kernel);
  if (stride) detail::check_size(module, "stride", *stride, 1);
  detail::check_size(module, "padding", padding, 0);
}

[[noreturn]] void throw_rank(const std::string& label, const Tensor& x) {
  throw ShapeError(fmt::format("{}: input must be [n, c, h, w]: got {}", label, to_string(x.shape())));
}

/// `who` is asked for the name in a message, which a module has to look up.
Tensor adaptive(const auto& who, const Tensor& x, const Size2d& output) {
  if (x.rank() != 4) throw_rank(who(), x);
  if (!is_floating(x.dtype())) {
    throw DtypeError(fmt::format("{}: needs float32 or float64, got {}; convert with to(float32)", who(),
                                 to_string(x.dtype())));
  }
  const Size2d image(x.size(2), x.size(3));
  if (image.height == 0 || image.width == 0) {
    throw ShapeError(fmt::format("{}: the image has no elements: input is {}, output {}", who(),
                                 to_string(x.shape()), to_string(output)));
  }
  return xtgrad::adaptive_avg_pool2d(x, output);
}

void check_output(std::string_view name, const Size2d& output) {
  if (output == Size2d(0)) throw ValueError(fmt::format("{}: output is required, and was not given", name));
  detail::check_size(name, "output", output, 1);
}

}  // namespace

MaxPool2d::MaxPool2d(const MaxPool2dOptions& options) : options_(options) {
  check_window("MaxPool2d", options.kernel, options.stride, options.padding);
  detail::check_size("MaxPool2d", "dilation", options.dilation, 1);
  xtgrad::detail::check_pool_options("MaxPool2d", options);
}

Tensor MaxPool2d::forward(const Tensor& x) {
  if (x.rank() != 4) throw_rank(label(), x);
  return max_pool2d(x, options_);
}

AvgPool2d::AvgPool2d(const AvgPool2dOptions& options) : options_(options) {
  check_window("AvgPool2d", options.kernel, options.stride, options.padding);
  xtgrad::detail::check_pool_options("AvgPool2d", options);
}

Tensor AvgPool2d::forward(const Tensor& x) {
  if (x.rank() != 4) throw_rank(label(), x);
  return avg_pool2d(x, options_);
}

Tensor adaptive_avg_pool2d(const Tensor& x, const AdaptiveAvgPool2dOptions& options) {
  check_output("adaptive_avg_pool2d", options.output);
  return adaptive([] { return std::string("adaptive_avg_pool2d"); }, x, options.output);
}

AdaptiveAvgPool2d::AdaptiveAvgPool2d(const AdaptiveAvgPool2dOptions& options) : options_(options) {
  check_output("AdaptiveAvgPool2d", options.output);
}

Tensor AdaptiveAvgPool2d::forward(const Tensor& x) {
  return adaptive([this] { return label(); }, x, options_.output);
}

}  // namespace xtgrad::v1::nn
