#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string_view>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/lanes_normal.h"
#include "xtgrad/autograd/ops/elementwise.h"
#include "xtgrad/autograd/ops/gaussian.h"
#include "xtgrad/autograd/ops/slope.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

/// An activation with a number of its own: Self offers `value_with(x, c)` and `rule(g, x, c)`.
template <class Self, OpId Id>
class Activation : public Elementwise<Self, Id, 1, false> {
 public:
  explicit Activation(double number) : number_(number) {}

  void describe(Attributes& a) override { a(Self::number_name, number_); }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }
  auto value(const auto& x) const { return Self::value_with(x, number_); }
  auto formula(Index<0>, const auto& g, const auto& x) const { return Self::rule(g, x, number_); }
  void vjp(VjpContext& context) const override {
    context.set(0, evaluate(this->self(), context.g(), context.input(0)));
  }

 protected:
  ~Activation() = default;

 private:
  double number_;
};

struct LeakyRelu final : Activation<LeakyRelu, OpId::leaky_relu> {
  using Activation::Activation;
  static constexpr auto number_name = "slope";
  static auto value_with(const auto& x, double slope) {
    return where(x >= 0, x, slope * unfused(where(x >= 0, 0, x)));
  }
  static auto rule(const auto& g, const auto& x, double slope) {
    return g * where(x <= 0, slope, sign(x));  // 1 above, and NaN at NaN, which is on neither side
  }
};

struct Elu final : Activation<Elu, OpId::elu> {
  using Activation::Activation;
  static constexpr auto number_name = "alpha";
  static auto value_with(const auto& x, double alpha) {
    if (alpha == 0) return where(x > 0, x, where(x < 0, -0.0, x));  // no 0 times infinity on the way
    return where(x > 0, x, alpha * expm1(x));
  }
  // The minimum: e^x of the branch not taken overflows, and its own rule would make 0 * inf of that.
  static auto rule(const auto& g, const auto& x, double alpha) {
    const double at_zero = alpha < 1 ? alpha : 1;
    return g * where(x > 0, 1, where(x == 0, at_zero, alpha * exp(minimum(x, 0))));
  }
};

constexpr double inverse_root_2_pi = 0.39894228040143267794;

/// The standard normal density.
auto normal_density(const auto& x) { return inverse_root_2_pi * Gaussian(0.5)(x); }

struct NormalCdf final : Unary<NormalCdf, OpId::normal_cdf> {
  static constexpr Reads saves = input_bit(0);
  static auto value(const auto& x) { return normal_cdf(x); }
  static auto rule(const auto& g, const auto& x) { return g * normal_density(x); }
};

/// gelu'', (2 - x^2) density.
struct GeluBend final : Slope<GeluBend> {
  static constexpr std::string_view slope_name = "gelu_bend";
  template <LaneFloat T>
  static Lane<T> value(const Lane<T>& x) {
    const Lane<T> near = within(x, 40);
    const LanePair<T> p = two_product(near, near);
    return times_exp(inverse_root_2_pi * ((2 - p.high) - p.low), LanePair<T>{-0.5 * p.high, -0.5 * p.low});
  }
  static Tensor rule(const Tensor& g, const Tensor& x) {
    const Tensor near = within(x, 40);
    return g * (normal_density(x) * (near * (square(near) - 4)));
  }
};

struct GeluSlope final : Slope<GeluSlope> {
  static constexpr std::string_view slope_name = "gelu_slope";
  template <LaneFloat T>
  [[gnu::always_inline]] static Lane<T> value(const Lane<T>& x) {
    const NormalBoth<Lane<T>> both = normal_both(x);
    return both.cdf + both.times_density;
  }
  static Tensor rule(const Tensor& g, const Tensor& x) { return g * GeluBend::of(x); }
};

