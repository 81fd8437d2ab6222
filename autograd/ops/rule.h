#pragma once

#include <array>
#include <string_view>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/kernels/formula.h"
#include "xtgrad/autograd/ops/batching.h"

namespace xtgrad::inline v1::detail {

/// The part of its formula that is rule K of a primitive.
template <class P, int K>
using RulePartOf = typename P::template RulePart<K>;

/// "tanh.rule0", known to the compiler.
template <OpId Id, int K>
inline constexpr auto rule_name = [] {
  constexpr std::string_view op = to_string(Id);
  constexpr std::string_view suffix = ".rule";
  std::array<char, op.size() + suffix.size() + 1> name{};
  std::size_t at = 0;
  for (const char letter : op) name[at++] = letter;
  for (const char letter : suffix) name[at++] = letter;
  name[at] = static_cast<char>('0' + K);
  return name;
}();

/// Rule k of a primitive, with its attributes, of N operands that broadcast: one fused pass over lanes.
template <class P, int K, std::size_t N>
class RuleOf final : public ConstantPrimitive<RuleOf<P, K, N>> {
 public:
  explicit RuleOf(const P& primitive = P()) : primitive_(primitive) {}

  [[nodiscard]] std::string_view name() const override {
    return {rule_name<P::op, K>.data(), rule_name<P::op, K>.size()};
  }
  void describe(Attributes& a) override { primitive_.describe(a); }

  void infer(InputSpecs in, OutputSpecs out) const override {
    *out[0] = *in[0];
    for (std::size_t i = 1; i < N; ++i) {
      if (!(in[i]->shape == out[0]->shape)) {
        out[0]->shape = broadcast_shapes(name(), out[0]->shape, in[i]->shape);
      }
    }
  }
  void eval(Inputs in, Outputs out) const override {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      map_formula<RulePartOf<P, K>>(primitive_.formula(), *out[0], *in[I]...);
    }
    (std::make_index_sequence<N>{});
  }
  [[nodiscard]] InputSet may_overwrite(int) const override { return (InputSet{1} << N) - 1; }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return out[0]->shape.numel();
  }
  [[nodiscard]] TileKernel bind(InputSpecs in) const override {
    return visit_floating(in[0]->dtype, [](auto zero) -> TileKernel { return run_tile<decltype(zero)>; });
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_broadcasting(*this, context);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, N);
    require_floating(name(), in);
  }

 private:
  template <class T>
  static void run_tile(const Primitive& primitive, std::int64_t n, const void* const* in, InputSet repeated,
                       void* const* out) {
    const auto& formula = static_cast<const RuleOf&>(primitive).primitive_.formula();
    run_row<std::remove_cvref_t<decltype(formula)>, RulePartOf<P, K>, T, N>(formula, n, in, repeated, out);
  }

  P primitive_;
};

inline bool wants_gradient(const Tensor& value) { return node_of(value).requires_grad(); }
inline bool wants_gradient(const SavedValue& value) { return value.requires_grad(); }
inline const Tensor& as_tensor(const Tensor& value) { return value; }
inline Tensor as_tensor(const SavedValue& value) { return value; }

/// One formula, two evaluators: rule K of `primitive`'s, on the tensors themselves where the result must be
/// differentiable, else in one fused pass over lanes. Operands are Tensors or SavedValues.
template <int K = 0, class P, class... Values>
Tensor evaluate(const P& primitive, const Values&... values) {
  if (thread_state.records() && (wants_gradient(values) || ...)) {
    return RulePartOf<P, K>::of(primitive.formula(), as_tensor(values)...);
  }
  return apply_constant(RuleOf<P, K, sizeof...(Values)>(primitive), values...);
}

/// `evaluate` for the last use of a cotangent, of the result's shape: where nobody else can see its elements,
/// the result takes them over, and its node.
template <int K = 0, class P, class... Values>
Tensor evaluate_onto(const P& primitive, Tensor g, const Values&... values) {
  Node& node = node_of(g);
  // Whoever watches may want to see what went in, after the fact.
  if (!may_change(node) || (thread_state.mode & (recording_mode | watched_mode)) != 0) {
    return evaluate<K>(primitive, g, values...);
  }
  compute_in_place(RuleOf<P, K, 1 + sizeof...(Values)>(primitive), node.array, array_of(values)...);
  return g;
}

}  // namespace xtgrad::v1::detail
