#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/lanes_normal.h"
#include "xtgrad/autograd/ops/elementwise.h"

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
  static auto value_with(const auto& x, double slope) { return where(x >= 0, x, slope * x); }
  static auto rule(const auto& g, const auto& x, double slope) {
    return g * where(x <= 0, slope, sign(x));  // 1 above, and NaN at NaN, which is on neither side
  }
};

struct Elu final : Activation<Elu, OpId::elu> {
  using Activation::Activation;
  static constexpr auto number_name = "alpha";
  static auto value_with(const auto& x, double alpha) { return where(x > 0, x, alpha * expm1(x)); }
  // The minimum: e^x of the branch not taken overflows, and its own rule would make 0 * inf of that.
  static auto rule(const auto& g, const auto& x, double alpha) {
    const double at_zero = alpha < 1 ? alpha : 1;
    return g * where(x > 0, 1, where(x == 0, at_zero, alpha * exp(minimum(x, 0))));
  }
};

/// x within +-limit, where a term that vanishes faster than any power is already 0: its factor x must not be
/// infinite.
auto within(const auto& x, double limit) { return minimum(maximum(x, -limit), limit); }

/// The standard normal density.
auto normal_density(const auto& x) {
  return 0.39894228040143267794 * exp(-0.5 * square(x));  // 1 / sqrt(2 pi)
}

struct NormalCdf final : Unary<NormalCdf, OpId::normal_cdf> {
  static constexpr Reads saves = input_bit(0);
  static auto value(const auto& x) { return normal_cdf(x); }
  static auto rule(const auto& g, const auto& x) { return g * normal_density(within(x, 40)); }
};

struct Gelu final : Unary<Gelu, OpId::gelu> {
  static constexpr Reads saves = input_bit(0);
  static auto value(const auto& x) { return where(x == -inf, -0.0, x * normal_cdf(x)); }
  static auto rule(const auto& g, const auto& x) {
    const auto c = within(x, 40);
    return g * (normal_cdf(x) + c * normal_density(c));
  }
};

/// (1 + tanh(u)) / 2 = sigmoid(2 u), which does not cancel where tanh is near -1; and 1 - sigmoid(z) =
/// sigmoid(-z).
struct GeluTanh final : Unary<GeluTanh, OpId::gelu_tanh> {
  static constexpr Reads saves = input_bit(0);
  static constexpr double slope = 1.5957691216057307118;  // 2 sqrt(2 / pi)
  static constexpr double cubic = 0.044715;

  static auto argument(const auto& x) { return slope * (x * (1 + cubic * square(x))); }
  static auto value(const auto& x) { return where(x == -inf, -0.0, x * sigmoid(argument(x))); }
  static auto rule(const auto& g, const auto& x) {
    const auto c = within(x, 40);
    const auto z = argument(c);
    const auto s = sigmoid(z);
    return g * (s * (1 + c * (slope * (1 + 3 * cubic * square(c))) * sigmoid(-z)));
  }
};

struct Silu final : Unary<Silu, OpId::silu> {
  static constexpr Reads saves = input_bit(0);
  static auto value(const auto& x) { return where(x == -inf, -0.0, x * sigmoid(x)); }
  static auto rule(const auto& g, const auto& x) {
    const auto c = within(x, 800);
    return g * (sigmoid(c) * (1 + c * sigmoid(-c)));
  }
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
