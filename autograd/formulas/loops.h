// The loops of formulas over rows, on lanes: for the sources of this folder alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

#include "xtgrad/autograd/kernels/formula.h"
#include "xtgrad/autograd/kernels/levels/lanes.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// Operand k of a row, as the loop sees it: lane j begins at data + j * step.
template <class T>
struct RowOperand {
  const T* data;
  std::int64_t step;  // elements from lane to lane: the lane's width, or 0 for one repeated element
};

template <class T, std::size_t N>
using Row = std::array<RowOperand<T>, N>;

/// Of operands none of which is repeated the step is a constant, an instruction less for each lane.
template <bool MayRepeat, class F, class T, std::size_t N, std::size_t... K>
[[gnu::always_inline]] inline auto call_on_lanes(const F& f, const Row<T, N>& row, std::int64_t lane,
                                                 std::index_sequence<K...>) {
  constexpr auto width = static_cast<std::int64_t>(Lane<T>::width);
  return f(Lane<T>::load(row[K].data + lane * (MayRepeat ? row[K].step : width))...);
}

template <class T, std::size_t M>
[[gnu::always_inline]] inline void store_lanes(const Lane<T>& value, const std::array<T*, M>& out,
                                               std::int64_t offset) {
  value.store(out[0] + offset);
}
template <class T, std::size_t M, class... Lanes>
[[gnu::always_inline]] inline void store_lanes(const std::tuple<Lanes...>& values,
                                               const std::array<T*, M>& out, std::int64_t offset) {
  [&]<std::size_t... K>(std::index_sequence<K...>) { (std::get<K>(values).store(out[K] + offset), ...); }
  (std::index_sequence_for<Lanes...>{});
}

/// The `n` elements at p, fewer than a lane and the last of an array, whole lanes from its beginning on, and
/// the first of them in place of the others: what lies there, in an array's padding, is no element, and what
/// a formula makes of it must raise no exception.
template <LaneFloat T>
Lane<T> load_first(const T* p, std::int64_t n) {
  static constexpr auto numbers = [] {
    std::array<T, Lane<T>::width> values{};
    for (std::size_t k = 0; k < values.size(); ++k) values[k] = static_cast<T>(k);
    return values;
  }();
  return where(Lane<T>::load(numbers.data()) < static_cast<T>(n), Lane<T>::load(p), Lane<T>(*p));
}

/// One row, in whole lanes: may read and write up to a lane past `n`, which padding allows at an array's end.
template <bool MayRepeat, class F, class T, std::size_t N, std::size_t M>
[[gnu::always_inline]] inline void map_row(const F& f, Row<T, N>& from, std::array<T*, M>& to,
                                           std::int64_t n) {
  constexpr auto width = static_cast<std::int64_t>(Lane<T>::width);
  T copies[N][Lane<T>::width];  // aligned, they would cost each call the alignment of the stack
  // The last, partial lane goes through the same loop once more, which is not worth a second one's code.
  for (std::int64_t rest = n % width, lanes = n / width;; rest = 0, lanes = 1) {
    for (std::int64_t lane = 0; lane < lanes; ++lane)
      store_lanes(call_on_lanes<MayRepeat>(f, from, lane, std::make_index_sequence<N>{}), to, lane * width);
    if (rest == 0) return;
    for (std::size_t k = 0; k < N; ++k) {
      if (MayRepeat && from[k].step == 0) continue;
      load_first(from[k].data + lanes * width, rest).store(copies[k]);
      from[k] = {copies[k], MayRepeat ? 0 : width};
    }
    for (T*& result : to) result += lanes * width;
  }
}

/// Where some operands are one element each: repeated over a lane.
template <class F, class T, std::size_t N, std::size_t M>
[[gnu::always_inline]] inline void map_repeated(const F& f, Row<T, N>& row, std::uint32_t repeated,
                                                std::array<T*, M>& out, std::int64_t n) {
  alignas(64) T lanes[N][Lane<T>::width];
  for (std::size_t k = 0; k < N; ++k) {
    if ((repeated >> k & 1U) == 0) continue;
    Lane<T>(*row[k].data).store(lanes[k]);
    row[k] = {lanes[k], 0};
  }
  map_row<true>(f, row, out, n);
}

