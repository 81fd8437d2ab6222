#pragma once

#include <string_view>

#include "xtgrad/autograd/kernels/lanes_power.h"
#include "xtgrad/autograd/kernels/lanes_scaled.h"
#include "xtgrad/autograd/ops/slope.h"

namespace xtgrad::inline v1::detail {

/// x within +-limit, where a term that vanishes faster than any power is already 0: its factor x must not be
/// infinite.
inline Tensor within(const Tensor& x, double limit) { return minimum(maximum(x, -limit), limit); }
template <LaneFloat T>
[[gnu::always_inline]] inline Lane<T> within(const Lane<T>& x, double limit) {
  const Lane<T> size = abs(x);
  return copysign(where(size > limit, limit, size), x);
}

/// The derivative of a Gaussian, -2 f x e^(-f x^2), scaled last.
class GaussianSlope final : public Slope<GaussianSlope> {
 public:
  static constexpr std::string_view slope_name = "gaussian_slope";
  explicit GaussianSlope(double f) : f_(f) {}

  void describe(Attributes& a) override { a("factor", f_); }
  template <LaneFloat T>
  [[nodiscard]] Lane<T> value(const Lane<T>& x) const {
    const Lane<T> near = within(x, 40);
    const LanePair<T> p = two_product(near, near);
    return times_exp(-2 * f_ * near, LanePair<T>{-f_ * p.high, -f_ * p.low});
  }
  [[nodiscard]] Tensor rule(const Tensor& g, const Tensor& x) const;

 private:
  double f_;
};

/// e^(-f x^2), f a power of two. Written as exp(-f * square(x)) the square's rounding, which the exponential
/// magnifies, costs three digits where the result is smallest.
class Gaussian final : public Slope<Gaussian> {
 public:
  static constexpr std::string_view slope_name = "gaussian";
  explicit Gaussian(double f) : f_(f) {}

  void describe(Attributes& a) override { a("factor", f_); }
  auto value(const auto& x) const { return gaussian(x, f_); }
  [[nodiscard]] Tensor rule(const Tensor& g, const Tensor& x) const { return g * GaussianSlope(f_)(x); }

 private:
  double f_;
};

inline Tensor GaussianSlope::rule(const Tensor& g, const Tensor& x) const {
  return g * (Gaussian(f_)(x) * (4 * f_ * f_ * square(within(x, 40)) - 2 * f_));
}

}  // namespace xtgrad::v1::detail
