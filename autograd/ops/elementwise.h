#pragma once

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/kernels/evaluate.h"
#include "xtgrad/autograd/kernels/scalar_map.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"

namespace xtgrad::inline v1::detail {

// What elementwise primitives share. A family member says `value`, its formula, and `rule`, its derivative's,
// as generic functions of values: on lanes they are kernels, on tensors they record (DESIGN: one formula, two
// evaluators). A formula calls library functions alone, found by argument-dependent lookup.

/// A primitive of one tensor. Self offers `value(x)`, `rule(g, saved)` and `saves`: input_bit(0), output_bit
/// or reads_nothing (then `rule(g)`). With `Integers`, `value` also works on Integer, and int64 tensors are
/// taken.
template <class Self, OpId Id, bool Integers = false>
class Unary : public PrimitiveOf<Id> {
 public:
  static constexpr bool integers = Integers;
  static Reads reads(Wanted) { return Self::saves; }

  [[nodiscard]] Array forward(const Array& x) const {
    if constexpr (Integers) {
      if (x.dtype == Dtype::int64) {
        Array out = Array::uninitialized(x.shape, x.dtype);
        scalar_map<Integer, Integer>([](Integer v) { return Self::value(v); }, out, {&x});
        return out;
      }
    }
    return map(
        to_string(Id), [](const auto& v) { return Self::value(v); }, x);
  }

  void vjp(VjpContext& context) const override {
    if constexpr (Self::saves == reads_nothing) {
      context.set(0, evaluate(
                         to_string(Id), [](const auto& g) { return Self::rule(g); }, context.g));
    } else {
      const SavedValue saved = Self::saves == output_bit ? context.output() : context.input(0);
      const auto rule = [](const auto& g, const auto& v) { return Self::rule(g, v); };
      context.set(0, evaluate(to_string(Id), rule, context.g, saved));
    }
  }

 protected:
  ~Unary() = default;
};

/// Checks the dtype and applies a unary primitive.
template <class P>
Tensor apply_unary(const Tensor& x) {
  if constexpr (P::integers) {
    check_numeric(P::op, x);
  } else {
    check_floating(P::op, x);
  }
  return apply(P{}, x);
}

}  // namespace xtgrad::inline v1::detail
