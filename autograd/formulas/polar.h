// Angle and distance of a point.
#pragma once

namespace xtgrad::inline v1::detail::formulas {

// Of each `rule_a` and `rule_b`, of the cotangent and both values.

/// Of the point (x, y). Both partial derivatives over the distance twice: its square would leave the range.
struct Atan2 {
  static auto value(const auto& y, const auto& x) { return atan2(y, x); }
  static auto rule_a(const auto& g, const auto& y, const auto& x) {
    const auto r = hypot(y, x);
    return g * (x / r / r);
  }
  static auto rule_b(const auto& g, const auto& y, const auto& x) {
    const auto r = hypot(y, x);
    return g * -(y / r / r);
  }
};

/// The derivative is a / sqrt(a^2 + b^2); at the origin 0, as that of every 2-norm.
struct Hypot {
  static auto value(const auto& a, const auto& b) { return hypot(a, b); }
  static auto rule_a(const auto& g, const auto& a, const auto& b) { return g * (a / length(a, b)); }
  static auto rule_b(const auto& g, const auto& a, const auto& b) { return g * (b / length(a, b)); }

 private:
  static auto length(const auto& a, const auto& b) {
    const auto r = hypot(a, b);
    return where(r == 0, 1, r);
  }
};

}  // namespace xtgrad::v1::detail::formulas
