// Activations, but for those of unary.h and softplus.h.
#pragma once

#include <limits>
#include <string_view>

#include "xtgrad/autograd/formulas/gaussian.h"
#include "xtgrad/autograd/formulas/slope.h"

namespace xtgrad::inline v1::detail::formulas {

/// With a number of its own: Self offers `value_with(x, number)` and `rule_with(g, x, number)`.
template <class Self>
class Activation {
 public:
  explicit Activation(double number = 0) : number_(number) {}

  void describe(auto& a) { a(Self::number_name, number_); }
  auto value(const auto& x) const { return Self::value_with(x, number_); }
  auto rule(const auto& g, const auto& x) const { return Self::rule_with(g, x, number_); }

 private:
  double number_;
};

struct LeakyRelu : Activation<LeakyRelu> {
  using Activation::Activation;
  static constexpr auto number_name = "slope";
  static auto value_with(const auto& x, double slope) {
    return where(x >= 0, x, slope * unfused(where(x >= 0, 0, x)));
  }
  static auto rule_with(const auto& g, const auto& x, double slope) {
    return g * where(x <= 0, slope, sign(x));  // 1 above, and NaN at NaN, which is on neither side
  }
};

struct Elu : Activation<Elu> {
  using Activation::Activation;
  static constexpr auto number_name = "alpha";
  static auto value_with(const auto& x, double alpha) {
    if (alpha == 0) return where(x > 0, x, where(x < 0, -0.0, x));  // no 0 times infinity on the way
    return where(x > 0, x, alpha * expm1(x));
  }
  // The minimum: e^x of the branch not taken overflows, and its own rule would make 0 * inf of that.
  static auto rule_with(const auto& g, const auto& x, double alpha) {
    const double at_zero = alpha < 1 ? alpha : 1;
    return g * where(x > 0, 1, where(x == 0, at_zero, alpha * exp(minimum(x, 0))));
  }
};

inline constexpr double inverse_root_2_pi = 0.39894228040143267794;

/// The standard normal density.
auto normal_density(const auto& x) { return inverse_root_2_pi * Gaussian(0.5)(x); }

struct NormalCdf {
  static auto value(const auto& x) { return normal_cdf(x); }
  static auto rule(const auto& g, const auto& x) { return g * normal_density(x); }
};

/// gelu'', (2 - x^2) density.
struct GeluBend : Slope<GeluBend> {
  static constexpr std::string_view name = "gelu_bend";
  static auto value(const auto& x) { return gelu_bend(x); }
  static auto rule(const auto& g, const auto& x) {
    const auto near = within(x, 40);
    return g * (normal_density(x) * (near * (square(near) - 4)));
  }
};

struct GeluSlope : Slope<GeluSlope> {
  static constexpr std::string_view name = "gelu_slope";
  [[gnu::always_inline]] static auto value(const auto& x) {
    const auto both = normal_both(x);
    return both.cdf + both.times_density;
  }
  static auto rule(const auto& g, const auto& x) { return g * GeluBend::of(x); }
};

struct Gelu {
  static auto value(const auto& x) { return times_normal_cdf(x); }
  static auto rule(const auto& g, const auto& x) { return g * GeluSlope{}(x); }
};

struct TensorGates;  // `up` and `down`, as lanes_activation.h has them of lanes
inline TensorGates gelu_tanh_gates(const Tensor& x);

/// sigmoid(sign z(x)) of gelu_tanh, which is x sigmoid(z): (1 + tanh(u)) / 2 = sigmoid(2 u), which does not
/// cancel where tanh is near -1. That of -1 is 1 minus that of 1.
class GeluTanhGate : public Slope<GeluTanhGate> {
 public:
  static constexpr std::string_view name = "gelu_tanh_gate";
  explicit GeluTanhGate(double sign = 1) : sign_(sign) {}

  void describe(auto& a) { a("sign", sign_); }
  [[gnu::always_inline]] auto value(const auto& x) const {
    const auto gates = gelu_tanh_gates(x);
    return sign_ > 0 ? gates.up : gates.down;
  }
  auto rule(const auto& g, const auto& x) const {
    const auto c = within(x, 40);
    return g * (sign_ * slope_of_cubic(c) * GeluTanhGate(1)(c) * GeluTanhGate(-1)(c));
  }
  /// z' of z(x) = 2 sqrt(2 / pi) (x + 0.044715 x^3).
  static auto slope_of_cubic(const auto& x) {
    constexpr long double slope = 1.59576912160573071175978423973752747L, bend = 0.044715L;
    return static_cast<double>(slope) * (1 + static_cast<double>(3 * bend) * square(x));
  }

 private:
  double sign_;
};

struct GeluTanh {
  static auto value(const auto& x) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    return where(x == -inf, -1, x) * GeluTanhGate(1)(x);
  }
  static auto rule(const auto& g, const auto& x) {
    const auto c = within(x, 40);
    const auto gates = gelu_tanh_gates(c);
    return g * (gates.up * (1 + c * GeluTanhGate::slope_of_cubic(c) * gates.down));
  }
};

