// Angle and distance of a point.
#pragma once

#include <limits>

namespace xtgrad::inline v1::detail::formulas {

// Of each `rule_a` and `rule_b`, of the cotangent and both values.

/// Of the point (x, y). Both partial derivatives over the distance twice: its square would leave the range.
struct Atan2 {
  static auto value(const auto& y, const auto& x) { return atan2(y, x); }
  static auto rule_a(const auto& g, const auto& y, const auto& x) { return g * over_square(x, hypot(y, x)); }
  static auto rule_b(const auto& g, const auto& y, const auto& x) { return g * -over_square(y, hypot(y, x)); }

 private:
  /// 0 at an infinite distance.
  static auto over_square(const auto& v, const auto& r) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    return where(r == inf, where(v != v, v, 0), v) / r / r;
  }
};

/// The derivative is a / sqrt(a^2 + b^2); at the origin 0, as that of every 2-norm, and at an infinite a its
/// sign.
struct Hypot {
  static auto value(const auto& a, const auto& b) { return hypot(a, b); }
  static auto rule_a(const auto& g, const auto& a, const auto& b) { return g * share(a, hypot(a, b)); }
  static auto rule_b(const auto& g, const auto& a, const auto& b) { return g * share(b, hypot(a, b)); }

 private:
  static auto share(const auto& v, const auto& r) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    const auto finite = where(r == inf, where(abs(v) == inf, sign(v), where(v != v, v, 0)), v);
    return finite / where(r == 0, 1, where(r == inf, 1, r));
  }
};

}  // namespace xtgrad::v1::detail::formulas
