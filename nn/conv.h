#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/size2d.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/options.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct Conv2dOptions {
  std::int64_t in_channels = required;
  std::int64_t out_channels = required;
  Size2d kernel = 0;  ///< required
  Size2d stride = 1;
  Size2d padding = 0;  ///< zeros at both ends of a side
  Size2d dilation = 1;
  std::int64_t groups = 1;  ///< must divide both numbers of channels
  bool bias = true;
};

/// Cross-correlation of images [n, in, h, w] with learnt kernels: [n, out, h', w'], where
/// h' = floor((h + 2 padding - dilation (kernel - 1) - 1) / stride) + 1. Parameters: weight [out, in /
/// groups, kh, kw] and bias [out], both uniform in [-1/sqrt(f), 1/sqrt(f)) at first, f = in / groups * kh *
/// kw being the number of inputs of an output, in the default dtype.
///
///   nn::Conv2d conv{{.in_channels = 1, .out_channels = 16, .kernel = 3, .padding = 1}};
///   Tensor y = conv(randn({8, 1, 28, 28}));  // [8, 16, 28, 28]
///
/// Throws ValueError for an option that is missing or out of range, ShapeError or DtypeError for an input
/// that does not fit.
class Conv2d : public Module {
 public:
  explicit Conv2d(const Conv2dOptions& options);

  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;
  [[nodiscard]] const Conv2dOptions& options() const& { return options_; }
  [[nodiscard]] Conv2dOptions options() const&& { return options_; }

  Parameter weight;  // [out, in / groups, kh, kw]
  Parameter bias;    // [out]; not defined without bias

 private:
  Conv2dOptions options_;
};

struct ConvTranspose2dOptions {
  std::int64_t in_channels = required;
  std::int64_t out_channels = required;
  Size2d kernel = 0;  ///< required
  Size2d stride = 1;
  Size2d padding = 0;         ///< rows and columns left out at both ends of a side
  Size2d output_padding = 0;  ///< extra rows and columns at the end; less than the stride
  Size2d dilation = 1;
  std::int64_t groups = 1;  ///< must divide both numbers of channels
  bool bias = true;
};

/// The adjoint of a convolution with learnt kernels, which makes images larger: each element of [n, in, h, w]
/// adds its kernel to [n, out, h', w'], where
/// h' = (h - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1. Parameters: weight [in, out
/// / groups, kh, kw] and bias [out], both uniform in [-1/sqrt(f), 1/sqrt(f)) at first with f = out / groups *
/// kh * kw, in the default dtype. Names and layouts are PyTorch's.
///
///   nn::ConvTranspose2d up{{.in_channels = 16, .out_channels = 8, .kernel = 2, .stride = 2}};
///   Tensor y = up(randn({4, 16, 7, 7}));  // [4, 8, 14, 14]
///
/// Throws ValueError for an option that is missing or out of range, ShapeError or DtypeError for an input
/// that does not fit.
class ConvTranspose2d : public Module {
 public:
  explicit ConvTranspose2d(const ConvTranspose2dOptions& options);

  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;
  [[nodiscard]] const ConvTranspose2dOptions& options() const& { return options_; }
  [[nodiscard]] ConvTranspose2dOptions options() const&& { return options_; }

  Parameter weight;  // [in, out / groups, kh, kw]
  Parameter bias;    // [out]; not defined without bias

 private:
  ConvTranspose2dOptions options_;
};

}}}  // namespace xtgrad::v1::nn
