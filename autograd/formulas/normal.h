// The complementary error function, its scaled form and inverse, and log(Phi).
#pragma once

#include <cstdint>
#include <numbers>
#include <string_view>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/formulas/activation.h"
#include "xtgrad/autograd/formulas/gaussian.h"
#include "xtgrad/autograd/formulas/slope.h"

namespace xtgrad::inline v1::detail::formulas {

// Of each a `rule`, of the cotangent and what the operation saves: its input x or its output y.

struct Erfc {
  static auto value(const auto& x) { return erfc(x); }
  static auto rule(const auto& g, const auto& x) {
    return g * (-2 * std::numbers::inv_sqrtpi * Gaussian(1)(x));
  }
};

/// A derivative of erfcx, of whatever order: the first as 2 x erfcx(x) - 2 / sqrt(pi) would be a difference
/// of numbers that are equal far out.
class ErfcxDerivative : public Slope<ErfcxDerivative> {
 public:
  static constexpr std::string_view name = "erfcx_derivative";
  static constexpr std::int64_t most = 16;
  explicit ErfcxDerivative(std::int64_t order = 1) : order_(order) {}

  void describe(auto& a) { a("order", order_); }
  auto value(const auto& x) const { return erfcx_derivative(x, order_); }
  auto rule(const auto& g, const auto& x) const { return g * ErfcxDerivative(order_ + 1)(x); }
  void check_loaded(std::string_view step) const {
    require_attribute(order_ >= 0 && order_ <= most, step, "order", "from 0 to 16", order_);
  }

 private:
  std::int64_t order_;
};

struct Erfcx {
  static auto value(const auto& x) { return erfcx(x); }
  static auto rule(const auto& g, const auto& x) { return g * ErfcxDerivative(1)(x); }
};

/// e^(x^2), whose exponential would magnify what a square has been rounded by.
struct ExpOfSquare : Slope<ExpOfSquare> {
  static constexpr std::string_view name = "exp_of_square";
  static auto value(const auto& x) { return exp_of_square(x); }
  static auto rule(const auto& g, const auto& x) { return g * (2 * x * of(x)); }
};

struct Erfinv {
  static auto value(const auto& x) { return erfinv(x); }
  static auto rule(const auto& g, const auto& y) {
    return g * (0.5 / std::numbers::inv_sqrtpi * ExpOfSquare::of(y));
  }
};

/// The density over Phi: above -0.7 as it stands, and below, where both vanish, by erfcx. Of each side the
/// other sees so much that neither is infinite.
struct LogNdtr {
  static auto value(const auto& x) { return log_ndtr(x); }
  static auto rule(const auto& g, const auto& x) {
    const auto above = maximum(x, -1), below = maximum(-0.70710678118654752440 * x, -1);
    return g *
           where(x > -0.7, normal_density(above) / normal_cdf(above), 0.79788456080286535588 / erfcx(below));
  }
};

}  // namespace xtgrad::v1::detail::formulas
