// Exponentials and logarithms of other bases than e.
#pragma once

#include <numbers>
#include <string_view>

#include "xtgrad/autograd/formulas/slope.h"

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

/// 1 / (x (1 - x)), whose own slope has the factor 2 x - 1: that of 1 / x + 1 / (1 - x) would be a difference
/// of equal numbers near 1/2.
struct LogitSlope : Slope<LogitSlope> {
  static constexpr std::string_view name = "logit_slope";
  static auto value(const auto& x) { return 1 / (x * (1 - x)); }
  static auto rule(const auto& g, const auto& x) {
    const auto slope = of(x);
    return g * ((2 * x - 1) * slope * slope);
  }
};

struct Logit {
  static auto value(const auto& x) { return logit(x); }
  static auto rule(const auto& g, const auto& x) { return g * LogitSlope::of(x); }
};

}  // namespace xtgrad::v1::detail::formulas
