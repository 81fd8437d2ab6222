#include <cstdint>
#include <string_view>

#include "xtgrad/autograd/kernels/lanes_power_slope.h"
#include "xtgrad/autograd/ops/add.h"
#include "xtgrad/autograd/ops/both_rules.h"
#include "xtgrad/autograd/ops/elementwise.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/ops/summed_rule.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// A primitive of two tensors that broadcast: Self offers `value(a, b)`, and `rule_a(g, ...)` and
/// `rule_b(g, ...)`, which take after the cotangent exactly the values that `saves_for_a` and `saves_for_b`
/// name, a before b. With `Integers`, `value` also works on Integer, and int64 tensors are taken.
template <class Self, OpId Id, bool Integers>
class Binary : public Elementwise<Self, Id, 2, Integers> {
 public:
  [[nodiscard]] Reads reads(Wanted wanted) const override {
    return (is_wanted(wanted, 0) ? Self::saves_for_a : reads_nothing) |
           (is_wanted(wanted, 1) ? Self::saves_for_b : reads_nothing);
  }
  auto formula(Index<0>, const auto&... v) const { return Self::rule_a(v...); }
  auto formula(Index<1>, const auto&... v) const { return Self::rule_b(v...); }

  void vjp(VjpContext& context) const override {
    const bool both = context.wanted(1);
    if constexpr (Self::saves_for_a == input_bit(1) && Self::saves_for_b == input_bit(0)) {
      // What less costs is not passes over memory. Asked of the bytes: numbers are counted from shapes.
      constexpr std::size_t smallest = 1 << 14;
      if (both && array_of(context.g()).buffer.bytes() >= smallest && context.wanted(0) &&
          (set_both_gradients<0>(this->self(), context) || set_both_gradients<1>(this->self(), context))) {
        return;
      }
    }
    if (context.wanted(0)) {
      Tensor g = both ? context.g() : context.take_g();
      context.set(0, run<0, Self::saves_for_a>(context, std::move(g)));
    }
    if (both) {
      context.set(1, run<1, Self::saves_for_b>(context, context.take_g()));
    }
  }

 protected:
  ~Binary() = default;

 private:
  /// The gradient of input K.
  template <int K, Reads Saves>
  Tensor run(const VjpContext& context, Tensor g) const {
    const Shape& shape = context.shape(K);
    if constexpr (Saves == (input_bit(0) | input_bit(1))) {
      return evaluate_summed<K>(this->self(), std::move(g), shape, context.input(0), context.input(1));
    } else if constexpr (Saves == input_bit(0)) {
      return evaluate_summed<K>(this->self(), std::move(g), shape, context.input(0));
    } else {
      static_assert(Saves == input_bit(1));
      return evaluate_summed<K>(this->self(), std::move(g), shape, context.input(1));
    }
  }
};

constexpr Reads both = input_bit(0) | input_bit(1);

struct Sub final : Elementwise<Sub, OpId::sub, 2, true> {
  static auto value(const auto& a, const auto& b) { return a - b; }
  void vjp(VjpContext& context) const override {
    if (context.wanted(0)) context.set(0, summed_to(context.g(), context.shape(0)));
    if (context.wanted(1)) context.set(1, neg(summed_to(context.g(), context.shape(1))));
  }
};

struct Mul final : Binary<Mul, OpId::mul, true> {
  static constexpr Reads saves_for_a = input_bit(1);
  static constexpr Reads saves_for_b = input_bit(0);
  static auto value(const auto& a, const auto& b) { return a * b; }
  static auto rule_a(const auto& g, const auto& b) { return g * b; }
  static auto rule_b(const auto& g, const auto& a) { return g * a; }
};

struct Div final : Binary<Div, OpId::div, false> {
  static constexpr Reads saves_for_a = input_bit(1);
  static constexpr Reads saves_for_b = both;
  static auto value(const auto& a, const auto& b) { return a / b; }
  static auto rule_a(const auto& g, const auto& b) { return g / b; }
  // a / b / b, not a / (b * b): the square of a large or small b would leave the range
  static auto rule_b(const auto& g, const auto& a, const auto& b) { return g * -(a / b / b); }
};

