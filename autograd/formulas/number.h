// Functions of one value and a C++ number.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include "xtgrad/autograd/formulas/slope.h"

namespace xtgrad::inline v1::detail {

/// What `power` is on lanes, as a step that can be recorded (ops/number.cpp).
inline Tensor power(const Tensor& x, double c);
inline Tensor power(double c, const Tensor& x);

}  // namespace xtgrad::v1::detail

namespace xtgrad::inline v1::detail::formulas {

/// Self offers `value_with(x, c)`, where c is a double, or an Integer for an int64 tensor, and `rule_with`,
/// of the cotangent, the input where it is saved, and c.
template <class Self>
struct WithNumber {
  double number = 0;

  auto value(const auto& x) const { return Self::value_with(x, number); }
  auto rule(const auto&... v) const { return Self::rule_with(v..., number); }
};

struct AddNumber : WithNumber<AddNumber> {
  static auto value_with(const auto& x, const auto& c) { return x + c; }
};

struct SubNumber : WithNumber<SubNumber> {
  static auto value_with(const auto& x, const auto& c) { return x - c; }
};

struct MulNumber : WithNumber<MulNumber> {
  static auto value_with(const auto& x, const auto& c) { return x * c; }
  static auto rule_with(const auto& g, double c) { return g * c; }
};

struct DivNumber : WithNumber<DivNumber> {
  static auto value_with(const auto& x, double c) { return x / c; }
  static auto rule_with(const auto& g, double c) { return g / c; }
};

struct NumberSub : WithNumber<NumberSub> {
  static auto value_with(const auto& x, const auto& c) { return c - x; }
  static auto rule_with(const auto& g, double) { return -g; }
};

struct NumberDiv : WithNumber<NumberDiv> {
  static auto value_with(const auto& x, double c) { return c / x; }
  static auto rule_with(const auto& g, const auto& x, double c) { return g * (-c / x / x); }
};

/// factor x^(c - n). No double need be c - n, whose rounding would be magnified as that of c is, and the
/// power alone may leave the range where the product does not.
class PowerTerm : public Slope<PowerTerm> {
 public:
  static constexpr std::string_view name = "power_term";
  explicit PowerTerm(double factor = 1, double c = 1, std::int64_t n = 0) : factor_(factor), c_(c), n_(n) {}

  void describe(auto& a) {
    a("factor", factor_);
    a("number", c_);
    a("less", n_);
  }
  auto value(const auto& x) const { return times_power(factor_, x, high(), low()); }
  auto rule(const auto& g, const auto& x) const {
    return high() == 0 ? g * zeros_like(x) : g * PowerTerm(factor_ * high(), c_, n_ + 1)(x);
  }

 private:
  [[nodiscard]] double high() const { return c_ - static_cast<double>(n_); }
  /// What c - n lacks as a double (Knuth's sum).
  [[nodiscard]] double low() const {
    const double n = static_cast<double>(n_), taken = c_ - high();
    return (c_ - (high() + taken)) - (n - taken);
  }

  double factor_, c_;
  std::int64_t n_;
};

struct PowNumber : WithNumber<PowNumber> {
  static auto value_with(const auto& x, double c) { return power(x, c); }
  // x^0 is constant, at x = 0, where 0 * x^-1 would be NaN, at infinity and at NaN, too. Of some powers the
  // derivatives are products and roots.
  static auto rule_with(const auto& g, const auto& x, double c) {
    const bool is_short = std::abs(c) <= 4 && std::floor(2 * c) == 2 * c;
    if (!is_short && std::abs(c) < 0x1p40) return g * PowerTerm(c, c, 1)(x);
    return g * (c == 0 ? where(x == x, 0, where(x != x, 0, x)) : c * power(x, c - 1));
  }
};

struct NumberPow : WithNumber<NumberPow> {
  static auto value_with(const auto& x, double c) { return power(c, x); }
  // c^x log(c). Of 0^x these are the limits, and 0 is what 0^0 has been given, as in pow of two tensors.
  static auto rule_with(const auto& g, const auto& x, double c) {
    if (c == 0) {
      const auto flat = x >= 0;
      return g * where(flat, 0, -std::numeric_limits<double>::infinity() * power(0, where(flat, -1, x)));
    }
    const double slope = c > 0 ? std::log(c) : std::numeric_limits<double>::quiet_NaN();
    return g * (slope * power(c, x));
  }
};

/// Between two bounds, either of which may be infinite. NaN lies at no bound: it is passed on, and so is the
/// cotangent.
struct Clamp {
  double low = 0, high = 0;

  auto value(const auto& x) const { return minimum(maximum(x, low), high); }
  // An absent bound has no end point, so relu and clamp from 0 agree at x = inf, too.
  auto rule(const auto& g, const auto& x) const {
    constexpr double inf = std::numeric_limits<double>::infinity();
    const auto at_low = low == -inf ? x < low : x <= low;
    const auto at_high = high == inf ? x > high : x >= high;
    return where(at_low, 0, where(at_high, 0, g));
  }
};

}  // namespace xtgrad::v1::detail::formulas
