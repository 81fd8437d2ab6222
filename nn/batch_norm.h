#pragma once

#include <cstdint>
#include <optional>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/options.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct BatchNormOptions {
  std::int64_t num_features = required;  ///< channels
  double eps = 1e-5;                     ///< added to the variance
  /// Share of the newest batch in the running statistics; absent: all batches count alike.
  std::optional<double> momentum = 0.1;
  bool affine = true;               ///< learn a scale and a shift of each channel
  bool track_running_stats = true;  ///< without, evaluation uses each batch's own statistics, too
};

/// What BatchNorm1d and BatchNorm2d share: (x - mean) / sqrt(variance + eps) * weight + bias, channel by
/// channel (Ioffe and Szegedy, "Batch normalization", 2015).
///
/// Training takes mean and biased variance from the batch, and gradients flow through both; every forward in
/// training moves the running statistics by r = (1 - momentum) r + momentum b, b being the batch's mean and
/// its unbiased variance. Evaluation takes the running ones. A batch without elements changes nothing.
///
/// Parameters: weight, ones at first, and bias, zeros. Buffers: running_mean, zeros at first, and
/// running_var, ones, which hold no graph, and the counter num_batches_tracked. Names and layouts are
/// PyTorch's.
///
/// Throws ValueError for options out of range; ShapeError for an input that does not fit, or one with a
/// single value a channel where the batch's statistics are used, for its variance says nothing; DtypeError
/// for another dtype than the module's.
class BatchNorm : public Module {
 public:
  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;
  void check_loaded() const override;
  /// Forgets the running statistics, for instance before they are taken anew with momentum absent.
  void reset_running_stats();
  [[nodiscard]] const BatchNormOptions& options() const& { return options_; }
  [[nodiscard]] BatchNormOptions options() const&& { return options_; }
  /// Of the running statistics from now on; throws ValueError unless it is absent or in [0, 1].
  void set_momentum(std::optional<double> momentum);

  Parameter weight;             // [num_features]; with bias, defined only if affine
  Parameter bias;               // [num_features]
  Tensor running_mean;          // [num_features]; with running_var, empty if not tracked
  Tensor running_var;           // [num_features]
  Counter num_batches_tracked;  // batches in the running statistics

 protected:
  BatchNorm(const char* name, const BatchNormOptions& options);
  /// Throws ShapeError unless the module takes inputs of x's shape.
  virtual void check_shape(const Tensor& x) const = 0;

 private:
  void check_input(const Tensor& x) const;
  void track(const Tensor& mean, const Tensor& variance);
  [[nodiscard]] Tensor normalize_by_running(const Tensor& x) const;

  BatchNormOptions options_;
};

/// Batch normalisation of [n, num_features] or [n, num_features, length]; see BatchNorm.
class BatchNorm1d : public BatchNorm {
 public:
  explicit BatchNorm1d(const BatchNormOptions& options) : BatchNorm("BatchNorm1d", options) {}

 protected:
  void check_shape(const Tensor& x) const override;
};

/// Batch normalisation of images [n, num_features, h, w]; see BatchNorm.
///
///   nn::BatchNorm2d norm{{.num_features = 16}};
///   Tensor y = norm(randn({8, 16, 28, 28}));  // the same shape; mean 0 and variance 1 in each channel
class BatchNorm2d : public BatchNorm {
 public:
  explicit BatchNorm2d(const BatchNormOptions& options) : BatchNorm("BatchNorm2d", options) {}

 protected:
  void check_shape(const Tensor& x) const override;
};

}}}  // namespace xtgrad::v1::nn
