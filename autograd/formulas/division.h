// What a division leaves.
#pragma once

namespace xtgrad::inline v1::detail::formulas {

// Of each `rule_b`, of the cotangent and both values; the derivative in a is 1. The quotient's whole part is
// constant between its jumps.

struct Fmod {
  static auto value(const auto& a, const auto& b) { return fmod(a, b); }
  static auto rule_b(const auto& g, const auto& a, const auto& b) { return g * -trunc(a / b); }
};

struct Remainder {
  static auto value(const auto& a, const auto& b) { return remainder(a, b); }
  static auto rule_b(const auto& g, const auto& a, const auto& b) { return g * -floor_divide(a, b); }
};

struct FloorDivide {
  static auto value(const auto& a, const auto& b) { return floor_divide(a, b); }
};

}  // namespace xtgrad::v1::detail::formulas
