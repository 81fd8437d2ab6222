// What reductions and normalizations compute element by element.
#pragma once

#include <limits>

namespace xtgrad::inline v1::detail::formulas {

/// A sum of `count` terms as their mean.
struct MeanOfSum {
  double count;
  auto value(const auto& v) const { return v / count; }
};

/// Of an element, the largest or smallest one that it was chosen from, and how many tie: `v != v` finds the
/// winners where the best is NaN; elsewhere no element is NaN.
struct Extremum {
  /// The share of the cotangent.
  static auto rule_a(const auto& g, const auto& v, const auto& best, const auto& ties) {
    const auto share = g / ties;
    return where(v == best, share, where(v != v, share, 0));
  }
  /// 1 for a winner.
  static auto rule_b(const auto& v, const auto& best) { return where(v == best, 1, where(v != v, 1, 0)); }
};

/// Of logsumexp's result y.
struct LogSumExp {
  static auto rule_a(const auto& g, const auto& weights, const auto& y) {
    return g * where(y == -std::numeric_limits<double>::infinity(), 0, weights);
  }
  /// What the softmax is taken of.
  static auto rule_b(const auto& x, const auto& y) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    return where(y == inf, where(x == inf, 0, minimum(x, -inf)), where(y == -inf, 0, x));
  }
};

/// Not x * scale + (shift - mean * scale), which is as fast: where the mean is many deviations away, the two
/// terms are large and nearly cancel, and so do their digits.
struct NormalizeBy {
  static auto value(const auto& x, const auto& mean, const auto& scale, const auto& shift) {
    return (x - mean) * scale + shift;
  }
  static auto rule_a(const auto& g, const auto& scale) { return g * scale; }
  static auto rule_b(const auto& g, const auto& x, const auto& mean) { return g * (x - mean); }
};

}  // namespace xtgrad::v1::detail::formulas
