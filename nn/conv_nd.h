#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/size3d.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/options.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

// Convolution of signals [n, channels, length] and of volumes [n, channels, depth, height, width]. Weights
// and biases are uniform in [-1/sqrt(f), 1/sqrt(f)) at first, f being the number of inputs of an output, in
// the default dtype; names and layouts are PyTorch's. All throw ValueError for an option that is missing or
// out of range, ShapeError or DtypeError for an input that does not fit.

struct Conv1dOptions {
  std::int64_t in_channels = required;
  std::int64_t out_channels = required;
  std::int64_t kernel = 0;  ///< required
  std::int64_t stride = 1;
  std::int64_t padding = 0;  ///< zeros at both ends
  std::int64_t dilation = 1;
  std::int64_t groups = 1;  ///< must divide both numbers of channels
  bool bias = true;
};

/// Cross-correlation of signals [n, in, l] with learnt kernels: [n, out, l'], where
/// l' = floor((l + 2 padding - dilation (kernel - 1) - 1) / stride) + 1. Parameters: weight [out, in /
/// groups, k] and bias [out].
///
///   nn::Conv1d conv{{.in_channels = 1, .out_channels = 16, .kernel = 3, .padding = 1}};
///   Tensor y = conv(randn({8, 1, 100}));  // [8, 16, 100]
class Conv1d : public Module {
 public:
  explicit Conv1d(const Conv1dOptions& options);

  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;
  [[nodiscard]] const Conv1dOptions& options() const& { return options_; }
  [[nodiscard]] Conv1dOptions options() const&& { return options_; }

  Parameter weight;  // [out, in / groups, k]
  Parameter bias;    // [out]; not defined without bias

 private:
  Conv1dOptions options_;
};

struct Conv3dOptions {
  std::int64_t in_channels = required;
  std::int64_t out_channels = required;
  Size3d kernel = 0;  ///< required
  Size3d stride = 1;
  Size3d padding = 0;  ///< zeros at both ends
  Size3d dilation = 1;
  std::int64_t groups = 1;  ///< must divide both numbers of channels
  bool bias = true;
};

/// Cross-correlation of volumes [n, in, d, h, w] with learnt kernels: [n, out, d', h', w'], with sizes as
/// Conv1d's in each direction. Parameters: weight [out, in / groups, kd, kh, kw] and bias [out].
///
///   nn::Conv3d conv{{.in_channels = 1, .out_channels = 4, .kernel = {1, 3, 3}}};
///   Tensor y = conv(randn({2, 1, 4, 8, 8}));  // [2, 4, 4, 6, 6]
class Conv3d : public Module {
 public:
  explicit Conv3d(const Conv3dOptions& options);

  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;
  [[nodiscard]] const Conv3dOptions& options() const& { return options_; }
  [[nodiscard]] Conv3dOptions options() const&& { return options_; }

  Parameter weight;  // [out, in / groups, kd, kh, kw]
  Parameter bias;    // [out]; not defined without bias

 private:
  Conv3dOptions options_;
};

struct ConvTranspose1dOptions {
  std::int64_t in_channels = required;
  std::int64_t out_channels = required;
  std::int64_t kernel = 0;  ///< required
  std::int64_t stride = 1;
  std::int64_t padding = 0;         ///< left out at both ends
  std::int64_t output_padding = 0;  ///< extra at the end; less than the stride
  std::int64_t dilation = 1;
  std::int64_t groups = 1;  ///< must divide both numbers of channels
  bool bias = true;
};

/// The adjoint of a convolution with learnt kernels, which makes signals longer: each element of [n, in, l]
/// adds its kernel to [n, out, l'], where
/// l' = (l - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1. Parameters: weight [in, out
/// / groups, k] and bias [out].
///
///   nn::ConvTranspose1d up{{.in_channels = 16, .out_channels = 8, .kernel = 2, .stride = 2}};
///   Tensor y = up(randn({4, 16, 50}));  // [4, 8, 100]
class ConvTranspose1d : public Module {
 public:
  explicit ConvTranspose1d(const ConvTranspose1dOptions& options);

  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;
  [[nodiscard]] const ConvTranspose1dOptions& options() const& { return options_; }
  [[nodiscard]] ConvTranspose1dOptions options() const&& { return options_; }

  Parameter weight;  // [in, out / groups, k]
  Parameter bias;    // [out]; not defined without bias

 private:
  ConvTranspose1dOptions options_;
};

struct ConvTranspose3dOptions {
  std::int64_t in_channels = required;
  std::int64_t out_channels = required;
  Size3d kernel = 0;  ///< required
  Size3d stride = 1;
  Size3d padding = 0;         ///< left out at both ends
  Size3d output_padding = 0;  ///< extra at the end; less than the stride
  Size3d dilation = 1;
  std::int64_t groups = 1;  ///< must divide both numbers of channels
  bool bias = true;
};

/// The same for volumes, [n, in, d, h, w] to [n, out, d', h', w'], with sizes as ConvTranspose1d's in each
/// direction. Parameters: weight [in, out / groups, kd, kh, kw] and bias [out].
///
///   nn::ConvTranspose3d up{{.in_channels = 4, .out_channels = 2, .kernel = 2, .stride = 2}};
///   Tensor y = up(randn({1, 4, 2, 7, 7}));  // [1, 2, 4, 14, 14]
class ConvTranspose3d : public Module {
 public:
  explicit ConvTranspose3d(const ConvTranspose3dOptions& options);

  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;
  [[nodiscard]] const ConvTranspose3dOptions& options() const& { return options_; }
  [[nodiscard]] ConvTranspose3dOptions options() const&& { return options_; }

  Parameter weight;  // [in, out / groups, kd, kh, kw]
  Parameter bias;    // [out]; not defined without bias

 private:
  ConvTranspose3dOptions options_;
};

}}}  // namespace xtgrad::v1::nn
