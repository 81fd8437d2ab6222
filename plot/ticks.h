#pragma once

#include <string>
#include <vector>

#include "xtgrad/plot/canvas.h"

namespace xtgrad::inline v1::plot::detail {

struct TickOptions {
  int max_count = 6;           ///< of ticks, at least 3
  bool whole_numbers = false;  ///< no tick between them
};

/// Ticks at multiples of 1, 2 or 5 times a power of ten, the finest of these steps that needs no more than
/// `max_count`. The first is at or below `range.low`, the last at or above `range.high`. Throws
/// ValueError unless low is clearly below high, both finite.
[[nodiscard]] std::vector<double> linear_ticks(const Range& range, const TickOptions& options = {});

/// As `linear_ticks`, for a logarithmic axis: 1, 2 and 5 times every power of ten if these are few enough,
/// else every power, every second, every third and so on; the linear ones where fewer than two would lie
/// within the range. Throws ValueError unless 0 < low < high.
[[nodiscard]] std::vector<double> log_ticks(const Range& range, const TickOptions& options = {});

/// What to write at ticks of one axis: as many decimals as the distances need, powers of ten for very small
/// and very large numbers.
[[nodiscard]] std::vector<std::string> tick_labels(const std::vector<double>& ticks);
/// Ascending numbers, each by its own magnitude as on a logarithmic axis: `short_number` of each, or
/// `tick_labels` where these would be the same for neighbours.
[[nodiscard]] std::vector<std::string> short_labels(const std::vector<double>& values);

/// A number by itself, to three significant digits; a larger one to the nearest whole number.
[[nodiscard]] std::string short_number(double value);

}  // namespace xtgrad::v1::plot::detail
