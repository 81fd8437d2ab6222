// The logarithm of the gamma function and its derivatives.
#pragma once

#include <cstdint>

namespace xtgrad::inline v1::detail::formulas {

struct Lgamma {
  static auto value(const auto& x) { return lgamma(x); }
  static auto rule(const auto& g, const auto& x) { return g * digamma(x); }
};

struct Digamma {
  static auto value(const auto& x) { return digamma(x); }
  static auto rule(const auto& g, const auto& x) { return g * polygamma(1, x); }
};

struct Polygamma {
  static constexpr std::int64_t most = 32;
  std::int64_t order = 1;

  void describe(auto& a) { a("order", order); }
  auto value(const auto& x) const { return polygamma(order, x); }
  auto rule(const auto& g, const auto& x) const { return g * polygamma(order + 1, x); }
};

}  // namespace xtgrad::v1::detail::formulas
