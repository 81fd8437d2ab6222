#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "xtgrad/training/records.h"

namespace xtgrad::inline v1::training::detail {

/// What the bar shows.
struct BarState {
  std::int64_t epoch = 0;
  std::int64_t epochs = 0;
  double done = 0;  ///< of the whole training, 0 to 1
  std::span<const NamedValue> values = {};
  std::span<const NamedValue> validated =
      {};  ///< of the last epoch that ended, "validation_accuracy" and so on
  double samples_per_second = 0;
  double seconds_left = 0;
};

/// The bar as one line of at most `width` columns:
/// `epoch 12/40 [#######......] loss 0.0831  accuracy 0.9812  validation accuracy 0.9790  41300 samples/s  2
/// s left`, without the time that is left if that is below 2 s. Where that is too long, whole parts are left
/// out: the speed, then the values of training but for the first, the time that is left, the bar, the first
/// value, and the last of the validation. Only what is still too long is cut.
[[nodiscard]] std::string bar_line(const BarState& state, int width);

/// The plain line of an epoch; with the time that is left as in `bar_line`.
[[nodiscard]] std::string epoch_line(const EpochRecord& record, std::int64_t epochs, double seconds_left);

/// "3 s", "2 min 5 s" or "1 h 2 min".
[[nodiscard]] std::string duration(double seconds);

}  // namespace xtgrad::v1::training::detail
