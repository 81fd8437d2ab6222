// Angle and distance of a point.
#pragma once

#include <limits>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {
class Tensor;
}}  // namespace xtgrad::v1

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

/// hypot's derivative a / sqrt(a^2 + b^2); at the origin 0, as that of every 2-norm, and at an infinite a its
/// sign. On tensors it is a step, whose own derivatives are b^2 / r^3 and -a b / r^3: those of the quotient
/// would be differences of equal numbers beside the axis.
struct HypotShare {
  static auto value(const auto& a, const auto& b) { return of(a, hypot(a, b)); }
  template <class X>
  auto operator()(const X& a, const X& b) const {
    return value(a, b);
  }
  inline Tensor operator()(const Tensor& a, const Tensor& b) const;

  /// Of the distance r.
  static auto of(const auto& v, const auto& r) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    const auto finite = where(r == inf, where(abs(v) == inf, sign(v), where(v != v, v, 0)), v);
    return finite / not_zero(r);
  }
  static auto not_zero(const auto& r) {
    return where(r == 0, 1, where(r == std::numeric_limits<double>::infinity(), 1, r));
  }
};

struct Hypot {
  static auto value(const auto& a, const auto& b) { return hypot(a, b); }
  static auto rule_a(const auto& g, const auto& a, const auto& b) { return g * HypotShare{}(a, b); }
  static auto rule_b(const auto& g, const auto& a, const auto& b) { return g * HypotShare{}(b, a); }
};

}  // namespace xtgrad::v1::detail::formulas
