// Functions of two values.
#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/kernels/power_slope.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {
class Tensor;
}}  // namespace xtgrad::v1

namespace xtgrad::inline v1::detail::formulas {

// Of each `rule_a` and `rule_b`, which take after the cotangent the values that the operation saves for them,
// a before b.

struct Add {
  static auto value(const auto& a, const auto& b) { return a + b; }
};

struct Sub {
  static auto value(const auto& a, const auto& b) { return a - b; }
};

struct Mul {
  static auto value(const auto& a, const auto& b) { return a * b; }
  static auto rule_a(const auto& g, const auto& b) { return g * b; }
  static auto rule_b(const auto& g, const auto& a) { return g * a; }
};

struct Div {
  static auto value(const auto& a, const auto& b) { return a / b; }
  static auto rule_a(const auto& g, const auto& b) { return g / b; }
  // a / b / b, not a / (b * b): the square of a large or small b would leave the range
  static auto rule_b(const auto& g, const auto& a, const auto& b) { return g * -(a / b / b); }
};

/// A derivative of pow, of whatever order, as a step: its derivatives are of the same kind. Composed of
/// b and pow(a, b - 1) it would lose the digits that b - 1 has lost, magnified by log(a).
class PowSlope {
 public:
  explicit PowSlope(PowerOrder order) : order_(order) {}

  /// The value, and on tensors a step that is recorded (ops/binary.cpp).
  template <class X>
  auto operator()(const X& a, const X& b) const {
    return power_slope(order_, a, b);
  }
  inline Tensor operator()(const Tensor& a, const Tensor& b) const;

 private:
  PowerOrder order_;
};

struct Pow {
  static auto value(const auto& a, const auto& b) { return pow(a, b); }
  static auto rule_a(const auto& g, const auto& a, const auto& b) { return g * PowSlope({1, 0})(a, b); }
  static auto rule_b(const auto& g, const auto& a, const auto& b) { return g * PowSlope({0, 1})(a, b); }
};

/// The cotangent follows the value that was chosen, a NaN included; a tie is shared.
struct Maximum {
  static auto value(const auto& a, const auto& b) { return maximum(a, b); }
  static auto rule_a(const auto& g, const auto& a, const auto& b) {
    return where(a > b, g, where(a == b, 0.5 * g, where(a != a, g, 0)));
  }
  static auto rule_b(const auto& g, const auto& a, const auto& b) {
    return where(b > a, g, where(a == b, 0.5 * g, where(a != a, 0, where(b != b, g, 0))));
  }
};

struct Minimum {
  static auto value(const auto& a, const auto& b) { return minimum(a, b); }
  static auto rule_a(const auto& g, const auto& a, const auto& b) {
    return where(a < b, g, where(a == b, 0.5 * g, where(a != a, g, 0)));
  }
  static auto rule_b(const auto& g, const auto& a, const auto& b) {
    return where(b < a, g, where(a == b, 0.5 * g, where(a != a, 0, where(b != b, g, 0))));
  }
};

}  // namespace xtgrad::v1::detail::formulas
