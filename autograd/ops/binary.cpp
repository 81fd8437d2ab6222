#include "xtgrad/autograd/ops/add.h"
#include "xtgrad/autograd/ops/elementwise.h"
#include "xtgrad/autograd/ops/shape.h"

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
    if (context.wanted(0)) {
      Tensor g = both ? context.g() : context.take_g();
      context.set(0, summed_to(run<0, Self::saves_for_a>(context, std::move(g)), context.shape(0)));
    }
    if (both) {
      context.set(1, summed_to(run<1, Self::saves_for_b>(context, context.take_g()), context.shape(1)));
    }
  }

 protected:
  ~Binary() = default;

 private:
  template <int K, Reads Saves>
  Tensor run(const VjpContext& context, Tensor g) const {
    if constexpr (Saves == (input_bit(0) | input_bit(1))) {
      return evaluate_onto<K>(this->self(), std::move(g), context.input(0), context.input(1));
    } else if constexpr (Saves == input_bit(0)) {
      return evaluate_onto<K>(this->self(), std::move(g), context.input(0));
    } else {
      static_assert(Saves == input_bit(1));
      return evaluate_onto<K>(this->self(), std::move(g), context.input(1));
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

struct Pow final : Binary<Pow, OpId::pow, false> {
  static constexpr Reads saves_for_a = both;
  static constexpr Reads saves_for_b = both;
  static auto value(const auto& a, const auto& b) { return pow(a, b); }
  // b a^(b-1), written as b a^b / a where b = 0: there the value is 0 without a 0 * infinity, and derivatives
  // in b are those of the smooth function. 0^0 and NaN^0 are constant.
  static auto rule_a(const auto& g, const auto& a, const auto& b) {
    const auto flat = b == 0;
    const auto base = where(flat, where(a == 0, 1, where(a != a, 1, a)), a);
    const auto slope = b * pow(base, where(flat, b, b - 1)) / where(flat, base, 1);
    return g * where(flat, where(a == 0, 0, where(a != a, 0, slope)), slope);
  }
  // a^b log(a): at a = 0 its limit is -infinity for b < 0, as computed, and 0 for b > 0, and 0 is what 0^0
  // has been given. There the base is made harmless, because 0 * log(0) is NaN. Of 0^1 the derivative in a
  // and b is 1, whichever comes first. -0 counts as 0, whose power has no sign.
  static auto rule_b(const auto& g, const auto& a, const auto& b) {
    const auto zero = a == 0, falls = b >= 0;
    const auto base = where(zero, where(falls, 1, a + 0), a);
    const auto slope = pow(base, b) * log(base);
    return g * where(zero, where(falls, where(b == 1, a, 0), slope), slope);
  }
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
