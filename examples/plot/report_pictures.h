#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "xtgrad/autograd/tensor.h"

/// Pictures of a training. Each function writes one page, as PNG or SVG as the name's ending says, whole or
/// not at all, and throws xtgrad::ValueError for another ending and xtgrad::IoError if it can't be written.
/// Tensors may be of any dtype, and recorded or not. NaN is drawn in pink.
namespace plot {

/// False in a build without Cairo, where every draw_ function throws xtgrad::Error that says so.
[[nodiscard]] bool available();

/// Results of one epoch; accuracies from 0 to 1. NaN for what was not measured.
struct EpochScores {
  std::int64_t epoch = 0;
  double loss = std::numeric_limits<double>::quiet_NaN();
  double accuracy = std::numeric_limits<double>::quiet_NaN();
  double validation_loss = std::numeric_limits<double>::quiet_NaN();
  double validation_accuracy = std::numeric_limits<double>::quiet_NaN();
};

struct LearningCurvesOptions {
  /// Of the loss axis; if absent, logarithmic where the losses are positive and span a factor of 30 or more.
  std::optional<bool> logarithmic = std::nullopt;
  /// Label of the loss axis, with the unit if there is one.
  std::string loss = "cross-entropy (nats)";
};

/// Loss at the left and accuracy at the right, by epoch, in training and validation. Throws
/// xtgrad::ValueError if there is no epoch.
void draw_learning_curves(const std::filesystem::path& path, std::span<const EpochScores> epochs,
                          const LearningCurvesOptions& options = {});

struct ImagesOptions {
  /// What the pictures are of. Their number and size then go into the line under it.
  std::string title = {};
  /// More about them, at the end of that line.
  std::string note = {};
};

/// The filters of a convolution, [out, in, kh, kw], over one common range about zero: in blue and red for one
/// input channel; for three as colours, whose red, green and blue are the channels' weights, so that grey is
/// zero; else a row for each filter, a column for each channel.
/// Throws xtgrad::ShapeError for another rank or an empty weight, xtgrad::ValueError for more than 4096
/// tiles.
void draw_filters(const std::filesystem::path& path, const xtgrad::Tensor& weight,
                  const ImagesOptions& options = {});

struct FeatureMaps {
  xtgrad::Tensor image;  ///< [channels, h, w], one channel or three: what went in
  xtgrad::Tensor maps;   ///< [maps, h, w]: what came out
};
/// An image and what a layer makes of it, all maps over one common range. Throws xtgrad::ShapeError for other
/// shapes or none to draw.
void draw_feature_maps(const std::filesystem::path& path, const FeatureMaps& features,
                       const ImagesOptions& options = {});

struct Predictions {
  xtgrad::Tensor truth;      ///< int64 [n], the samples' labels
  xtgrad::Tensor predicted;  ///< int64 [n]
};
/// How many samples of class i were taken for class j: int64 [classes, classes]. Throws xtgrad::ShapeError if
/// the two differ in shape or are no vectors, xtgrad::DtypeError unless both are int64, xtgrad::ValueError
/// for a label outside 0 .. classes - 1 or if there are no classes.
[[nodiscard]] xtgrad::Tensor count_confusions(const Predictions& predictions, std::int64_t classes);

/// A confusion matrix, [classes, classes], true class by predicted class, with the recall of each. `names`
/// may be empty: classes are then numbers. Throws xtgrad::ShapeError unless the counts are square and the
/// names as many, xtgrad::ValueError for a count that is negative or no whole number.
void draw_confusion_matrix(const std::filesystem::path& path, const xtgrad::Tensor& counts,
                           std::span<const std::string> names = {});

struct Mistakes {
  xtgrad::Tensor images;    ///< [n, h, w] or [n, channels, h, w], one channel or three
  Predictions labels;       ///< of all of them: the mistakes are found here
  std::int64_t limit = 24;  ///< pictures on the page
};
/// The first `limit` images with another label than predicted, with both labels; a page that says so if there
/// are none. `names` may be empty: classes are then numbers. Throws xtgrad::ShapeError for other shapes,
/// xtgrad::ValueError for a label without a name or a limit below 1, xtgrad::DtypeError unless labels are
/// int64.
void draw_mistakes(const std::filesystem::path& path, const Mistakes& mistakes,
                   std::span<const std::string> names = {});

}  // namespace plot
