// Exponentials and logarithms of other bases than e.
#pragma once

#include <numbers>

namespace xtgrad::inline v1::detail::formulas {

// Of each a `rule`, of the cotangent and what the operation saves: its input x or its output y.

struct Exp2 {
  static auto value(const auto& x) { return exp2(x); }
  static auto rule(const auto& g, const auto& y) { return g * (std::numbers::ln2 * y); }
};

struct Log2 {
  static auto value(const auto& x) { return log2(x); }
  static auto rule(const auto& g, const auto& x) { return g * (std::numbers::log2e / x); }
};

struct Log10 {
  static auto value(const auto& x) { return log10(x); }
  static auto rule(const auto& g, const auto& x) { return g * (std::numbers::log10e / x); }
};

struct Logit {
  static auto value(const auto& x) { return logit(x); }
  static auto rule(const auto& g, const auto& x) { return g * (1 / x + 1 / (1 - x)); }
};

}  // namespace xtgrad::v1::detail::formulas