/// The formula is this function's own: of coefficients that others can see, the compiler must believe that
/// each store may change them, and reads, rounds and repeats them for every lane.
template <class F, class Part, class T, std::size_t N, std::size_t M>
[[gnu::always_inline]] inline void run_formula(F formula, std::int64_t n, const void* const* in,
                                               std::uint32_t repeated, void* const* out) {
  const auto f = [formula](const auto&... x) { return Part::of(formula, x...); };
  Row<T, N> row;
  for (std::size_t k = 0; k < N; ++k)
    row[k] = {static_cast<const T*>(in[k]), static_cast<std::int64_t>(Lane<T>::width)};
  std::array<T*, M> results;
  for (std::size_t k = 0; k < M; ++k) results[k] = static_cast<T*>(out[k]);
  if (M > 1 || repeated == 0) {
    // Optimizers' formulas, of several results, are asked for no more.
    map_row<false>(f, row, results, n);
  } else {
    map_repeated(f, row, repeated, results, n);
  }
}

}  // namespace xtgrad::v1::detail

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template <class F, class Part, class T, std::size_t N, std::size_t M>
void FormulaLoop<F, Part, T, N, M>::run(const void* formula, std::int64_t n, const void* const* in,
                                        std::uint32_t repeated, void* const* out) {
  run_formula<F, Part, T, N, M>(*static_cast<const F*>(formula), n, in, repeated, out);
}

/// The operands are repeated in a register: through memory, as the last lane of a row is, they would cost a
/// small graph 5 %.
template <class F, class Part, class T, std::size_t N, std::size_t M>
void FormulaLoop<F, Part, T, N, M>::run_one(const void* formula, void* out, const void* a,
                                            [[maybe_unused]] const void* b, [[maybe_unused]] const void* c) {
  const F& f = *static_cast<const F*>(formula);
  const auto lane = [](const void* operand) { return Lane<T>(*static_cast<const T*>(operand)); };
  const std::array<T*, 1> to{static_cast<T*>(out)};
  if constexpr (N == 1) store_lanes(Part::of(f, lane(a)), to, 0);
  if constexpr (N == 2) store_lanes(Part::of(f, lane(a), lane(b)), to, 0);
  if constexpr (N == 3) store_lanes(Part::of(f, lane(a), lane(b), lane(c)), to, 0);
}

// Instantiated explicitly, these make the loops of a formula for float and double.

struct LoopAddresses {
  RowLoop run;
  ElementFunction run_one;
};
template <class Loop, bool HasOne>
constexpr LoopAddresses addresses_of() {
  if constexpr (HasOne) {
    return {Loop::run, Loop::run_one};
  } else {
    return {Loop::run, nullptr};
  }
}

/// One part, of N operands and M results.
template <class F, class Part, std::size_t N, std::size_t M = 1>
struct LoopsOf {
  static constexpr bool has_one = N <= most_operands_of_one && M == 1;
  static constexpr LoopAddresses all[] = {addresses_of<FormulaLoop<F, Part, float, N, M>, has_one>(),
                                          addresses_of<FormulaLoop<F, Part, double, N, M>, has_one>()};
};

/// The value of one operand, and its rule, which reads the cotangent and one value or, without `Saves`,
/// nothing else.
template <class F, bool Saves = true>
struct UnaryLoops {
  static constexpr const LoopAddresses* all[] = {LoopsOf<F, Value, 1>::all,
                                                 LoopsOf<F, Rule, Saves ? 2 : 1>::all};
};

/// The value of two operands, and their rules, of as many values with the cotangent.
template <class F, std::size_t OfA, std::size_t OfB>
struct BinaryLoops {
  static constexpr const LoopAddresses* all[] = {LoopsOf<F, Value, 2>::all, LoopsOf<F, RuleA, OfA>::all,
                                                 LoopsOf<F, RuleB, OfB>::all};
};

}  // namespace xtgrad::v1::detail
