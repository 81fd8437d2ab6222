#include "xtgrad/nn/pool_nd.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/conv_layer.h"

namespace xtgrad::inline v1::nn {
namespace {

void check_stride(std::string_view module, const auto& options) {
  detail::check_required(module, "kernel", options.kernel);
  if (options.stride) detail::check_numbers(module, "stride", *options.stride, 1);
}

/// At most half the window's size, dilation included.
void check_padding(std::string_view module, const xtgrad::detail::WindowNd& window) {
  detail::check_numbers(module, "padding", window.padding, 0);
  for (std::size_t d = 0; d < window.kernel.count(); ++d) {
    if (window.padding[d] <= window.side(d).extent() / 2) continue;
    throw ValueError(
        fmt::format("{}: padding must be at most half the window: padding {}, kernel {}, dilation {}", module,
                    to_string(window.padding), to_string(window.kernel), to_string(window.dilation)));
  }
}

void check_largest(std::string_view module, const auto& options) {
  check_stride(module, options);
  detail::check_numbers(module, "dilation", options.dilation, 1);
  check_padding(module, {options.kernel, options.kernel, options.padding, options.dilation});
}

template <class Options>
void check_mean(std::string_view module, const Options& options) {
  check_stride(module, options);
  const decltype(options.kernel) one = 1;
  check_padding(module, {options.kernel, options.kernel, options.padding, one});
  if constexpr (requires { options.divisor_override; }) {
    if (!options.divisor_override || *options.divisor_override >= 1) return;
    throw ValueError(
        fmt::format("{}: divisor_override must be at least 1, got {}", module, *options.divisor_override));
  }
}

void check_power(std::string_view module, const auto& options) {
  check_stride(module, options);
  if (options.p > 0 && std::isfinite(options.p)) return;
  throw ValueError(fmt::format("{}: p must be above 0 and finite, got {}", module, options.p));
}

/// `who` is asked for the name in a message, which a module has to look up.
void check_rank(const auto& who, const Tensor& x, std::size_t directions) {
  if (x.rank() == directions + 2) return;
  throw ShapeError(fmt::format("{}: input must be {}: got {}", who(), detail::dimensions(directions),
                               to_string(x.shape())));
}

}  // namespace

MaxPool1d::MaxPool1d(const MaxPool1dOptions& options) : options_(options) {
  check_largest("MaxPool1d", options);
}
Tensor MaxPool1d::forward(const Tensor& x) {
  check_rank([this] { return label(); }, x, 1);
  return max_pool1d(x, options_);
}

MaxPool3d::MaxPool3d(const MaxPool3dOptions& options) : options_(options) {
  check_largest("MaxPool3d", options);
}
Tensor MaxPool3d::forward(const Tensor& x) {
  check_rank([this] { return label(); }, x, 3);
  return max_pool3d(x, options_);
}

AvgPool1d::AvgPool1d(const AvgPool1dOptions& options) : options_(options) {
  check_mean("AvgPool1d", options);
}
Tensor AvgPool1d::forward(const Tensor& x) {
  check_rank([this] { return label(); }, x, 1);
  return avg_pool1d(x, options_);
}

AvgPool3d::AvgPool3d(const AvgPool3dOptions& options) : options_(options) {
  check_mean("AvgPool3d", options);
}
Tensor AvgPool3d::forward(const Tensor& x) {
  check_rank([this] { return label(); }, x, 3);
  return avg_pool3d(x, options_);
}

LPPool1d::LPPool1d(const LPPool1dOptions& options) : options_(options) { check_power("LPPool1d", options); }
Tensor LPPool1d::forward(const Tensor& x) {
  check_rank([this] { return label(); }, x, 1);
  return lp_pool1d(x, options_);
}

LPPool2d::LPPool2d(const LPPool2dOptions& options) : options_(options) { check_power("LPPool2d", options); }
Tensor LPPool2d::forward(const Tensor& x) {
  check_rank([this] { return label(); }, x, 2);
  return lp_pool2d(x, options_);
}

}  // namespace xtgrad::v1::nn
