#pragma once

#include <compare>
#include <cstdint>
#include <iosfwd>
#include <limits>
#include <string>
#include <type_traits>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

namespace detail {

/// bool, every integer and floating type, and enumerations that become integers by themselves. No pointers.
template <class T>
concept CppNumber = std::is_floating_point_v<T> ||(std::is_integral_v<T> && sizeof(T) <= 8) ||
                    (std::is_enum_v<T> && std::is_convertible_v<T, int>);

}  // namespace detail

/// A C++ number that meets a tensor: an element to make, or the other operand. It is an int64 or a double,
/// and any C++ number becomes one by itself:
///
///   bool, integers, unscoped enumerations   the same integer; from 2^63 on the nearest double, which no
///                                           integer dtype holds
///   float, double                           the same number
///   long double                             the nearest double, infinite beyond its range
///
/// A number takes the dtype of the tensor that it meets, by one rule: bool and the integer dtypes must hold
/// it exactly, the floating ones as the nearest double, rounded to float32 where that is the dtype, and
/// finite if the number is. DtypeError says which function was given what: `add: int64 cannot hold 0.5`.
/// Comparisons of a bool or integer tensor make no element and take every number: they compare exactly.
///
/// That one rounding is all that a result shows of it. Products and quotients of float32 have all digits of a
/// number below its normal range, too: 1e30 * 1e-50 is 1e-20. Where the rounding would be magnified, the
/// double counts with all its digits: base and exponent of pow, softplus's beta and threshold.
///
/// Parameters of formulas, such as eps, a slope or a probability, are plain doubles, and enter a float32
/// formula rounded once, too.
///
///   Tensor ids = arange(3) + 9007199254740993;  // int64, exact
///   Tensor sizes = tensor({v.size(), n}, {.dtype = int64});
class Scalar {
 public:
  template <detail::CppNumber T>
  constexpr Scalar(T number) noexcept  // NOLINT(google-explicit-constructor): a number is a number
      : Scalar(from(+number)) {}

  /// True for an int64, false for a double, whatever its value.
  [[nodiscard]] constexpr bool is_integer() const noexcept { return static_cast<double>(integer_) == real_; }
  /// The double, or the one nearest to the integer.
  [[nodiscard]] constexpr double to_double() const noexcept { return real_; }
  /// The number as an int64; throws DtypeError for a double that is no such integer.
  [[nodiscard]] std::int64_t to_int64() const { return is_integer() ? integer_ : checked_int64(); }

  /// The values compared exactly: 2 equals 2.0, 2^53 + 1 is more than 0x1p53, and NaN is unordered.
  friend constexpr std::partial_ordering operator<=>(Scalar a, Scalar b) noexcept {
    if (a.is_integer()) return b.is_integer() ? a.integer_ <=> b.integer_ : compare(a.integer_, b.real_);
    if (!b.is_integer()) return a.real_ <=> b.real_;
    const std::partial_ordering reversed = compare(b.integer_, a.real_);
    if (std::is_lt(reversed)) return std::partial_ordering::greater;
    return std::is_gt(reversed) ? std::partial_ordering::less : reversed;
  }
  friend constexpr bool operator==(Scalar a, Scalar b) noexcept { return std::is_eq(a <=> b); }

 private:
  constexpr Scalar(double real, std::int64_t integer) noexcept : real_(real), integer_(integer) {}

  template <class T>
  static constexpr Scalar from(T number) noexcept {
    if constexpr (!std::is_floating_point_v<T>) {
      constexpr auto most = static_cast<std::uint64_t>((std::numeric_limits<std::int64_t>::max)());
      if (std::is_signed_v<T> || static_cast<std::uint64_t>(number) <= most) {
        return {static_cast<double>(number), static_cast<std::int64_t>(number)};
      }
    }
    const auto real = static_cast<double>(number);
    return {real, real == 0 ? 1 : 0};
  }

  [[nodiscard]] std::int64_t checked_int64() const;

  static constexpr std::partial_ordering compare(std::int64_t integer, double real) noexcept {
    if (!(real < 0x1p63 && real >= -0x1p63)) return 0.0 <=> real;  // beyond int64 the sign decides
    const auto whole = static_cast<std::int64_t>(real);
    if (integer != whole) return integer <=> whole;
    return 0.0 <=> real - static_cast<double>(whole);
  }

  // Kernels of floating dtypes read real_ without asking what the number is. That it is an integer, integer_
  // says by being the one that real_ comes from; beside a double it is 0 or 1, whichever is another number.
  double real_;
  std::int64_t integer_;
};

/// The number as a person writes it: all digits that it takes to tell it from others of its kind.
[[nodiscard]] std::string to_string(Scalar number);
std::ostream& operator<<(std::ostream& out, Scalar number);

}}  // namespace xtgrad::v1