/// silu'', s(x) s(-x) (2 - x tanh(x / 2)) of the sigmoid s.
struct SiluBend : Slope<SiluBend> {
  static constexpr std::string_view name = "silu_bend";
  static auto value(const auto& x) { return silu_bend(x); }
  static auto rule(const auto& g, const auto& x) {
    const auto c = within(x, 800), t = tanh(0.5 * c), bend = sigmoid(c) * sigmoid(-c);
    return g * (bend * (t * (c * t - 3) - 2 * (c * bend)));
  }
};

struct SiluSlope : Slope<SiluSlope> {
  static constexpr std::string_view name = "silu_slope";
  [[gnu::always_inline]] static auto value(const auto& x) { return silu_slope(x); }
  static auto rule(const auto& g, const auto& x) { return g * SiluBend::of(x); }
};

struct Silu {
  static auto value(const auto& x) { return silu(x); }
  static auto rule(const auto& g, const auto& x) { return g * SiluSlope{}(x); }
};

struct Celu : Activation<Celu> {
  using Activation::Activation;
  static constexpr auto number_name = "alpha";
  static auto value_with(const auto& x, double alpha) { return where(x > 0, x, alpha * expm1(x / alpha)); }
  static auto rule_with(const auto& g, const auto& x, double alpha) {
    return g * where(x > 0, 1, exp(minimum(x, 0) / alpha));
  }
};

/// With the two numbers for which activations keep mean 0 and variance 1 (Klambauer et al., 2017).
struct Selu {
  static constexpr double alpha = 1.6732632423543772848, factor = 1.0507009873554804934;
  static auto value(const auto& x) { return where(x > 0, factor * x, factor * alpha * expm1(x)); }
  // At 0 the lesser of both slopes.
  static auto rule(const auto& g, const auto& x) {
    return g * where(x >= 0, factor, factor * alpha * exp(minimum(x, 0)));
  }
};

struct MishGate : Slope<MishGate> {
  static constexpr std::string_view name = "mish_gate";
  static auto value(const auto& x) { return mish_gate(x); }
  static auto rule(const auto& g, const auto& x) {
    const auto q = sigmoid(-x);
    return g * (4 * sigmoid(x) * square(q / (1 + square(q))));
  }
};

struct Mish {
  static auto value(const auto& x) { return mish(x); }
  static auto rule(const auto& g, const auto& x) {
    const auto c = within(x, 800), q = sigmoid(-c);
    return g * (MishGate::of(c) + unfused(c * (4 * sigmoid(c) * square(q / (1 + unfused(square(q)))))));
  }
};

struct Softsign {
  static auto value(const auto& x) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    const auto finite = where(abs(x) == inf, 0, x);
    return where(abs(x) == inf, sign(x), finite / (1 + abs(finite)));
  }
  static auto rule(const auto& g, const auto& x) { return g * square(1 / (1 + abs(x))); }
};

struct Tanhshrink {
  static auto value(const auto& x) { return tanhshrink(x); }
  static auto rule(const auto& g, const auto& x) { return g * square(tanh(x)); }
};

/// x relu6(x + 3) / 6. At both kinks the lesser of the slopes: 0 at -3, 1 at 3.
struct Hardswish {
  static auto value(const auto& x) {
    return where(x <= -3, -0.0, where(x >= 3, x, x * (within(x, 4) + 3) / 6));
  }
  static auto rule(const auto& g, const auto& x) {
    return g * where(x <= -3, 0, where(x >= 3, 1, (within(x, 4) + 1.5) / 3));
  }
};

struct Hardsigmoid {
  static auto value(const auto& x) { return where(x <= -3, 0, where(x >= 3, 1, (x + 3) / 6)); }
  static auto rule(const auto& g, const auto& x) { return where(x <= -3, 0, where(x >= 3, 0, g / 6)); }
};

struct Hardshrink : Activation<Hardshrink> {
  using Activation::Activation;
  static constexpr auto number_name = "lambda";
  static auto value_with(const auto& x, double lambda) { return where(abs(x) <= lambda, 0, x); }
  static auto rule_with(const auto& g, const auto& x, double lambda) { return where(abs(x) <= lambda, 0, g); }
};

struct Softshrink : Activation<Softshrink> {
  using Activation::Activation;
  static constexpr auto number_name = "lambda";
  static auto value_with(const auto& x, double lambda) {
    return where(abs(x) <= lambda, 0, x - unfused(lambda * sign(x)));
  }
  static auto rule_with(const auto& g, const auto& x, double lambda) { return where(abs(x) <= lambda, 0, g); }
};

struct Threshold {
  double threshold = 0, other = 0;

  void describe(auto& a) {
    a("threshold", threshold);
    a("value", other);
  }
  auto value(const auto& x) const { return where(x <= threshold, other, x); }
  auto rule(const auto& g, const auto& x) const { return where(x <= threshold, 0, g); }
};

}  // namespace xtgrad::v1::detail::formulas
