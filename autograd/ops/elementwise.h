#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "xtgrad/autograd/core/batch.h"
#include "xtgrad/autograd/kernels/scalar_map.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/rule.h"

namespace xtgrad::inline v1::detail {

// What elementwise primitives share. A family member says `value`, its formula, and `rule`, its derivative's,
// as generic functions of values: on lanes they are kernels, on tensors they record (docs/architecture.md:
// one formula, two evaluators). A formula calls library functions alone, found by argument-dependent lookup.

/// The value of a primitive of N tensors of one dtype that broadcast: Self offers `value(x...)`. With
/// `Integers`, `value` also works on Integer, and int64 tensors are taken; Self may then hide
/// `integer_formula`.
template <class Self, OpId Id, std::size_t N, bool Integers>
class Elementwise : public PrimitiveOf<Self, Id> {
 public:
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

  /// `value` for int64, as a function that is made once for all elements.
  auto integer_formula() const {
    return [this](const auto&... x) { return self().value(x...); };
  }

 protected:
  ~Elementwise() = default;

  [[nodiscard]] const Self& self() const { return static_cast<const Self&>(*this); }

 private:
  template <std::size_t... K>
  void eval_on(Inputs in, Array& out, std::index_sequence<K...>) const {
    if constexpr (Integers) {
      if (out.dtype == Dtype::int64) {
        scalar_map<Integer, of_each<Integer, K>...>(self().integer_formula(), out, {in[K]...});
        return;
      }
    }
    map_to([this](const auto&... x) { return self().value(x...); }, out, *in[K]...);
  }

  template <class T>
  static void run_tile(const Primitive& primitive, std::int64_t n, const void* const* in, InputSet repeated,
                       void* const* out) {
    const Self& self = static_cast<const Self&>(primitive);
    map_tile<T, N, 1>([&self](const auto&... x) { return self.value(x...); }, n, in, repeated, out);
  }

  template <class T, std::size_t>
  using of_each = T;
};

/// A primitive of one tensor. Self offers `value(x)`, `rule(g, saved)` and `saves`: input_bit(0), output_bit
/// or reads_nothing (then `rule(g)`).
template <class Self, OpId Id, bool Integers = false>
class Unary : public Elementwise<Self, Id, 1, Integers> {
 public:
  [[nodiscard]] Reads reads(Wanted) const override { return Self::saves; }
  auto formula(Index<0>, const auto&... v) const { return this->self().rule(v...); }

  void vjp(VjpContext& context) const override {
    if constexpr (Self::saves == reads_nothing) {
      context.set(0, evaluate_onto(this->self(), context.take_g()));
    } else {
      const SavedValue saved = Self::saves == output_bit ? context.output() : context.input(0);
      context.set(0, evaluate_onto(this->self(), context.take_g(), saved));
    }
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    context.set(0, apply(this->self(), context.input(0).tensor));
    return true;
  }

 protected:
  ~Unary() = default;
};

}  // namespace xtgrad::v1::detail
