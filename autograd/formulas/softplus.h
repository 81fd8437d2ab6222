#pragma once

#include <limits>
#include <string_view>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/formulas/slope.h"

namespace xtgrad::inline v1::detail::formulas {

/// Softplus and its derivatives are functions of e^-|beta x|, all of whose digits count, and end at the
/// threshold.
class SoftplusPart {
 public:
  SoftplusPart() = default;
  SoftplusPart(double beta, double threshold) : beta_(beta), threshold_(threshold) {}

  void describe(auto& a) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    a("beta", beta_, 1);
    a("threshold", threshold_, inf);
  }

 protected:
  /// On lanes alone.
  auto is_linear(const auto& x) const { return is_above(x, threshold_ / beta_); }
  /// e^-|beta x|
  auto vanishing(const auto& x) const { return exp_of_product(-beta_, abs(x)); }
  /// Beta, or the largest number that T holds: for all but subnormal x they saturate alike, and no infinity
  /// meets a 0.
  template <class T>
  [[nodiscard]] double bounded_beta() const {
    constexpr double largest = std::numeric_limits<T>::max();
    return beta_ < largest ? beta_ : largest;
  }

  double beta_ = 1, threshold_ = 0;
};

class SoftplusBend : public Slope<SoftplusBend>, public SoftplusPart {
 public:
  static constexpr std::string_view name = "softplus_bend";
  using SoftplusPart::describe;
  using SoftplusPart::SoftplusPart;

  template <class X>
  auto value(const X& x) const {
    const auto e = vanishing(x);
    return where(is_linear(x), 0, bounded_beta<typename X::value_type>() * (e / square(1 + e)));
  }
  auto rule(const auto& g, const auto& x) const {
    const double beta = visit_floating(
        x.dtype(), [this](auto zero) { return this->template bounded_beta<decltype(zero)>(); });
    return g * ((*this)(x) * (-beta * tanh(0.5 * beta * x)));
  }
};

class SoftplusSlope : public Slope<SoftplusSlope>, public SoftplusPart {
 public:
  static constexpr std::string_view name = "softplus_slope";
  using SoftplusPart::describe;
  using SoftplusPart::SoftplusPart;

  auto value(const auto& x) const {
    const auto e = vanishing(x);
    return where(is_linear(x), 1, where(x < 0, e, 1) / (1 + e));
  }
  auto rule(const auto& g, const auto& x) const { return g * SoftplusBend(beta_, threshold_)(x); }
};

class Softplus : public SoftplusPart {
 public:
  using SoftplusPart::SoftplusPart;

  template <class X>
  auto value(const X& x) const {
    const auto rest = log1p_of_fraction(vanishing(x));
    return where(is_linear(x), x, maximum(x, 0) + (beta_ == 1 ? rest : over_not_zero(rest, beta_)));
  }
  auto rule(const auto& g, const auto& x) const { return g * SoftplusSlope(beta_, threshold_)(x); }
};

}  // namespace xtgrad::v1::detail::formulas
