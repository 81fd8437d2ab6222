// Formulas on arrays, by loops that are compiled once for each set of instructions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/kernels/formula_rows.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail {

// A formula is a class with `value(x...)`, its rules' formulas, or a call: generic functions of values, which
// on lanes are kernels and on tensors record (docs/architecture.md: one formula, two evaluators). What is
// evaluated of one is its part.

struct Value {
  template <class F, class... X>
  static auto of(const F& f, const X&... x) {
    return f.value(x...);
  }
};
struct Rule {
  template <class F, class... X>
  static auto of(const F& f, const X&... x) {
    return f.rule(x...);
  }
};
/// Of two operands, the rule for the first one and that for the second.
struct RuleA {
  template <class F, class... X>
  static auto of(const F& f, const X&... x) {
    return f.rule_a(x...);
  }
};
struct RuleB {
  template <class F, class... X>
  static auto of(const F& f, const X&... x) {
    return f.rule_b(x...);
  }
};
struct Call {
  template <class F, class... X>
  static auto of(const F& f, const X&... x) {
    return f(x...);
  }
};

/// The loop of a formula's part over a row, a RowFormula's, and the part for one element of up to three
/// operands: all that an operation of a small graph computes, so its operands are handed over in registers.
/// The definitions are formulas/loops.h's; the sources of formulas/ list which there are.
XTGRAD_AT_EACH_LEVEL(template <class F, class Part, class T, std::size_t N, std::size_t M>
                     struct FormulaLoop {
                       static void run(const void* formula, std::int64_t n, const void* const* in,
                                       std::uint32_t repeated, void* const* out);
                       static void run_one(const void* formula, void* out, const void* a, const void* b,
                                           const void* c);
                     };)

using ElementFunction = void (*)(const void* formula, void* out, const void* a, const void* b, const void* c);
/// Operands that `run_one` takes.
inline constexpr std::size_t most_operands_of_one = 3;

/// Those of the chosen instructions.
template <class F, class Part, class T, std::size_t N, std::size_t M>
RowLoop chosen_loop() {
#if defined(XTGRAD_LEVELS) && !defined(XTGRAD_LEVEL_SOURCE)
  return ChosenKernel<baseline::FormulaLoop<F, Part, T, N, M>::run, avx2::FormulaLoop<F, Part, T, N, M>::run,
                      avx512::FormulaLoop<F, Part, T, N, M>::run>();
#else
  return FormulaLoop<F, Part, T, N, M>::run;
#endif
}
template <class F, class Part, class T, std::size_t N>
ElementFunction chosen_for_one() {
#if defined(XTGRAD_LEVELS) && !defined(XTGRAD_LEVEL_SOURCE)
  return ChosenKernel<baseline::FormulaLoop<F, Part, T, N, 1>::run_one,
                      avx2::FormulaLoop<F, Part, T, N, 1>::run_one,
                      avx512::FormulaLoop<F, Part, T, N, 1>::run_one>();
#else
  return FormulaLoop<F, Part, T, N, 1>::run_one;
#endif
}

/// One row, as a RowLoop; a row of one element by what computes one.
template <class F, class Part, class T, std::size_t N>
void run_row(const F& formula, std::int64_t n, const void* const* in, std::uint32_t repeated,
             void* const* out) {
  if constexpr (N <= most_operands_of_one) {
    if (n == 1) {
      return chosen_for_one<F, Part, T, N>()(&formula, out[0], in[0], N > 1 ? in[1] : nullptr,
                                             N > 2 ? in[2] : nullptr);
    }
  }
  chosen_loop<F, Part, T, N, 1>()(&formula, n, in, repeated, out);
}

/// A part of a formula of N operands, and M results, of type T. The formula must outlive it.
template <class T, class Part, std::size_t N, std::size_t M = 1, class F>
RowFormula row_formula(const F& f) {
  static_assert(N <= most_operands && M <= most_results);
  return {chosen_loop<F, Part, T, N, M>(), &f};
}

/// What `map_formula` does of more than one element. Apart from it, which is inlined.
template <class Part, class F, class... Arrays>
[[gnu::noinline]] void map_elements(const F& f, Array& out, const Arrays&... in) {
  constexpr std::size_t operands = sizeof...(Arrays);
  std::size_t element_bytes = 0;
  const RowFormula formula = visit_floating(out.dtype, [&](auto zero) {
    element_bytes = sizeof(zero);
    return row_formula<decltype(zero), Part, operands>(f);
  });
  if (((in.shape == out.shape) && ...)) {
    const std::array<const void*, operands> from{in.buffer.data()...};
    void* const to = out.buffer.data();
    run_flat(formula, out.numel(), element_bytes, from, {&to, 1});
  } else {
    const std::array<const Array*, operands> from{&in...};
    run_broadcast(formula, from, out);
  }
}

/// Fills `out`, whose shape and floating dtype are inferred, with the part of the operands, which broadcast
/// to it. `out` may share its buffer with operands of its own shape.
template <class Part, class F, class... Arrays>
void map_formula(const F& f, Array& out, const Arrays&... in) {
  constexpr std::size_t operands = sizeof...(Arrays);
  if constexpr (operands <= most_operands_of_one) {
    // One element of each, whatever their ranks.
    if (out.numel() == 1) {
      const ElementFunction run_one = visit_floating(
          out.dtype, [](auto zero) { return chosen_for_one<F, Part, decltype(zero), operands>(); });
      std::array<const void*, most_operands_of_one> from{in.buffer.data()...};
      return run_one(&f, out.buffer.data(), from[0], from[1], from[2]);
    }
  }
  map_elements<Part>(f, out, in...);
}

}  // namespace xtgrad::v1::detail
