#include "xtgrad/nn/pool.h"

#include <fmt/format.h>

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

}  // namespace xtgrad::v1::nn
