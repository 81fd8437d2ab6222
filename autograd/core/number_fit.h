#pragma once

#include <cmath>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/core/double_bits.h"
#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/scalar.h"

namespace xtgrad::inline v1::detail {

// What a dtype can hold: the one rule that every number and every converted value meets (scalar.h).

/// True for the whole numbers that the integer type T holds; both ends are exact as a From, where the largest
/// T itself may not be.
template <class T, class From>
constexpr bool in_range(From whole) {
  constexpr From past_end = From{2} * static_cast<From>(T{1} << (std::numeric_limits<T>::digits - 1));
  return whole >= static_cast<From>(std::numeric_limits<T>::min()) && whole < past_end;
}

/// True if T holds `value` as closely as a dtype can be asked to: exactly for integers and bool, rounded but
/// not overflowing for floating dtypes. `From` is an element type or Scalar.
template <class T, class From>
bool holds(From value) {
  if constexpr (std::is_same_v<From, Scalar>) {
    if (std::is_floating_point_v<T> || !value.is_integer()) return holds<T>(value.to_double());
    return holds<T>(value.to_int64());
  } else if constexpr (std::is_same_v<T, From> || std::is_same_v<From, bool>) {
    return true;
  } else if constexpr (std::is_same_v<T, bool>) {
    return value == From{0} || value == From{1};
  } else if constexpr (std::is_integral_v<T> && std::is_floating_point_v<From>) {
    return in_range<T>(value) && std::trunc(value) == value;
  } else if constexpr (std::is_integral_v<T>) {
    return std::in_range<T>(value);
  } else if constexpr (std::is_same_v<T, float> && std::is_same_v<From, double>) {
    // Halfway between the largest float and the power of two that follows it: the first to round to infinity.
    // By bits: NaN is held as well, and a comparison with it would raise an exception.
    return size_in_bits(value) < size_in_bits(0x1.ffffffp+127) || !is_finite_by_bits(value);
  } else {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>, "what does the new type hold?");
    return true;
  }
}

/// True if elements of `dtype` hold the number.
[[nodiscard]] inline bool holds(Dtype dtype, Scalar number) {
  return visit(dtype, [number](auto zero) { return holds<decltype(zero)>(number); });
}

/// `value` as a T that is known to hold it.
template <class T, class From>
T element_of(From value) {
  if constexpr (!std::is_same_v<From, Scalar>) {
    return static_cast<T>(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(value.to_double());
  } else {
    return static_cast<T>(value.to_int64());
  }
}

/// Throws DtypeError: `function: dtype cannot hold number`, and what to do about it.
[[noreturn]] void throw_cannot_hold(std::string_view function, Dtype dtype, Scalar number,
                                    std::string_view advice = {});

/// `value` as a T; throws DtypeError that names `function`, the dtype and the value where T cannot hold it.
template <class T, class From>
T checked_cast(std::string_view function, From value) {
  if (!holds<T>(value)) throw_cannot_hold(function, dtype_of<T>, value);
  return element_of<T>(value);
}

}  // namespace xtgrad::v1::detail