struct Gelu final : Unary<Gelu, OpId::gelu> {
  static constexpr Reads saves = input_bit(0);
  static auto value(const auto& x) { return times_normal_cdf(x); }
  static auto rule(const auto& g, const auto& x) { return g * GeluSlope{}(x); }
};

/// A constant in two parts, for products in pairs.
template <LaneFloat T>
struct PairConstant {
  explicit constexpr PairConstant(long double number)
      : high(static_cast<T>(number)), low(static_cast<T>(number - high)) {}
  T high, low;

  [[nodiscard]] LanePair<T> times(const LanePair<T>& a) const {
    const LanePair<T> p = two_product(a.high, Lane<T>(high));
    return {p.high, p.low + (a.high * low + a.low * high)};
  }
};

/// z(x) of gelu_tanh, which is x sigmoid(z): (1 + tanh(u)) / 2 = sigmoid(2 u), which does not cancel where
/// tanh is near -1.
struct Cubic {
  static constexpr long double slope = 1.59576912160573071175978423973752747L;  // 2 sqrt(2 / pi)
  static constexpr long double bend = 0.044715L;

  /// slope x (1 + bend x^2) as a pair: the sigmoid magnifies what is rounded here.
  template <LaneFloat T>
  static LanePair<T> of(const Lane<T>& x) {
    static constexpr PairConstant<T> outer(slope), inner(bend);
    const LanePair<T> term = inner.times(two_product(x, x));
    const LanePair<T> sum = two_sum(Lane<T>(T(1)), term.high);
    const LanePair<T> product = two_product(x, sum.high);
    return outer.times({product.high, product.low + x * (sum.low + term.low)});
  }
  static auto derivative(const auto& x) {
    return static_cast<double>(slope) * (1 + static_cast<double>(3 * bend) * square(x));
  }
};

template <class V>
struct Gates {
  V up, down;
};

/// sigmoid(sign z(x)) of gelu_tanh; the one of -1 is 1 minus that of 1.
class GeluTanhGate final : public Slope<GeluTanhGate> {
 public:
  static constexpr std::string_view slope_name = "gelu_tanh_gate";
  explicit GeluTanhGate(double sign) : sign_(sign) {}

  void describe(Attributes& a) override { a("sign", sign_); }
  template <LaneFloat T>
  [[nodiscard, gnu::always_inline]] Lane<T> value(const Lane<T>& x) const {
    const Gates<Lane<T>> gates = both(x);
    return sign_ > 0 ? gates.up : gates.down;
  }
  /// Those of 1 and -1. Inlined, for a call would save all registers for each lane, which costs as much
  /// again.
  template <LaneFloat T>
  [[gnu::always_inline]] static Gates<Lane<T>> both(const Lane<T>& x) {
    const Lane<T> near = where(x > 40, 40, where(x < -40, -40, x));  // there it is 0 or 1
    const LanePair<T> z = Cubic::of(near);
    const Lane<T> down = where(near > 0, Lane<T>(T(-1)), Lane<T>(T(1)));
    const Lane<T> e = exp(LanePair<T>{down * z.high, down * z.low});
    const Lane<T> larger = 1 / (1 + e), smaller = e * larger;
    return {where(near < 0, smaller, larger), where(near < 0, larger, smaller)};
  }
  static Gates<Tensor> both(const Tensor& x) { return {GeluTanhGate(1)(x), GeluTanhGate(-1)(x)}; }
  [[nodiscard]] Tensor rule(const Tensor& g, const Tensor& x) const {
    const Tensor c = within(x, 40);
    const Gates<Tensor> gates = both(c);
    return g * (sign_ * Cubic::derivative(c) * gates.up * gates.down);
  }

 private:
  double sign_;
};

struct GeluTanh final : Unary<GeluTanh, OpId::gelu_tanh> {
  static constexpr Reads saves = input_bit(0);
  static auto value(const auto& x) { return where(x == -inf, -1, x) * GeluTanhGate(1)(x); }
  static auto rule(const auto& g, const auto& x) {
    const auto c = within(x, 40);
    const auto gates = GeluTanhGate::both(c);
    return g * (gates.up * (1 + c * Cubic::derivative(c) * gates.down));
  }
};

