#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// The labels that paths stand for. Item i has states 0 to 2 length: blanks at even ones, its labels between.
struct CtcTargets {
  std::int64_t blank;
  std::int64_t items;
  std::int64_t row;  ///< labels in a row of targets; -1 where they follow each other without padding
  const std::int64_t* labels;
  const std::int64_t* input_lengths;
  const std::int64_t* target_lengths;

  /// Calls f(item, its first label, its first state), in order. States are counted with those of the padding.
  void for_each_item(auto&& f) const {
    for (std::int64_t item = 0, label = 0; item < items; ++item) {
      f(item, labels + label, 2 * label + item);
      label += row < 0 ? target_lengths[item] : row;
    }
  }
};

/// The losses, [items], for log probabilities [steps, items, classes] of a floating dtype. Where `alphas` is
/// not null it becomes float64 [steps * states]: item by item and step by step, the log of the sum over paths
/// that are in a state then, up to and with that step; 0 behind an item's input length.
void ctc_losses(const Array& log_probabilities, const CtcTargets& targets, Array& losses, Array* alphas);

/// The gradient in the log probabilities for the cotangents g of the losses.
void ctc_gradient(const Array& g, const Array& log_probabilities, const CtcTargets& targets,
                  const Array& alphas, Array& gradient);

}  // namespace xtgrad::v1::detail
