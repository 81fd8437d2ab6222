#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/kernels/sum_to.h"
#include "xtgrad/autograd/ops/rule.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1::detail {

/// Rule K of a primitive, of N operands of one shape, summed to another shape: what the rule gives is summed
/// block by block while it is in cache, and is nowhere kept as a whole.
template <class P, int K, std::size_t N>
class SummedRuleOf final : public ConstantPrimitive<SummedRuleOf<P, K, N>> {
 public:
  explicit SummedRuleOf(const P& primitive = P(), const Shape& shape = {})
      : primitive_(primitive), shape_(shape) {}

  [[nodiscard]] std::string_view name() const override {
    return {rule_name<P::op, K>.data(), rule_name<P::op, K>.size()};
  }
  void describe(Attributes& a) override {
    primitive_.describe(a);
    a("summed_to", shape_);
  }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = {shape_, in[0]->dtype}; }
  void eval(Inputs in, Outputs out) const override {
    visit_floating(in[0]->dtype, [&](auto zero) {
      using T = decltype(zero);
      Context<T> context{this, {}};
      for (std::size_t k = 0; k < N; ++k) context.operands[k] = in[k]->template data<T>();
      sum_to_shape({in[0]->dtype, fill<T>, &context}, in[0]->shape, *out[0]);
    });
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 2 * in[0]->shape.numel();
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, N);
    require_floating(name(), in);
    for (const Spec* each : in) require_spec(name(), "an operand", *each, *in[0]);
    require_stretches(name(), shape_, in[0]->shape);
    require_attribute(shape_.numel() != in[0]->shape.numel(), name(), "summed_to",
                      "fewer elements than operands have", shape_.numel());
  }

 private:
  template <class T>
  struct Context {
    const SummedRuleOf* self;
    std::array<const T*, N> operands;
  };

  template <class T>
  static void fill(const void* context, std::int64_t first, std::int64_t n, void* to) {
    const auto& [self, operands] = *static_cast<const Context<T>*>(context);
    std::array<const void*, N> from;
    for (std::size_t k = 0; k < N; ++k) from[k] = operands[k] + first;
    run_inner_row<T>(row_formula<T, RulePartOf<P, K>, N>(self->primitive_.formula()), n, from, 0, {&to, 1});
  }

  P primitive_;
  Shape shape_;
};

/// `summed_to(evaluate_onto<K>(primitive, g, values...), shape)`, to the same bits. Who watches is shown
/// these two steps; elsewhere, where operands have g's shape, there is one, which asks for no memory of that
/// size.
template <int K, class P, class... Values>
Tensor evaluate_summed(const P& primitive, Tensor g, const Shape& shape, const Values&... values) {
  const bool in_one = !(g.shape() == shape) && ((array_of(values).shape == g.shape()) && ...) &&
                      g.numel() != shape.numel() &&
                      (thread_state.mode & (recording_mode | watched_mode)) == 0;
  if (!in_one) return summed_to(evaluate_onto<K>(primitive, std::move(g), values...), shape);
  return apply_constant(SummedRuleOf<P, K, 1 + sizeof...(Values)>(primitive, shape), g, values...);
}

}  // namespace xtgrad::v1::detail
