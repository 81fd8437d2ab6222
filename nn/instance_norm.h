#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/options.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct InstanceNormOptions {
  std::int64_t num_features = required;  ///< channels
  double eps = 1e-5;                     ///< added to the variance
  double momentum = 0.1;                 ///< share of the newest batch in the running statistics
  bool affine = false;                   ///< learn a scale and a shift of each channel
  bool track_running_stats = false;      ///< keep averages of the statistics, and use them in evaluation
};

/// What InstanceNorm1d, 2d and 3d share: (x - mean) / sqrt(variance + eps) * weight + bias, by the mean and
/// the biased variance of each channel of each sample (Ulyanov, Vedaldi, Lempitsky, "Instance normalization",
/// 2016).
///
/// With `track_running_stats` every forward in training moves running statistics by r = (1 - momentum) r +
/// momentum b, b being the mean over the batch of the samples' means, and of their unbiased variances; in
/// evaluation these statistics take the place of the samples' own. Otherwise training and evaluation are the
/// same.
///
/// Parameters if `affine`: weight, ones at first, and bias, zeros. Buffers if tracked: running_mean, zeros at
/// first, running_var, ones, and the counter num_batches_tracked. Names and layouts are PyTorch's.
///
/// Throws ValueError for options out of range; ShapeError for an input that does not fit, or one with a
/// single value a channel where its own statistics are used, for its variance says nothing; DtypeError for
/// another dtype than the module's.
class InstanceNorm : public Module {
 public:
  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;
  void check_loaded() const override;
  [[nodiscard]] const InstanceNormOptions& options() const& { return options_; }
  [[nodiscard]] InstanceNormOptions options() const&& { return options_; }

  Parameter weight;             // [num_features]; with bias, defined only if affine
  Parameter bias;               // [num_features]
  Tensor running_mean;          // [num_features]; with running_var, empty if not tracked
  Tensor running_var;           // [num_features]
  Counter num_batches_tracked;  // batches in the running statistics

 protected:
  /// `dimensions`: those behind [n, c].
  InstanceNorm(const char* name, std::size_t dimensions, const InstanceNormOptions& options);

 private:
  void check_input(const Tensor& x) const;
  void track(const Tensor& x);

  std::size_t dimensions_;
  InstanceNormOptions options_;
};

/// Instance normalisation of [n, num_features, length]; see InstanceNorm.
class InstanceNorm1d : public InstanceNorm {
 public:
  explicit InstanceNorm1d(const InstanceNormOptions& options) : InstanceNorm("InstanceNorm1d", 1, options) {}
};

/// Instance normalisation of images [n, num_features, h, w]; see InstanceNorm.
///
///   nn::InstanceNorm2d norm{{.num_features = 16}};
///   Tensor y = norm(randn({8, 16, 28, 28}));  // the same shape; mean 0 and variance 1 in each plane
class InstanceNorm2d : public InstanceNorm {
 public:
  explicit InstanceNorm2d(const InstanceNormOptions& options) : InstanceNorm("InstanceNorm2d", 2, options) {}
};

/// Instance normalisation of volumes [n, num_features, d, h, w]; see InstanceNorm.
class InstanceNorm3d : public InstanceNorm {
 public:
  explicit InstanceNorm3d(const InstanceNormOptions& options) : InstanceNorm("InstanceNorm3d", 3, options) {}
};

}}}  // namespace xtgrad::v1::nn