/// A derivative of pow, of whatever order, as a step: its derivatives are of the same kind. Composed of
/// b and pow(a, b - 1) it would lose the digits that b - 1 has lost, magnified by log(a).
class PowSlope final : public DifferentiablePrimitive<PowSlope> {
 public:
  explicit PowSlope(PowerOrder order) : order_(order) {}

  void describe(Attributes& a) override {
    a("in_base", order_.in_x);
    a("in_exponent", order_.in_y);
  }
  [[nodiscard]] std::string_view name() const override { return "pow_slope"; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    *out[0] = *in[0];
    out[0]->shape = common_shape(OpId::pow, in[0]->shape, in[1]->shape);
  }
  void eval(Inputs in, Outputs out) const override { map_to(*this, *out[0], *in[0], *in[1]); }
  [[nodiscard]] InputSet may_overwrite(int) const override { return input_bit(0) | input_bit(1); }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return out[0]->shape.numel();
  }
  [[nodiscard]] Reads reads(Wanted) const override { return both; }
  void vjp(VjpContext& context) const override {
    const Tensor a = context.input(0), b = context.input(1);
    const auto [n, m] = order_;
    if (context.wanted(0)) {
      context.set(0, summed_to(context.g() * PowSlope({n + 1, m})(a, b), context.shape(0)));
    }
    if (context.wanted(1)) {
      context.set(1, summed_to(context.g() * PowSlope({n, m + 1})(a, b), context.shape(1)));
    }
  }

  /// The value, and on tensors a step that is recorded.
  template <LaneFloat T>
  Lane<T> operator()(Lane<T> a, Lane<T> b) const {
    return power_slope(order_, a, b);
  }
  Tensor operator()(const Tensor& a, const Tensor& b) const { return apply(*this, a, b); }

 private:
  PowerOrder order_;
};

struct Pow final : Binary<Pow, OpId::pow, false> {
  static constexpr Reads saves_for_a = both;
  static constexpr Reads saves_for_b = both;
  static auto value(const auto& a, const auto& b) { return pow(a, b); }
  static auto rule_a(const auto& g, const auto& a, const auto& b) { return g * PowSlope({1, 0})(a, b); }
  static auto rule_b(const auto& g, const auto& a, const auto& b) { return g * PowSlope({0, 1})(a, b); }
};

/// The cotangent follows the value that was chosen, a NaN included; a tie is shared.
struct Maximum final : Binary<Maximum, OpId::maximum, true> {
  static constexpr Reads saves_for_a = both;
  static constexpr Reads saves_for_b = both;
  static auto value(const auto& a, const auto& b) { return maximum(a, b); }
  static auto rule_a(const auto& g, const auto& a, const auto& b) {
    return where(a > b, g, where(a == b, 0.5 * g, where(a != a, g, 0)));
  }
  static auto rule_b(const auto& g, const auto& a, const auto& b) {
    return where(b > a, g, where(a == b, 0.5 * g, where(a != a, 0, where(b != b, g, 0))));
  }
};

struct Minimum final : Binary<Minimum, OpId::minimum, true> {
  static constexpr Reads saves_for_a = both;
  static constexpr Reads saves_for_b = both;
  static auto value(const auto& a, const auto& b) { return minimum(a, b); }
  static auto rule_a(const auto& g, const auto& a, const auto& b) {
    return where(a < b, g, where(a == b, 0.5 * g, where(a != a, g, 0)));
  }
  static auto rule_b(const auto& g, const auto& a, const auto& b) {
    return where(b < a, g, where(a == b, 0.5 * g, where(a != a, 0, where(b != b, g, 0))));
  }
};

}}  // namespace detail

Tensor add(const Tensor& a, const Tensor& b) { return detail::apply(detail::Add{}, a, b); }
Tensor sub(const Tensor& a, const Tensor& b) { return detail::apply(detail::Sub{}, a, b); }
Tensor mul(const Tensor& a, const Tensor& b) { return detail::apply(detail::Mul{}, a, b); }
Tensor div(const Tensor& a, const Tensor& b) { return detail::apply(detail::Div{}, a, b); }
Tensor pow(const Tensor& a, const Tensor& b) { return detail::apply(detail::Pow{}, a, b); }
Tensor maximum(const Tensor& a, const Tensor& b) { return detail::apply(detail::Maximum{}, a, b); }
Tensor minimum(const Tensor& a, const Tensor& b) { return detail::apply(detail::Minimum{}, a, b); }

}  // namespace xtgrad::v1
