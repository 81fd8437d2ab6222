// The larger or smaller of two where NaN loses, and one number with the sign of another.
#pragma once

namespace xtgrad::inline v1::detail::formulas {

// Of each `rule_a` and `rule_b`, of the cotangent and both values.

/// The cotangent follows the value that was chosen; a tie is shared.
struct Fmax {
  static auto value(const auto& a, const auto& b) {
    return where(a != a, b, where(b != b, a, where(a > b, a, b)));
  }
  static auto rule_a(const auto& g, const auto& a, const auto& b) {
    return where(a > b, g, where(a == b, 0.5 * g, where(b != b, g, 0)));
  }
  static auto rule_b(const auto& g, const auto& a, const auto& b) {
    return where(b > a, g, where(a == b, 0.5 * g, where(b != b, 0, where(a != a, g, 0))));
  }
};

struct Fmin {
  static auto value(const auto& a, const auto& b) {
    return where(a != a, b, where(b != b, a, where(a < b, a, b)));
  }
  static auto rule_a(const auto& g, const auto& a, const auto& b) {
    return where(a < b, g, where(a == b, 0.5 * g, where(b != b, g, 0)));
  }
  static auto rule_b(const auto& g, const auto& a, const auto& b) {
    return where(b < a, g, where(a == b, 0.5 * g, where(b != b, 0, where(a != a, g, 0))));
  }
};

/// |a| with the sign of b. At a = 0 the derivative is 0, as abs has it; in b there is none.
struct Copysign {
  static auto value(const auto& a, const auto& b) { return copysign(a, b); }
  static auto rule_a(const auto& g, const auto& a, const auto& b) {
    return g * (sign(a) * sign(copysign(1 + abs(sign(a)), b)));
  }
};

}  // namespace xtgrad::v1::detail::formulas
