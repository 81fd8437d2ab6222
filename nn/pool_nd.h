#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/functions/pooling.h"
#include "xtgrad/nn/module.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

// Pooling of signals [n, c, l] and volumes [n, c, d, h, w], and power averages. Options are those of the
// functions of the same names in autograd/functions/pooling.h, where sizes and conventions are said, too. All
// throw ValueError for a missing kernel or an option out of range, ShapeError for an input that does not fit.

/// Largest element of each window of a signal: [n, c, l] to [n, c, l'].
///
///   nn::MaxPool1d pool{{.kernel = 2}};
///   Tensor y = pool(randn({8, 16, 100}));  // [8, 16, 50]
class MaxPool1d : public Module {
 public:
  explicit MaxPool1d(const MaxPool1dOptions& options);
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] const MaxPool1dOptions& options() const& { return options_; }
  [[nodiscard]] MaxPool1dOptions options() const&& { return options_; }

 private:
  MaxPool1dOptions options_;
};

/// Largest element of each window of a volume: [n, c, d, h, w] to [n, c, d', h', w'].
///
///   nn::MaxPool3d pool{{.kernel = {1, 2, 2}}};
///   Tensor y = pool(randn({2, 4, 5, 8, 8}));  // [2, 4, 5, 4, 4]
class MaxPool3d : public Module {
 public:
  explicit MaxPool3d(const MaxPool3dOptions& options);
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] const MaxPool3dOptions& options() const& { return options_; }
  [[nodiscard]] MaxPool3dOptions options() const&& { return options_; }

 private:
  MaxPool3dOptions options_;
};

/// Mean of each window of a signal; otherwise as MaxPool1d.
class AvgPool1d : public Module {
 public:
  explicit AvgPool1d(const AvgPool1dOptions& options);
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] const AvgPool1dOptions& options() const& { return options_; }
  [[nodiscard]] AvgPool1dOptions options() const&& { return options_; }

 private:
  AvgPool1dOptions options_;
};

/// Mean of each window of a volume; otherwise as MaxPool3d.
class AvgPool3d : public Module {
 public:
  explicit AvgPool3d(const AvgPool3dOptions& options);
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] const AvgPool3dOptions& options() const& { return options_; }
  [[nodiscard]] AvgPool3dOptions options() const&& { return options_; }

 private:
  AvgPool3dOptions options_;
};

/// s^(1 / p), s the sum of x^p over each window of a signal.
///
///   nn::LPPool1d pool{{.p = 2, .kernel = 4}};
///   Tensor y = pool(randn({8, 16, 100}));  // [8, 16, 25]
class LPPool1d : public Module {
 public:
  explicit LPPool1d(const LPPool1dOptions& options);
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] const LPPool1dOptions& options() const& { return options_; }
  [[nodiscard]] LPPool1dOptions options() const&& { return options_; }

 private:
  LPPool1dOptions options_;
};

/// The same of an image: [n, c, h, w] to [n, c, h', w'].
class LPPool2d : public Module {
 public:
  explicit LPPool2d(const LPPool2dOptions& options);
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] const LPPool2dOptions& options() const& { return options_; }
  [[nodiscard]] LPPool2dOptions options() const&& { return options_; }

 private:
  LPPool2dOptions options_;
};

}}}  // namespace xtgrad::v1::nn
