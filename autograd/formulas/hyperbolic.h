// Hyperbolic functions and their inverses, but for tanh.
#pragma once

#include <string_view>

#include "xtgrad/autograd/formulas/slope.h"

namespace xtgrad::inline v1::detail::formulas {

// Of each a `rule`, of the cotangent and the input x.

struct Sinh {
  static auto value(const auto& x) { return sinh(x); }
  static auto rule(const auto& g, const auto& x) { return g * cosh(x); }
};

struct Cosh {
  static auto value(const auto& x) { return cosh(x); }
  static auto rule(const auto& g, const auto& x) { return g * sinh(x); }
};

struct Asinh {
  static auto value(const auto& x) { return asinh(x); }
  static auto rule(const auto& g, const auto& x) { return g / sqrt(1 + unfused(square(x))); }
};

struct Acosh {
  static auto value(const auto& x) { return acosh(x); }
  // Two roots: x^2 would leave the range long before the quotient does, and below -1 there is no slope.
  static auto rule(const auto& g, const auto& x) { return g / sqrt(x - 1) / sqrt(x + 1); }
};

/// 1 / (1 - x^2), whose own slope is 2 x times its square: that of 0.5 / (1 - x) + 0.5 / (1 + x) would be a
/// difference of equal numbers near 0, and a quotient's NaN at 1.
struct AtanhSlope : Slope<AtanhSlope> {
  static constexpr std::string_view name = "atanh_slope";
  static auto value(const auto& x) { return 1 / ((1 - x) * (1 + x)); }
  static auto rule(const auto& g, const auto& x) {
    const auto slope = of(x);
    return g * (2 * x * slope * slope);
  }
};

struct Atanh {
  static auto value(const auto& x) { return atanh(x); }
  static auto rule(const auto& g, const auto& x) { return g * AtanhSlope::of(x); }
};

}  // namespace xtgrad::v1::detail::formulas
