#pragma once

#include <optional>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct RMSNormOptions {
  Shape normalized_shape = {};  ///< required: the last dimensions of the input
  /// Added to the mean of the squares; the distance from 1 to the next number of the input's dtype if absent.
  std::optional<double> eps = std::nullopt;
  bool affine = true;  ///< learn a scale of each element
};

/// x / sqrt(mean(x^2) + eps) * weight, the mean over the last dimensions (Zhang, Sennrich, "Root mean square
/// layer normalization", 2019). Parameter: weight, ones at first, of the normalised shape and in the default
/// dtype.
///
///   nn::RMSNorm norm{{.normalized_shape = {16}}};
///   Tensor y = norm(randn({8, 5, 16}));  // the same shape; mean square 1 in each row
///
/// Throws ValueError for an option that is missing or out of range, ShapeError or DtypeError for an input
/// that does not fit.
class RMSNorm : public Module {
 public:
  explicit RMSNorm(const RMSNormOptions& options);
  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;
  [[nodiscard]] const RMSNormOptions& options() const& { return options_; }
  [[nodiscard]] RMSNormOptions options() const&& { return options_; }

  Parameter weight;  // normalized_shape; defined only if affine

 private:
  RMSNormOptions options_;
};

}}}  // namespace xtgrad::v1::nn
