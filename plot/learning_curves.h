#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/plot/canvas.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace plot {

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

/// Loss at the left and accuracy at the right, by epoch, in training and validation; what was never measured
/// in validation has no line, and without any accuracy there is the loss alone. The axis of accuracies leaves
/// out the low ones of the first epochs where what follows would have less than half of it. Throws ValueError
/// if there is no epoch, or for a loss that is not above 0 where the axis is logarithmic.
[[nodiscard]] Canvas draw_learning_curves(std::span<const EpochScores> epochs,
                                          const LearningCurvesOptions& options = {});

}}}  // namespace xtgrad::v1::plot
