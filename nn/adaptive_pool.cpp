#include "xtgrad/nn/adaptive_pool.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/pooling.h"
#include "xtgrad/nn/conv_layer.h"

namespace xtgrad::inline v1::nn {
namespace {

/// `who` is asked for the name in a message, which a module has to look up.
void check_input(const auto& who, const Tensor& x, const xtgrad::detail::PerDirection& output) {
  if (x.rank() != output.count() + 2) {
    throw ShapeError(fmt::format("{}: input must be {}: got {}", who(), detail::dimensions(output.count()),
                                 to_string(x.shape())));
  }
  for (std::size_t d = 2; d < x.rank(); ++d) {
    if (x.shape()[d] > 0) continue;
    throw ShapeError(fmt::format("{}: a side has no elements: input is {}, output {}", who(),
                                 to_string(x.shape()), to_string(output)));
  }
}

}  // namespace

AdaptiveAvgPool1d::AdaptiveAvgPool1d(const AdaptiveAvgPool1dOptions& options) : options_(options) {
  detail::check_required("AdaptiveAvgPool1d", "output", options.output);
}
Tensor AdaptiveAvgPool1d::forward(const Tensor& x) {
  check_input([this] { return label(); }, x, options_.output);
  return adaptive_avg_pool1d(x, options_.output);
}

AdaptiveAvgPool3d::AdaptiveAvgPool3d(const AdaptiveAvgPool3dOptions& options) : options_(options) {
  detail::check_required("AdaptiveAvgPool3d", "output", options.output);
}
Tensor AdaptiveAvgPool3d::forward(const Tensor& x) {
  check_input([this] { return label(); }, x, options_.output);
  return adaptive_avg_pool3d(x, options_.output);
}

AdaptiveMaxPool1d::AdaptiveMaxPool1d(const AdaptiveMaxPool1dOptions& options) : options_(options) {
  detail::check_required("AdaptiveMaxPool1d", "output", options.output);
}
Tensor AdaptiveMaxPool1d::forward(const Tensor& x) {
  check_input([this] { return label(); }, x, options_.output);
  return adaptive_max_pool1d(x, options_.output);
}

AdaptiveMaxPool2d::AdaptiveMaxPool2d(const AdaptiveMaxPool2dOptions& options) : options_(options) {
  detail::check_required("AdaptiveMaxPool2d", "output", options.output);
}
Tensor AdaptiveMaxPool2d::forward(const Tensor& x) {
  check_input([this] { return label(); }, x, options_.output);
  return adaptive_max_pool2d(x, options_.output);
}

AdaptiveMaxPool3d::AdaptiveMaxPool3d(const AdaptiveMaxPool3dOptions& options) : options_(options) {
  detail::check_required("AdaptiveMaxPool3d", "output", options.output);
}
Tensor AdaptiveMaxPool3d::forward(const Tensor& x) {
  check_input([this] { return label(); }, x, options_.output);
  return adaptive_max_pool3d(x, options_.output);
}

}  // namespace xtgrad::v1::nn
