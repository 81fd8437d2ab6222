#pragma once

#include <string_view>

#include "xtgrad/autograd/formulas/slope.h"

namespace xtgrad::inline v1::detail {

/// x within +-limit, where a term that vanishes faster than any power is already 0: its factor x must not be
/// infinite. On lanes: kernels/levels/lanes_activation.h; on tensors: ops/slope.h.
inline Tensor within(const Tensor& x, double limit);

}  // namespace xtgrad::v1::detail

namespace xtgrad::inline v1::detail::formulas {

/// The derivative of a Gaussian, -2 f x e^(-f x^2), scaled last.
class GaussianSlope : public Slope<GaussianSlope> {
 public:
  static constexpr std::string_view name = "gaussian_slope";
  explicit GaussianSlope(double f = 1) : f_(f) {}

  void describe(auto& a) { a("factor", f_); }
  auto value(const auto& x) const { return gaussian_slope(x, f_); }
  auto rule(const auto& g, const auto& x) const;

 private:
  double f_;
};

/// e^(-f x^2), f a power of two. Written as exp(-f * square(x)) the square's rounding, which the exponential
/// magnifies, costs three digits where the result is smallest.
class Gaussian : public Slope<Gaussian> {
 public:
  static constexpr std::string_view name = "gaussian";
  explicit Gaussian(double f = 1) : f_(f) {}

  void describe(auto& a) { a("factor", f_); }
  auto value(const auto& x) const { return gaussian(x, f_); }
  auto rule(const auto& g, const auto& x) const { return g * GaussianSlope(f_)(x); }

 private:
  double f_;
};

auto GaussianSlope::rule(const auto& g, const auto& x) const {
  return g * (Gaussian(f_)(x) * (4 * f_ * f_ * square(within(x, 40)) - 2 * f_));
}

}  // namespace xtgrad::v1::detail::formulas
