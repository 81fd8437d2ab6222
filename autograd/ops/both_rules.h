#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/kernels/formula_rows.h"
#include "xtgrad/autograd/kernels/short_rows.h"
#include "xtgrad/autograd/kernels/sum_to.h"
#include "xtgrad/autograd/memory/pool_allocator.h"
#include "xtgrad/autograd/ops/rule.h"

namespace xtgrad::inline v1::detail {

// Where one operand has the result's shape and the other is a row or a column of it, both gradients are made
// in one pass: block by block the cotangent is read once for the terms of the sum, and written over with the
// other gradient while it is in cache.

/// How the smaller operand repeats: its element for number i of the result is number i % inner, of a row, or
/// i / inner, of a column.
struct Repetition {
  bool is_row = true;
  std::int64_t inner = 0;
};

/// None if the smaller operand is neither, or so short a row of a column that blocks would be single rows.
inline std::optional<Repetition> repetition_of(const Shape& small, const Shape& full) {
  constexpr std::int64_t shortest = 64;
  const std::int64_t n = small.numel(), inner = n == 0 ? 0 : full.numel() / n;
  if (n < 2 || inner < 2) return std::nullopt;
  std::int64_t leading = 1, trailing = 1;
  const std::size_t lead = full.rank() - small.rank();
  const auto is_same = [&](std::size_t d) { return d >= lead && small[d - lead] == full[d]; };
  std::size_t begin = 0, end = full.rank();
  while (begin < end && is_same(begin)) leading *= full[begin++];
  while (end > 0 && is_same(end - 1)) trailing *= full[--end];
  if (trailing == n) return Repetition{true, n};
  if (leading == n && inner >= shortest) return Repetition{false, inner};
  return std::nullopt;
}

/// "mul.both_rules", known to the compiler.
template <OpId Id>
inline constexpr auto both_rules_name = [] {
  constexpr std::string_view op = to_string(Id), suffix = ".both_rules";
  std::array<char, op.size() + suffix.size()> name{};
  std::copy(suffix.begin(), suffix.end(), std::copy(op.begin(), op.end(), name.begin()));
  return name;
}();

/// Rules 0 and 1 of a primitive of two operands, which read the cotangent and the other operand. Inputs: the
/// cotangent, the operand of its shape, which is number `Full`, and the other one; outputs: their gradients.
template <class P, int Full>
class BothRules final : public ConstantPrimitive<BothRules<P, Full>> {
 public:
  explicit BothRules(const P& primitive = P(), const Repetition& repetition = {})
      : primitive_(primitive), repetition_(repetition) {}

  [[nodiscard]] std::string_view name() const override {
    return {both_rules_name<P::op>.data(), both_rules_name<P::op>.size()};
  }
  void describe(Attributes& a) override {
    primitive_.describe(a);
    std::int64_t full = Full;
    a("full", full);
    a("is_row", repetition_.is_row);
    a("inner", repetition_.inner);
  }
  [[nodiscard]] Counts counts(InputSpecs) const override { return {.outputs = 2}; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    *out[0] = *in[0];
    *out[1] = *in[2];
  }
  void eval(Inputs in, Outputs out) const override {
    visit_floating(in[0]->dtype, [&](auto zero) {
      using T = decltype(zero);
      const Work<T> work(*this, in, *out[0]);
      sum_to_shape({in[0]->dtype, Work<T>::fill, &work}, in[0]->shape, *out[1]);
    });
  }
  [[nodiscard]] InputSet may_overwrite(int output) const override { return output == 0 ? 0b1 : 0; }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 3 * in[0]->shape.numel();
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, 3);
    require_floating(name(), in);
    require_spec(name(), "input 1", *in[1], *in[0]);
    require_stretches(name(), in[2]->shape, in[0]->shape);
    const std::optional<Repetition> found = repetition_of(in[2]->shape, in[0]->shape);
    require_attribute(found && found->is_row == repetition_.is_row, name(), "is_row",
                      "how input 2 repeats in input 0", repetition_.is_row);
    require_attribute(found->inner == repetition_.inner, name(), "inner", "how input 2 repeats in input 0",
                      repetition_.inner);
  }

 private:
  /// Elements of a block, whose cotangents stay in the first-level cache between the two rules.
  static constexpr std::int64_t block = 1 << 11;

  template <class T>
  class Work {
   public:
    Work(const BothRules& self, Inputs in, Array& out)
        : self_(self),
          g_(in[0]->template data<T>()),
          full_(in[1]->template data<T>()),
          small_(in[2]->template data<T>()),
          out_(out.mutable_data<T>()) {
      if (!self.repetition_.is_row || self.repetition_.inner >= block) return;
      // The row again and again, so that a block finds its operand side by side wherever it begins.
      const std::int64_t inner = self.repetition_.inner;
      repeated_.resize(static_cast<std::size_t>(inner + block));
      repeat_row(small_, inner, inner + block, repeated_.data());
    }

    static void fill(const void* context, std::int64_t first, std::int64_t n, void* to) {
      const Work& work = *static_cast<const Work*>(context);
      auto* terms = static_cast<T*>(to);
      while (n > 0) {
        const std::int64_t count = work.run_block(first, n, terms);
        first += count;
        n -= count;
        terms += count;
      }
    }

   private:
    /// Elements from `first` on, as many as one call can do.
    std::int64_t run_block(std::int64_t first, std::int64_t n, void* terms) const {
      const auto& formula = self_.primitive_.formula();
      const auto [is_row, inner] = self_.repetition_;
      const std::int64_t place = first % inner;
      const bool repeats = !repeated_.empty();
      const std::int64_t count = std::min({n, block, repeats ? block : inner - place});
      const T* other = is_row ? (repeats ? repeated_.data() : small_) + place : small_ + first / inner;
      const std::array<const void*, 2> of_term{g_ + first, full_ + first}, of_rule{g_ + first, other};
      run_inner_row<T>(row_formula<T, RulePartOf<P, 1 - Full>, 2>(formula), count, of_term, 0, {&terms, 1});
      void* to = out_ + first;
      run_inner_row<T>(row_formula<T, RulePartOf<P, Full>, 2>(formula), count, of_rule, is_row ? 0 : 0b10,
                       {&to, 1});
      return count;
    }

    const BothRules& self_;
    const T* g_;
    const T* full_;
    const T* small_;
    T* out_;
    std::vector<T, PoolAllocator<T>> repeated_;
  };

  P primitive_;
  Repetition repetition_;
};

/// Sets both gradients of a primitive of two operands whose rules read the other operand, to the bits of the
/// rules one after the other. False, and nothing is done, where that is not one pass or somebody watches.
template <int Full, class P>
[[gnu::noinline]] bool set_both_gradients(const P& primitive, VjpContext& context) {
  const Shape &full = context.shape(Full), &small = context.shape(1 - Full);
  if (!(context.g().shape() == full)) return false;
  if ((thread_state.mode & (recording_mode | watched_mode)) != 0) return false;
  const std::optional<Repetition> repetition = repetition_of(small, full);
  if (!repetition) return false;
  Tensor g = context.take_g();
  const bool in_place = may_change(node_of(g));
  Array of_full, of_small;
  compute(BothRules<P, Full>(primitive, *repetition),
          std::array{&array_of(g), &context.input(Full).array(), &context.input(1 - Full).array()},
          std::array{&of_full, &of_small}, in_place ? 0b1 : 0);
  context.set(1 - Full, make_constant(std::move(of_small)));
  context.set(Full, in_place ? std::move(g) : make_constant(std::move(of_full)));
  return true;
}

}  // namespace xtgrad::v1::detail
