// Whole numbers nearby, and what is left.
#pragma once

namespace xtgrad::inline v1::detail::formulas {

// All but the last are piecewise constant, and the derivative of the last is 1: they have no rules.

struct Floor {
  static auto value(const auto& x) { return floor(x); }
};

struct Ceil {
  static auto value(const auto& x) { return ceil(x); }
};

struct Trunc {
  static auto value(const auto& x) { return trunc(x); }
};

struct Round {
  static auto value(const auto& x) { return round(x); }
};

struct Frac {
  static auto value(const auto& x) { return x - trunc(x); }
};

}  // namespace xtgrad::v1::detail::formulas
