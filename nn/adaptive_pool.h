#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/size2d.h"
#include "xtgrad/autograd/size3d.h"
#include "xtgrad/nn/module.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

// Pooling by windows that share an input of any size evenly; AdaptiveAvgPool2d is in pool.h. Window i of O
// over a side of h elements has those from floor(i h / O) up to, not including, ceil((i + 1) h / O), so
// neighbours overlap where O does not divide h. All throw ValueError for an output that is missing or below
// 1, ShapeError for an input that has no such dimensions, or a side without elements.

struct AdaptiveAvgPool1dOptions {
  std::int64_t output = 0;  ///< required
};

/// Mean of each of `output` windows: [n, c, l] to [n, c, output].
///
///   nn::AdaptiveAvgPool1d pool{{.output = 4}};
///   Tensor y = pool(randn({8, 16, 50}));  // [8, 16, 4]
class AdaptiveAvgPool1d : public Module {
 public:
  explicit AdaptiveAvgPool1d(const AdaptiveAvgPool1dOptions& options);
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] const AdaptiveAvgPool1dOptions& options() const& { return options_; }
  [[nodiscard]] AdaptiveAvgPool1dOptions options() const&& { return options_; }

 private:
  AdaptiveAvgPool1dOptions options_;
};

struct AdaptiveAvgPool3dOptions {
  Size3d output = 0;  ///< required
};

/// The same of volumes, [n, c, d, h, w] to [n, c, output.depth, output.height, output.width].
class AdaptiveAvgPool3d : public Module {
 public:
  explicit AdaptiveAvgPool3d(const AdaptiveAvgPool3dOptions& options);
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] const AdaptiveAvgPool3dOptions& options() const& { return options_; }
  [[nodiscard]] AdaptiveAvgPool3dOptions options() const&& { return options_; }

 private:
  AdaptiveAvgPool3dOptions options_;
};

struct AdaptiveMaxPool1dOptions {
  std::int64_t output = 0;  ///< required
};

/// Largest element of each of `output` windows: [n, c, l] to [n, c, output].
class AdaptiveMaxPool1d : public Module {
 public:
  explicit AdaptiveMaxPool1d(const AdaptiveMaxPool1dOptions& options);
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] const AdaptiveMaxPool1dOptions& options() const& { return options_; }
  [[nodiscard]] AdaptiveMaxPool1dOptions options() const&& { return options_; }

 private:
  AdaptiveMaxPool1dOptions options_;
};

struct AdaptiveMaxPool2dOptions {
  Size2d output = 0;  ///< required
};

/// The same of images: [n, c, h, w] to [n, c, output.height, output.width].
///
///   nn::AdaptiveMaxPool2d pool{{.output = {2, 3}}};
///   Tensor y = pool(randn({8, 16, 7, 5}));  // [8, 16, 2, 3]
class AdaptiveMaxPool2d : public Module {
 public:
  explicit AdaptiveMaxPool2d(const AdaptiveMaxPool2dOptions& options);
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] const AdaptiveMaxPool2dOptions& options() const& { return options_; }
  [[nodiscard]] AdaptiveMaxPool2dOptions options() const&& { return options_; }

 private:
  AdaptiveMaxPool2dOptions options_;
};

struct AdaptiveMaxPool3dOptions {
  Size3d output = 0;  ///< required
};

/// The same of volumes.
class AdaptiveMaxPool3d : public Module {
 public:
  explicit AdaptiveMaxPool3d(const AdaptiveMaxPool3dOptions& options);
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] const AdaptiveMaxPool3dOptions& options() const& { return options_; }
  [[nodiscard]] AdaptiveMaxPool3dOptions options() const&& { return options_; }

 private:
  AdaptiveMaxPool3dOptions options_;
};

}}}  // namespace xtgrad::v1::nn
