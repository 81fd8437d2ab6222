#pragma once

#include <bit>
#include <cstdint>
#include <limits>

namespace xtgrad::inline v1::detail {

// Questions about a double that raise no floating-point exception, as a comparison with NaN does.

/// Grows with the absolute value, from 0 on; that of NaN is above infinity's.
constexpr std::uint64_t size_in_bits(double x) {
  return std::bit_cast<std::uint64_t>(x) & ~(std::uint64_t{1} << 63);
}

constexpr bool is_finite_by_bits(double x) {
  return size_in_bits(x) < size_in_bits(std::numeric_limits<double>::infinity());
}

}  // namespace xtgrad::v1::detail
