// Hyperbolic functions and their inverses, but for tanh.
#pragma once

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

struct Atanh {
  static auto value(const auto& x) { return atanh(x); }
  // A sum, whose derivatives at 1 are infinite, not a quotient, whose are NaN.
  static auto rule(const auto& g, const auto& x) { return g * (0.5 / (1 - x) + 0.5 / (1 + x)); }
};

}  // namespace xtgrad::v1::detail::formulas
