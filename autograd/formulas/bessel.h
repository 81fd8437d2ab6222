// Modified Bessel functions of the first kind.
#pragma once

#include <cstdint>
#include <string_view>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/formulas/slope.h"

namespace xtgrad::inline v1::detail::formulas {

/// I_n(x), whose derivative is half of both its neighbours: I_1 as I_0 - I_1 / x would be 0 / 0 at 0.
class BesselI : public Slope<BesselI> {
 public:
  static constexpr std::string_view name = "bessel_i";
  static constexpr std::int64_t most = 32;
  explicit BesselI(std::int64_t order = 0) : order_(order) {}

  void describe(auto& a) { a("order", order_); }
  auto value(const auto& x) const { return bessel_i(order_, x); }
  auto rule(const auto& g, const auto& x) const {
    const BesselI next(order_ + 1), before(order_ == 0 ? 1 : order_ - 1);
    return g * (0.5 * (before(x) + next(x)));
  }
  void check_loaded(std::string_view step) const {
    require_attribute(order_ >= 0 && order_ <= most, step, "order", "from 0 to 32", order_);
  }

 private:
  std::int64_t order_;
};

struct I0 {
  static auto value(const auto& x) { return bessel_i(0, x); }
  static auto rule(const auto& g, const auto& x) { return g * BesselI(1)(x); }
};

struct I1 {
  static auto value(const auto& x) { return bessel_i(1, x); }
  static auto rule(const auto& g, const auto& x) { return g * (0.5 * (BesselI(0)(x) + BesselI(2)(x))); }
};

}  // namespace xtgrad::v1::detail::formulas
