// The tangent, arcs and sin(pi x) / (pi x).
#pragma once

#include <cstdint>
#include <string_view>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/formulas/slope.h"

namespace xtgrad::inline v1::detail::formulas {

// Of each a `rule`, of the cotangent and what the operation saves: its input x or its output y.

struct Tan {
  static auto value(const auto& x) { return tan(x); }
  static auto rule(const auto& g, const auto& y) { return g * (1 + square(y)); }
};

/// 1 / sqrt(1 - x^2), whose own slope is x times its cube: composed, its derivatives at 1 would be infinity
/// times 0.
struct AsinSlope : Slope<AsinSlope> {
  static constexpr std::string_view name = "asin_slope";
  static auto value(const auto& x) { return rsqrt((1 - x) * (1 + x)); }
  static auto rule(const auto& g, const auto& x) {
    const auto slope = of(x);
    return g * (x * (slope * square(slope)));
  }
};

struct Asin {
  static auto value(const auto& x) { return asin(x); }
  static auto rule(const auto& g, const auto& x) { return g * AsinSlope::of(x); }
};

struct Acos {
  static auto value(const auto& x) { return acos(x); }
  static auto rule(const auto& g, const auto& x) { return g * -AsinSlope::of(x); }
};

struct Atan {
  static auto value(const auto& x) { return atan(x); }
  static auto rule(const auto& g, const auto& x) { return g / (1 + unfused(square(x))); }
};

/// A derivative of sin(pi x) / (pi x), of whatever order: composed of sines and quotients its terms would
/// cancel near 0.
class SincDerivative : public Slope<SincDerivative> {
 public:
  static constexpr std::string_view name = "sinc_derivative";
  static constexpr std::int64_t most = 16;
  explicit SincDerivative(std::int64_t order = 1) : order_(order) {}

  void describe(auto& a) { a("order", order_); }
  auto value(const auto& x) const { return sinc_derivative(x, order_); }
  auto rule(const auto& g, const auto& x) const { return g * SincDerivative(order_ + 1)(x); }
  void check_loaded(std::string_view step) const {
    require_attribute(order_ >= 0 && order_ <= most, step, "order", "from 0 to 16", order_);
  }

 private:
  std::int64_t order_;
};

struct Sinc {
  static auto value(const auto& x) { return sinc_derivative(x, 0); }
  static auto rule(const auto& g, const auto& x) { return g * SincDerivative(1)(x); }
};

}  // namespace xtgrad::v1::detail::formulas
