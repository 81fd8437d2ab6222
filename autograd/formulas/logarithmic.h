// Logarithms of sums, and products with logarithms.
#pragma once

#include <limits>

namespace xtgrad::inline v1::detail::formulas {

// Of each `rule_a` and `rule_b`, of the cotangent and both values.

/// log(e^a + e^b): the larger, and what the other adds.
struct Logaddexp {
  static auto value(const auto& a, const auto& b) {
    return maximum(a, b) + log1p_of_fraction(exp(-abs(difference(a, b))));
  }
  static auto rule_a(const auto& g, const auto& a, const auto& b) { return g * sigmoid(difference(a, b)); }
  static auto rule_b(const auto& g, const auto& a, const auto& b) { return g * sigmoid(difference(b, a)); }

 private:
  /// Of equal infinities 0.
  static auto difference(const auto& a, const auto& b) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    const auto finite_b = where(abs(b) == inf, where(a == b, 0, b), b);
    return where(abs(a) == inf, where(a == b, 0, a), a) - finite_b;
  }
};

/// x log(y), and 0 where x is 0, with all its derivatives where y has no logarithm, also beside a logarithm
/// that is infinite or none; NaN stays.
struct Xlogy {
  static auto value(const auto& x, const auto& y) {
    return where(x == 0, where(y != y, y, 0), x * log(where(x == 0, 1, y)));
  }
  static auto rule_a(const auto& g, const auto& x, const auto& y) {
    return g * where(x == 0, where(y <= 0, 0, log(where(y <= 0, 1, y))), log(where(x == 0, 1, y)));
  }
  static auto rule_b(const auto& g, const auto& x, const auto& y) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    return g * (x / where(x == 0, where(y <= 0, inf, y), y));
  }
};

/// x log(1 + y), likewise. Below -1 there is no logarithm, so that -2 does for -infinity, whose sum with 1
/// would be taken from itself.
struct Xlog1py {
  static auto value(const auto& x, const auto& y) {
    return where(x == 0, where(y != y, y, 0), x * log1p(maximum(where(x == 0, 0, y), -2)));
  }
  static auto rule_a(const auto& g, const auto& x, const auto& y) {
    return g * where(x == 0, where(y <= -1, 0, log1p(where(y <= -1, 0, y))),
                     log1p(maximum(where(x == 0, 0, y), -2)));
  }
  static auto rule_b(const auto& g, const auto& x, const auto& y) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    return g * (x / where(x == 0, where(y <= -1, inf, 1 + y), 1 + y));
  }
};

}  // namespace xtgrad::v1::detail::formulas
