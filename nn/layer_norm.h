#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/options.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

// Normalisation of each sample by its own mean and biased variance: (x - mean) / sqrt(variance + eps), then
// times a weight plus a bias. No statistics are kept, so training and evaluation are the same, and a batch of
// one is like any other. A single value, which is its own mean, gives the bias.

/// What the functions below take besides x.
struct NormOptions {
  Tensor weight = {};  ///< ones if empty
  Tensor bias = {};    ///< zeros if empty
  double eps = 1e-5;   ///< added to the variance
};

/// Normalises over the last dimensions, whose sizes are `normalized_shape`, and so are those of weight and
/// bias (Ba, Kiros, Hinton, "Layer normalization", 2016). Throws ShapeError or DtypeError where shapes or
/// dtypes do not fit, ValueError for an eps that is negative or not finite.
[[nodiscard]] Tensor layer_norm(const Tensor& x, const Shape& normalized_shape,
                                const NormOptions& options = {});

/// Normalises x [n, c, ...] over groups of c / groups neighbouring channels and all that follows; weight and
/// bias are [c] (Wu, He, "Group normalization", 2018). groups = c is instance normalisation. Throws
/// ValueError where the groups do not divide the channels, else as layer_norm.
[[nodiscard]] Tensor group_norm(const Tensor& x, std::int64_t groups, const NormOptions& options = {});

struct LayerNormOptions {
  Shape normalized_shape = {};  ///< required: the last dimensions of the input
  double eps = 1e-5;            ///< added to the variance
  bool affine = true;           ///< learn a scale and a shift of each element
  bool bias = true;             ///< if false, a scale alone
};

/// layer_norm with a learnt weight, ones at first, and bias, zeros, both of the normalised shape and in the
/// default dtype.
///
///   nn::LayerNorm norm{{.normalized_shape = {16}}};
///   Tensor y = norm(randn({8, 5, 16}));  // the same shape; mean 0 and variance 1 in each row
///
/// Throws ValueError for an option that is missing or out of range, ShapeError or DtypeError for an input
/// that does not fit.
class LayerNorm : public Module {
 public:
  explicit LayerNorm(const LayerNormOptions& options);
  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;
  [[nodiscard]] const LayerNormOptions& options() const& { return options_; }
  [[nodiscard]] LayerNormOptions options() const&& { return options_; }

  Parameter weight;  // normalized_shape; defined only if affine
  Parameter bias;    // normalized_shape; defined only if affine and with bias

 private:
  LayerNormOptions options_;
};

struct GroupNormOptions {
  std::int64_t num_groups = required;  ///< must divide the channels
  std::int64_t num_channels = required;
  double eps = 1e-5;   ///< added to the variance
  bool affine = true;  ///< learn a scale and a shift of each channel
};

/// group_norm with a learnt weight, ones at first, and bias, zeros, both [num_channels] and in the default
/// dtype. Errors as LayerNorm's.
///
///   nn::GroupNorm norm{{.num_groups = 4, .num_channels = 16}};
///   Tensor y = norm(randn({1, 16, 28, 28}));  // the same shape
class GroupNorm : public Module {
 public:
  explicit GroupNorm(const GroupNormOptions& options);
  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;
  [[nodiscard]] const GroupNormOptions& options() const& { return options_; }
  [[nodiscard]] GroupNormOptions options() const&& { return options_; }

  Parameter weight;  // [num_channels]; with bias, defined only if affine
  Parameter bias;    // [num_channels]

 private:
  GroupNormOptions options_;
};

}}}  // namespace xtgrad::v1::nn
