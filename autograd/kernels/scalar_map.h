#pragma once

#include <array>
#include <tuple>
#include <utility>

#include "xtgrad/autograd/kernels/broadcast.h"
#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/kernels/short_rows.h"

namespace xtgrad::inline v1::detail {

// The evaluator for element types that lanes do not serve: int64, bool, and operations that mix types. Plain
// loops, one for each pattern of repeated operands, which the compiler turns into SIMD.

/// The result may lie where an operand does, element on element, which hinders no SIMD.
template <bool... Repeated, class Out, class F, class... In>
void scalar_row(const F& f, Out* out, std::int64_t n, const In*... in) {
#if !defined(__clang__)
#pragma GCC ivdep
#endif
  for (std::int64_t i = 0; i < n; ++i) out[i] = f(in[Repeated ? 0 : i]...);
}

/// Turns the strides known at run time into template arguments, one operand at a time.
template <bool... Repeated, class Out, class F, class... In>
void dispatch_scalar_row(const F& f, const std::int64_t* strides, Out* out, std::int64_t n, const In*... in) {
  if constexpr (sizeof...(Repeated) == sizeof...(In)) {
    scalar_row<Repeated...>(f, out, n, in...);
  } else if (strides[sizeof...(Repeated)] == 0) {
    dispatch_scalar_row<Repeated..., true>(f, strides, out, n, in...);
  } else {
    dispatch_scalar_row<Repeated..., false>(f, strides, out, n, in...);
  }
}

/// Not inlined: of each formula there would be two more copies.
template <class Out, class F, class... In>
[[gnu::noinline]] void map_scalar_row(const F& f, const std::int64_t* strides, Out* out, std::int64_t n,
                                      const In*... in) {
  dispatch_scalar_row<>(f, strides, out, n, in...);
}

/// Calls `row_of(strides, results, n, operands...)` for the rows of operands whose element types are `In...`
/// and whose shapes broadcast to `out`'s. A stride of 0 says that an operand is one element for all.
template <class Out, class... In, class Row, std::size_t N = sizeof...(In)>
void for_each_result_row(Array& out, const std::array<const Array*, sizeof...(In)>& in, const Row& row_of) {
  if (out.numel() == 0) return;
  const BroadcastPlan<N> plan = plan_broadcast(out.shape, in);
  Out* results = out.mutable_data<Out>();
  if constexpr (N > 1) {
    if (has_short_rows(plan)) {
      const std::array<std::int64_t, N> strides = block_strides(plan);
      for_each_row_block<In...>(plan, in, [&](std::int64_t first, std::int64_t n, const In*... operands) {
        row_of(strides.data(), results + first, n, operands...);
      });
      return;
    }
  }
  // A single long row is cut across; many rows are dealt out.
  const std::int64_t cut = plan.rows == 1 ? tile_elements : plan.inner;
  const std::int64_t pieces = (plan.inner + cut - 1) / cut;
  const std::int64_t rows_per_tile = plan.inner < tile_elements ? tile_elements / plan.inner : 1;
  const std::int64_t tiles = plan.rows == 1 ? pieces : (plan.rows + rows_per_tile - 1) / rows_per_tile;
  for_each_tile(tiles, [&](std::int64_t tile) {
    [&]<std::size_t... K>(std::index_sequence<K...>) {
      if (plan.rows == 1) {
        const std::int64_t first = tile * cut;
        const std::int64_t n = plan.inner - first < cut ? plan.inner - first : cut;
        row_of(plan.inner_strides.data(), results + first, n,
               (in[K]->template data<In>() + first * plan.inner_strides[K])...);
        return;
      }
      const std::int64_t first = tile * rows_per_tile;
      const std::int64_t last = first + rows_per_tile < plan.rows ? first + rows_per_tile : plan.rows;
      for_each_row(plan, first, last, [&](std::int64_t row, const std::array<std::int64_t, N>& offsets) {
        row_of(plan.inner_strides.data(), results + row * plan.inner, plan.inner,
               (in[K]->template data<In>() + offsets[K])...);
      });
    }
    (std::index_sequence_for<In...>{});
  });
}

/// Fills `out` with `f` of such operands.
template <class Out, class... In, class F, std::size_t N = sizeof...(In)>
void scalar_map(const F& f, Array& out, const std::array<const Array*, sizeof...(In)>& in) {
  for_each_result_row<Out, In...>(
      out, in, [&f](const std::int64_t* strides, Out* results, std::int64_t n, const In*... operands) {
        map_scalar_row(f, strides, results, n, operands...);
      });
}

/// An int64 that formulas can be written on, as on lanes and tensors. Arithmetic wraps around as NumPy's
/// does, where plain C++ would be undefined.
struct Integer {
  std::int64_t value;

  friend Integer operator-(Integer a) { return wrap(-a.bits()); }
  friend Integer operator+(Integer a, Integer b) { return wrap(a.bits() + b.bits()); }
  friend Integer operator-(Integer a, Integer b) { return wrap(a.bits() - b.bits()); }
  friend Integer operator*(Integer a, Integer b) { return wrap(a.bits() * b.bits()); }
  friend Integer abs(Integer x) { return x.value < 0 ? -x : x; }
  friend Integer sign(Integer x) { return {(x.value > 0) - (x.value < 0)}; }
  friend Integer square(Integer x) { return x * x; }
  friend Integer floor(Integer x) { return x; }
  friend Integer ceil(Integer x) { return x; }
  friend Integer trunc(Integer x) { return x; }
  friend Integer round(Integer x) { return x; }
  /// Of a divisor that is not 0; -1, for which the machine's division may trap, is told apart.
  friend Integer fmod(Integer a, Integer b) {
    return b.value == -1 ? Integer{0} : Integer{a.value % b.value};
  }
  friend Integer remainder(Integer a, Integer b) {
    const Integer rest = fmod(a, b);
    return rest.value != 0 && (rest.value < 0) != (b.value < 0) ? rest + b : rest;
  }
  friend Integer floor_divide(Integer a, Integer b) {
    if (b.value == -1) return -a;
    const Integer rest = fmod(a, b), cut{a.value / b.value};
    return rest.value != 0 && (rest.value < 0) != (b.value < 0) ? cut - Integer{1} : cut;
  }
  friend Integer maximum(Integer a, Integer b) { return a.value > b.value ? a : b; }
  friend Integer minimum(Integer a, Integer b) { return a.value < b.value ? a : b; }

  [[nodiscard]] std::uint64_t bits() const { return static_cast<std::uint64_t>(value); }
  static Integer wrap(std::uint64_t bits) { return {static_cast<std::int64_t>(bits)}; }
};
static_assert(sizeof(Integer) == sizeof(std::int64_t));

}  // namespace xtgrad::v1::detail
