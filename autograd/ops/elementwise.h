#pragma once

#include <cstddef>
#include <utility>

#include "xtgrad/autograd/core/batch.h"
#include "xtgrad/autograd/kernels/scalar_map.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/rule.h"

namespace xtgrad::inline v1::detail {

// What elementwise primitives share. A family member has a formula (formulas/), whose value it computes and
// whose rules it records or runs. A formula calls library functions alone, found by argument-dependent
// lookup.

/// The value of a formula F of N tensors of one dtype that broadcast. With `Integers`, `value` also works on
/// Integer, and int64 tensors are taken; Self may then hide `integer_formula`.
template <class Self, class F, OpId Id, std::size_t N, bool Integers>
class Elementwise : public PrimitiveOf<Self, Id> {
 public:
  Elementwise() = default;
  explicit Elementwise(const F& formula) : formula_(formula) {}

  [[nodiscard]] const F& formula() const { return formula_; }

  void infer(InputSpecs in, OutputSpecs out) const override {
    for (std::size_t i = 1; i < N; ++i) check_same_dtype(Id, *in[0], *in[i]);
    if constexpr (Integers) {
      check_numeric(Id, *in[0]);
    } else {
      check_floating(Id, *in[0]);
    }
    *out[0] = *in[0];
    for (std::size_t i = 1; i < N; ++i) {
      if (!(in[i]->shape == out[0]->shape)) out[0]->shape = common_shape(Id, out[0]->shape, in[i]->shape);
    }
  }

  void eval(Inputs in, Outputs out) const override { eval_on(in, *out[0], std::make_index_sequence<N>{}); }

  [[nodiscard]] InputSet may_overwrite(int) const override { return (InputSet{1} << N) - 1; }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return out[0]->shape.numel();
  }

  [[nodiscard]] TileKernel bind(InputSpecs in) const override {
    if (!FloatingTypes::contains(in[0]->dtype)) return nullptr;
    return visit_floating(in[0]->dtype, [](auto zero) -> TileKernel { return run_tile<decltype(zero)>; });
  }

  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_broadcasting(*this, context);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { this->require_call(in, out, N); }

  /// `value` for int64, as a function that is made once for all elements.
  auto integer_formula() const {
    return [this](const auto&... x) { return formula_.value(x...); };
  }

 protected:
  ~Elementwise() = default;

  [[nodiscard]] const Self& self() const { return static_cast<const Self&>(*this); }

  [[no_unique_address]] F formula_;

 private:
  template <std::size_t... K>
  void eval_on(Inputs in, Array& out, std::index_sequence<K...>) const {
    if constexpr (Integers) {
      if (out.dtype == Dtype::int64) {
        scalar_map<Integer, of_each<Integer, K>...>(self().integer_formula(), out, {in[K]...});
        return;
      }
    }
    map_formula<Value>(formula_, out, *in[K]...);
  }

  template <class T>
  static void run_tile(const Primitive& primitive, std::int64_t n, const void* const* in, InputSet repeated,
                       void* const* out) {
    run_row<F, Value, T, N>(static_cast<const Self&>(primitive).formula(), n, in, repeated, out);
  }

  template <class T, std::size_t>
  using of_each = T;
};

/// A primitive of one tensor, whose formula has a `rule` of the cotangent and of what it `Saves`:
/// input_bit(0), output_bit or reads_nothing. Self has a name of its source's alone, or the compiler would
/// make calls of what is called once.
template <class Self, class F, OpId Id, Reads Saves, bool Integers = false>
class Unary : public Elementwise<Self, F, Id, 1, Integers> {
 public:
  using Elementwise<Self, F, Id, 1, Integers>::Elementwise;
  template <int>
  using RulePart = Rule;

  void describe(Attributes& a) override {
    if constexpr (requires(F & f) { f.describe(a); }) this->formula_.describe(a);
  }
  [[nodiscard]] Reads reads(Wanted) const override { return Saves; }

  void vjp(VjpContext& context) const override {
    if constexpr (Saves == reads_nothing) {
      context.set(0, evaluate_onto(this->self(), context.take_g()));
    } else {
      const SavedValue saved = Saves == output_bit ? context.output() : context.input(0);
      context.set(0, evaluate_onto(this->self(), context.take_g(), saved));
    }
  }

 protected:
  ~Unary() = default;
};

}  // namespace xtgrad::v1::detail
