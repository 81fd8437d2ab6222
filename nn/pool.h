#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/module.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// Largest element of each window: [n, c, h, w] to [n, c, h', w']; options and sizes as max_pool2d's in
/// ops.h. Throws ValueError for a missing kernel or an option out of range, ShapeError for an input that does
/// not fit.
///
///   nn::MaxPool2d pool{{.kernel = 2}};
///   Tensor y = pool(randn({8, 16, 28, 28}));  // [8, 16, 14, 14]
class MaxPool2d : public Module {
 public:
  explicit MaxPool2d(const MaxPool2dOptions& options);
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] const MaxPool2dOptions& options() const& { return options_; }
  [[nodiscard]] MaxPool2dOptions options() const&& { return options_; }

 private:
  MaxPool2dOptions options_;
};

/// Mean of each window; otherwise as MaxPool2d, with avg_pool2d's options.
class AvgPool2d : public Module {
 public:
  explicit AvgPool2d(const AvgPool2dOptions& options);
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] const AvgPool2dOptions& options() const& { return options_; }
  [[nodiscard]] AvgPool2dOptions options() const&& { return options_; }

 private:
  AvgPool2dOptions options_;
};

struct AdaptiveAvgPool2dOptions {
  Size2d output = 0;  ///< required
};

/// Mean of each of output.height x output.width windows that share an image evenly, whatever its size: [n, c,
/// h, w] to [n, c, output.height, output.width]. Window i of O over a side of h elements has those from
/// floor(i h / O) up to, not including, ceil((i + 1) h / O), so neighbours overlap where O does not divide h.
/// {.output = 1} is the mean of each channel. Throws ValueError for an output below 1, ShapeError for an
/// input that has no such dimensions, or an image without rows or columns.
[[nodiscard]] Tensor adaptive_avg_pool2d(const Tensor& x, const AdaptiveAvgPool2dOptions& options);

/// adaptive_avg_pool2d as a module.
///
///   nn::AdaptiveAvgPool2d pool{{.output = {2, 3}}};
///   Tensor y = pool(randn({8, 16, 7, 5}));  // [8, 16, 2, 3]
class AdaptiveAvgPool2d : public Module {
 public:
  explicit AdaptiveAvgPool2d(const AdaptiveAvgPool2dOptions& options);
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] const AdaptiveAvgPool2dOptions& options() const& { return options_; }
  [[nodiscard]] AdaptiveAvgPool2dOptions options() const&& { return options_; }

 private:
  AdaptiveAvgPool2dOptions options_;
};

}}}  // namespace xtgrad::v1::nn
