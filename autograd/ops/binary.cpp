#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/formulas/binary.h"
#include "xtgrad/autograd/ops/add.h"
#include "xtgrad/autograd/ops/both_rules.h"
#include "xtgrad/autograd/ops/elementwise.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/ops/summed_rule.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

constexpr Reads both = input_bit(0) | input_bit(1);

/// A primitive of two tensors that broadcast, whose formula has `rule_a` and `rule_b`, of the cotangent and
/// the values that are saved for them. With `Integers`, its value also works on Integer, and int64 tensors
/// are taken.
template <OpId Id, class F, Reads ForA, Reads ForB, bool Integers>
class Binary final : public Elementwise<Binary<Id, F, ForA, ForB, Integers>, F, Id, 2, Integers> {
 public:
  [[nodiscard]] Reads reads(Wanted wanted) const override {
    return (is_wanted(wanted, 0) ? ForA : reads_nothing) | (is_wanted(wanted, 1) ? ForB : reads_nothing);
  }
  template <int K>
  using RulePart = std::conditional_t<K == 0, RuleA, RuleB>;

  void vjp(VjpContext& context) const override {
    const bool of_b = context.wanted(1);
    if constexpr (ForA == input_bit(1) && ForB == input_bit(0)) {
      // What less costs is not passes over memory. Asked of the bytes: numbers are counted from shapes.
      constexpr std::size_t smallest = 1 << 14;
      if (of_b && array_of(context.g()).buffer.bytes() >= smallest && context.wanted(0) &&
          (set_both_gradients<0>(this->self(), context) || set_both_gradients<1>(this->self(), context))) {
        return;
      }
    }
    if (context.wanted(0)) {
      Tensor g = of_b ? context.g() : context.take_g();
      context.set(0, run<0, ForA>(context, std::move(g)));
    }
    if (of_b) {
      context.set(1, run<1, ForB>(context, context.take_g()));
    }
  }

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

struct Sub final : Elementwise<Sub, formulas::Sub, OpId::sub, 2, true> {
  void vjp(VjpContext& context) const override {
    if (context.wanted(0)) context.set(0, summed_to(context.g(), context.shape(0)));
    if (context.wanted(1)) context.set(1, neg(summed_to(context.g(), context.shape(1))));
  }
};

using Mul = Binary<OpId::mul, formulas::Mul, input_bit(1), input_bit(0), true>;
using Div = Binary<OpId::div, formulas::Div, input_bit(1), both, false>;
using Pow = Binary<OpId::pow, formulas::Pow, both, both, false>;
using Maximum = Binary<OpId::maximum, formulas::Maximum, both, both, true>;
using Minimum = Binary<OpId::minimum, formulas::Minimum, both, both, true>;

/// The step that a derivative of pow is on tensors.
class PowSlope final : public DifferentiablePrimitive<PowSlope> {
 public:
  explicit PowSlope(PowerOrder order = {}) : order_(order) {}

  void describe(Attributes& a) override {
    a("in_base", order_.in_x);
    a("in_exponent", order_.in_y);
  }
  [[nodiscard]] std::string_view name() const override { return "pow_slope"; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    *out[0] = *in[0];
    out[0]->shape = common_shape(OpId::pow, in[0]->shape, in[1]->shape);
  }
  void eval(Inputs in, Outputs out) const override {
    map_formula<Call>(formulas::PowSlope(order_), *out[0], *in[0], *in[1]);
  }
  [[nodiscard]] InputSet may_overwrite(int) const override { return input_bit(0) | input_bit(1); }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return out[0]->shape.numel();
  }
  [[nodiscard]] Reads reads(Wanted) const override { return both; }
  void vjp(VjpContext& context) const override {
    const Tensor a = context.input(0), b = context.input(1);
    const auto [n, m] = order_;
    if (context.wanted(0)) {
      context.set(0, summed_to(context.g() * apply(PowSlope({n + 1, m}), a, b), context.shape(0)));
    }
    if (context.wanted(1)) {
      context.set(1, summed_to(context.g() * apply(PowSlope({n, m + 1}), a, b), context.shape(1)));
    }
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 2);
    require_floating(name(), in);
    // Their number of factors is exponential in the lesser one at the edges.
    constexpr int most = 16;
    require_attribute(order_.in_x >= 0 && order_.in_x <= most, name(), "in_base", "from 0 to 16",
                      order_.in_x);
    require_attribute(order_.in_y >= 0 && order_.in_y <= most, name(), "in_exponent", "from 0 to 16",
                      order_.in_y);
  }

 private:
  PowerOrder order_;
};

}  // namespace

Tensor formulas::PowSlope::operator()(const Tensor& a, const Tensor& b) const {
  return apply(detail::PowSlope(order_), a, b);
}

}  // namespace detail

Tensor add(const Tensor& a, const Tensor& b) { return detail::apply(detail::Add{}, a, b); }
Tensor sub(const Tensor& a, const Tensor& b) { return detail::apply(detail::Sub{}, a, b); }
Tensor mul(const Tensor& a, const Tensor& b) { return detail::apply(detail::Mul{}, a, b); }
Tensor div(const Tensor& a, const Tensor& b) { return detail::apply(detail::Div{}, a, b); }
Tensor pow(const Tensor& a, const Tensor& b) { return detail::apply(detail::Pow{}, a, b); }
Tensor maximum(const Tensor& a, const Tensor& b) { return detail::apply(detail::Maximum{}, a, b); }
Tensor minimum(const Tensor& a, const Tensor& b) { return detail::apply(detail::Minimum{}, a, b); }

}  // namespace xtgrad::v1
