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
  [[nodiscard]] const MaxPool2dOptions& options() const { return options_; }

 private:
  MaxPool2dOptions options_;
};

/// Mean of each window; otherwise as MaxPool2d, with avg_pool2d's options.
class AvgPool2d : public Module {
 public:
  explicit AvgPool2d(const AvgPool2dOptions& options);
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] const AvgPool2dOptions& options() const { return options_; }

 private:
  AvgPool2dOptions options_;
};

}}}  // namespace xtgrad::v1::nn
