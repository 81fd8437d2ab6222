#pragma once

#include <cstdint>
#include <optional>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/datasets/dataset.h"
#include "xtgrad/datasets/loader.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

struct FitOptions {
  /// One mean and deviation for each channel of [n, channels, ...], over samples and pixels, rather than one
  /// for each element of a sample.
  bool per_channel = false;
};

/// Shifts and scales each feature to mean 0 and standard deviation 1 on the data that it was fitted to:
/// (x - mean) / scale, where scale is the standard deviation (over n, not n - 1), or 1 for a feature that
/// never changes. Fit it to training data alone and apply it to all, or the test data leak into training.
///
/// Normalised data are numbers: those of images that were kept as bytes take four times the memory in
/// float32. `normalize(normalizer)` as a loader's sample transform leaves them bytes, and has the same bits.
///
///   auto normalizer = datasets::Normalizer::fit(train);
///   train = normalizer(train);
///   test = normalizer(test);
class Normalizer {
 public:
  /// From inputs [n, ...], n >= 1, of float32 or float64; computed in double. Throws ShapeError for no
  /// samples, DtypeError for other dtypes, ValueError for an element that is not finite.
  [[nodiscard]] static Normalizer fit(const Tensor& inputs, const FitOptions& options = {});
  /// From a data set's inputs.
  [[nodiscard]] static Normalizer fit(const Dataset& data, const FitOptions& options = {});

  /// From known numbers, such as published ones: finite, of one shape that broadcasts against the samples,
  /// and scale positive. Throws ShapeError, DtypeError or ValueError.
  Normalizer(const Tensor& mean, const Tensor& scale);

  /// [n, ...] to the same shape and dtype, float32 or float64; differentiable. Throws ShapeError for samples
  /// that differ in shape from those of `fit` (by channel: in the number of channels) or do not fit the
  /// numbers given.
  [[nodiscard]] Tensor operator()(const Tensor& inputs) const;
  [[nodiscard]] Dataset operator()(const Dataset& data) const;

  [[nodiscard]] const Tensor& mean() const& { return mean_; }  ///< float64
  [[nodiscard]] Tensor mean() const&& { return mean_; }
  [[nodiscard]] const Tensor& scale() const& { return scale_; }  ///< float64, of mean's shape
  [[nodiscard]] Tensor scale() const&& { return scale_; }

 private:
  Tensor mean_;
  Tensor scale_;
  std::optional<Shape> sample_shape_;  // that `fit` has seen; none where any shape will do that broadcasts
};

struct RangeOptions {
  double low = 0;
  double high = 255;
};
/// Maps [low, high] to [0, 1]: (x - low) / (high - low). A fixed range, not one read off the data, so that
/// training and test data are treated alike; elements outside it end outside [0, 1]. Differentiable. Throws
/// ValueError unless low < high, both finite, and DtypeError unless x is floating.
[[nodiscard]] Tensor unit_range(const Tensor& x, const RangeOptions& range = {});
[[nodiscard]] Dataset unit_range(const Dataset& data, const RangeOptions& range = {});

/// The labels as one-hot rows [n, classes], in the inputs' dtype unless the options say another. Throws
/// ValueError for a data set without classes.
[[nodiscard]] Tensor one_hot(const Dataset& data, const TensorOptions& options = {});

/// A loader's transform that replaces labels [b] by one-hot rows [b, classes] in the inputs' dtype. Throws
/// ValueError for classes below 1; the loop throws for a label out of range.
///
///   datasets::Loader loader(train, {.transform = datasets::one_hot_labels(train.classes())});
[[nodiscard]] BatchTransform one_hot_labels(std::int64_t classes);

}}}  // namespace xtgrad::v1::datasets
