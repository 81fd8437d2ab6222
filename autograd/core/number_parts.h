#pragma once

#include <cmath>
#include <limits>

#include "xtgrad/autograd/core/double_bits.h"
#include "xtgrad/autograd/core/dtype_visit.h"

namespace xtgrad::inline v1::detail {

// Numbers so near to 0 that float32 holds them with few of their digits, or as 0.

/// True for a number other than 0 that is below T's normal range, and is not in T.
template <class T>
bool is_below_normal(double number) {
  return size_in_bits(number) < size_in_bits(static_cast<double>(std::numeric_limits<T>::min())) &&
         static_cast<double>(static_cast<T>(number)) != number;
}

[[nodiscard]] inline bool is_below_normal(Dtype dtype, double number) {
  // Of most numbers the dtype need not be asked.
  if (size_in_bits(number) >= size_in_bits(static_cast<double>(std::numeric_limits<float>::min())) ||
      number == 0) {
    return false;
  }
  return FloatingTypes::contains(dtype) &&
         visit_floating(dtype, [number](auto zero) { return is_below_normal<decltype(zero)>(number); });
}

/// The number as a T, and not 0 unless it is 0: a divisor that was positive is still one.
template <class T>
double away_from_zero(double number) {
  if (number == 0 || static_cast<T>(number) != 0) return number;
  return std::copysign(static_cast<double>(std::numeric_limits<T>::denorm_min()), number);
}

/// A product of three that float32 holds, each with all its digits: what is multiplied by one after the other
/// is rounded as by their product, and divided likewise. Below 2^-298 the power of two is that.
struct NumberParts {
  double digits, half, rest;  ///< at least 1/2 and below 1, but for the sign; powers of two
};
[[nodiscard]] NumberParts parts_of(double number);

}  // namespace xtgrad::v1::detail
