#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/ops/both_rules.h"
#include "xtgrad/autograd/ops/elementwise.h"
#include "xtgrad/autograd/ops/summed_rule.h"

namespace xtgrad::inline v1::detail {

/// What both rules read of, or one.
inline constexpr Reads both = input_bit(0) | input_bit(1);

/// A primitive of two tensors that broadcast, whose formula has `rule_a` and `rule_b`, of the cotangent and
/// the values that are saved for them. With `Integers`, its value also works on Integer, and int64 tensors
/// are taken. Self has a name of its source's alone, as in Unary.
template <class Self, class F, OpId Id, Reads ForA, Reads ForB, bool Integers = false>
class Binary : public Elementwise<Self, F, Id, 2, Integers> {
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

}  // namespace xtgrad::v1::detail