/// sigmoid(x) and sigmoid(-x) of one exponential, to the bits of each alone.
template <LaneFloat T>
[[gnu::always_inline]] inline Gates<Lane<T>> sigmoid_both(const Lane<T>& x) {
  const Lane<T> e = exp(-abs(x)), sum = 1 + e;
  const Mask<T> below = x < 0;
  return {where(below, e, 1) / sum, where(below, Lane<T>(T(1)), e) / sum};
}

/// silu'', s(x) s(-x) (2 - x tanh(x / 2)) of the sigmoid s.
struct SiluBend final : Slope<SiluBend> {
  static constexpr std::string_view slope_name = "silu_bend";
  template <LaneFloat T>
  static Lane<T> value(const Lane<T>& x) {
    const Lane<T> size = abs(within(x, 800)), e = exp(-size);
    const Lane<T> y = e / square(1 + e) * (2 - size * tanh(0.5 * size));
    const Mask<T> far = size > -faint_exp<T>;
    return any(far) ? where(far, times_exp(2 - size, -size), y) : y;
  }
  static Tensor rule(const Tensor& g, const Tensor& x) {
    const Tensor c = within(x, 800), t = tanh(0.5 * c), bend = sigmoid(c) * sigmoid(-c);
    return g * (bend * (t * (c * t - 3) - 2 * (c * bend)));
  }
};

struct SiluSlope final : Slope<SiluSlope> {
  static constexpr std::string_view slope_name = "silu_slope";
  template <LaneFloat T>
  [[gnu::always_inline]] static Lane<T> value(const Lane<T>& x) {
    const Lane<T> c = within(x, 800);
    const Gates<Lane<T>> gates = sigmoid_both(c);
    const Lane<T> y = gates.up * (1 + c * gates.down);
    const Mask<T> far = c < faint_exp<T>;
    if (!any(far)) [[likely]]
      return y;
    return where(far, times_exp(1 + c, c), y);
  }
  static Tensor rule(const Tensor& g, const Tensor& x) { return g * SiluBend::of(x); }
};

struct Silu final : Unary<Silu, OpId::silu> {
  static constexpr Reads saves = input_bit(0);
  template <LaneFloat T>
  static Lane<T> value(const Lane<T>& x) {
    const Lane<T> y = where(x == -inf, -1, x) * sigmoid(x);
    const Mask<T> far = x < faint_exp<T>;
    if (!any(far)) [[likely]]
      return y;
    const Lane<T> c = within(x, 800);
    return where(far, times_exp(c, c), y);
  }
  static auto rule(const auto& g, const auto& x) { return g * SiluSlope{}(x); }
};

}}  // namespace detail

using detail::OpId;

Tensor leaky_relu(const Tensor& x, double slope) {
  if (!std::isfinite(slope)) {
    throw ValueError(fmt::format("leaky_relu: slope must be finite, got {}", slope));
  }
  return detail::apply(detail::LeakyRelu(slope), x);
}

Tensor elu(const Tensor& x, double alpha) {
  if (!(alpha >= 0 && std::isfinite(alpha))) {
    throw ValueError(fmt::format("elu: alpha must be finite and not negative, got {}", alpha));
  }
  return detail::apply(detail::Elu(alpha), x);
}

Tensor normal_cdf(const Tensor& x) { return detail::apply(detail::NormalCdf{}, x); }
Tensor gelu(const Tensor& x) { return detail::apply(detail::Gelu{}, x); }
Tensor gelu_tanh(const Tensor& x) { return detail::apply(detail::GeluTanh{}, x); }
Tensor silu(const Tensor& x) { return detail::apply(detail::Silu{}, x); }

}  // namespace xtgrad::v1
