#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/core/element.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

/// What the functions that make tensors from C++ values share.

/// True for the whole numbers that the integer type T holds; both ends are exact as a From, where the largest
/// T itself may not be.
template <class T, class From>
constexpr bool in_range(From whole) {
  constexpr From past_end = From{2} * static_cast<From>(T{1} << (std::numeric_limits<T>::digits - 1));
  return whole >= static_cast<From>(std::numeric_limits<T>::min()) && whole < past_end;
}

/// True if T holds `value` as closely as a dtype can be asked to: exactly for integers and bool, rounded but
/// not overflowing for floating dtypes.
template <class T, class From>
bool holds(From value) {
  if constexpr (std::is_same_v<T, From> || std::is_same_v<From, bool>) {
    return true;
  } else if constexpr (std::is_same_v<T, bool>) {
    return value == From{0} || value == From{1};
  } else if constexpr (std::is_integral_v<T> && std::is_floating_point_v<From>) {
    return in_range<T>(value) && std::trunc(value) == value;
  } else if constexpr (std::is_integral_v<T>) {
    return std::in_range<T>(value);
  } else if constexpr (std::is_same_v<T, float> && std::is_same_v<From, double>) {
    // Halfway between the largest float and the power of two that follows it: the first to round to infinity.
    return !(std::abs(value) >= 0x1.ffffffp+127) || std::isinf(value);
  } else {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>, "what does the new type hold?");
    return true;
  }
}

/// `value` as a T; throws DtypeError that names `function`, the dtype and the value where T cannot hold it.
template <class T, class From>
T checked_cast(std::string_view function, From value) {
  if (!holds<T>(value)) {
    throw DtypeError(fmt::format("{}: {} cannot hold {}", function, to_string(dtype_of<T>), value));
  }
  return static_cast<T>(value);
}

/// What every creation function checks: that the bytes can be counted, and that the dtype has derivatives if
/// `requires_grad` asks for them.
void check_new(std::string_view function, const Shape& shape, Dtype dtype, bool requires_grad);

/// An array whose elements the caller fills, checked.
Array new_array(std::string_view function, const Shape& shape, Dtype dtype, bool requires_grad);

/// A leaf around a filled array.
Tensor new_leaf(Array array, bool requires_grad);

}  // namespace xtgrad::v1::detail
