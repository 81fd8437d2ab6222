#pragma once

#include <span>
#include <string>

namespace xtgrad::inline v1::training::detail {

/// TensorBoard's HistogramProto of the finite ones among some numbers: their count, extremes, sum and sum of
/// squares, and how many of them are at most each limit and above the one before. Limits are 0 and, on both
/// sides of it, 1e-12 times powers of 1.1; those beyond the numbers on either side are left out.
[[nodiscard]] std::string histogram_message(std::span<const double> values);

}  // namespace xtgrad::v1::training::detail
