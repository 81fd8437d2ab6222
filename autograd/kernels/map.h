#pragma once

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "xtgrad/autograd/kernels/broadcast.h"
#include "xtgrad/autograd/kernels/formula_rows.h"
#include "xtgrad/autograd/kernels/lanes.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail {

// The evaluator for when nothing records: a generic formula over values, instantiated on Lane<T>, runs in one
// pass over memory. A formula of M results returns them in a std::tuple.

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
auto call_on_lanes(const F& f, const Row<T, N>& row, std::int64_t lane, std::index_sequence<K...>) {
  constexpr auto width = static_cast<std::int64_t>(Lane<T>::width);
  return f(Lane<T>::load(row[K].data + lane * (MayRepeat ? row[K].step : width))...);
}

template <class T, std::size_t M>
void store_lanes(const Lane<T>& value, const std::array<T*, M>& out, std::int64_t offset) {
  value.store(out[0] + offset);
}
template <class T, std::size_t M, class... Lanes>
void store_lanes(const std::tuple<Lanes...>& values, const std::array<T*, M>& out, std::int64_t offset) {
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
/// The formula is this function's own: of coefficients that others can see, the compiler must believe that
/// each store may change them, and reads, rounds and repeats them for every lane.
template <bool MayRepeat, class F, class T, std::size_t N, std::size_t M>
void map_row(F f, const Row<T, N>& row, const std::array<T*, M>& out, std::int64_t n) {
  constexpr auto width = static_cast<std::int64_t>(Lane<T>::width);
  Row<T, N> from = row;
  std::array<T*, M> to = out;
  alignas(Buffer::alignment) T copies[N][Lane<T>::width];
  // The last, partial lane goes through the same loop once more, which is not worth a second one's code.
  for (std::int64_t rest = n % width, lanes = n / width;; rest = 0, lanes = 1) {
    for (std::int64_t lane = 0; lane < lanes; ++lane)
      store_lanes(call_on_lanes<MayRepeat>(f, from, lane, std::make_index_sequence<N>{}), to, lane * width);
    if (rest == 0) return;
    for (std::size_t k = 0; k < N; ++k) {
      if (from[k].step == 0) continue;
      load_first(from[k].data + lanes * width, rest).store(copies[k]);
      from[k] = {copies[k], 0};
    }
    for (T*& result : to) result += lanes * width;
  }
}

/// One element repeated over a lane, for operands with inner stride 0.
template <class T, std::size_t N>
struct RepeatedElements {
  alignas(Buffer::alignment) T lanes[N][Lane<T>::width];

  RowOperand<T> operand(std::size_t k, const T* data, std::int64_t inner_stride) {
    if (inner_stride != 0) return {data, static_cast<std::int64_t>(Lane<T>::width)};
    Lane<T>(*data).store(lanes[k]);
    return {lanes[k], 0};
  }
};

/// One tile of `n` elements for a program that runs again: bit k of `repeated` says that operand k is one
/// element.
template <class T, std::size_t N, std::size_t M, bool MayRepeat = true, class F>
void map_tile(const F& f, std::int64_t n, const void* const* in, std::uint32_t repeated, void* const* out) {
  RepeatedElements<T, N> elements;
  Row<T, N> row;
  for (std::size_t k = 0; k < N; ++k) {
    row[k] = elements.operand(k, static_cast<const T*>(in[k]), (repeated >> k & 1U) != 0 ? 0 : 1);
  }
  std::array<T*, M> results;
  for (std::size_t k = 0; k < M; ++k) results[k] = static_cast<T*>(out[k]);
  map_row<MayRepeat>(f, row, results, n);
}

/// The loop of a formula of type F, of N operands and M results.
template <class T, std::size_t N, std::size_t M, bool MayRepeat = true, class F>
RowFormula row_formula(const F& f) {
  return {[](const void* formula, std::int64_t n, const void* const* in, std::uint32_t repeated,
             void* const* out) {
            map_tile<T, N, M, MayRepeat>(*static_cast<const F*>(formula), n, in, MayRepeat ? repeated : 0,
                                         out);
          },
          &f};
}

/// Fills the M arrays `out` where all operands have `out`'s shape.
template <class T, class F, std::size_t N, std::size_t M>
void map_same(const F& f, const std::array<const T*, N>& in, const std::array<T*, M>& out, std::int64_t n) {
  static_assert(N <= most_operands && M <= most_results);
  std::array<const void*, N> from;
  std::copy(in.begin(), in.end(), from.begin());
  std::array<void*, M> to;
  std::copy(out.begin(), out.end(), to.begin());
  const RowFormula formula = row_formula<T, N, M, false>(f);
  if (n <= tile_elements) return formula.run(formula.formula, n, from.data(), 0, to.data());
  run_flat(formula, n, sizeof(T), from, to);
}

template <class T, class F, class... In>
void map_lanes(const F& f, std::int64_t n, T* out, const In*... in) {
  constexpr auto width = static_cast<std::int64_t>(Lane<T>::width);
  constexpr std::size_t operands = sizeof...(In);
  const T* from[operands] = {in...};
  T copies[operands][Lane<T>::width];  // aligned, they would cost each call the alignment of the stack
  // As in map_row.
  for (std::int64_t rest = n % width, whole = n - rest;; rest = 0, whole = width) {
    [&]<std::size_t... K>(std::index_sequence<K...>) {
      for (std::int64_t i = 0; i < whole; i += width) f(Lane<T>::load(from[K] + i)...).store(out + i);
    }
    (std::make_index_sequence<operands>{});
    if (rest == 0) return;
    for (std::size_t k = 0; k < operands; ++k) {
      load_first(from[k] + whole, rest).store(copies[k]);
      from[k] = copies[k];
    }
    out += whole;
  }
}

/// `f` of operands of one shape. Out of line, and handed pointers in registers: what comes before it is
/// inlined where an operation's class is known, and an operation on a few elements is no more than that.
template <class T, class F, class... In>
[[gnu::noinline]] void map_elements(F f, std::int64_t n, T* out, const In*... in) {
  if (n == 1) {
    // Repeated in a register: through memory, as the last lane of a row is, it would cost a small graph 5 %.
    f(Lane<T>(*in)...).store(out);
    return;
  }
  if (n <= tile_elements) return map_lanes<T>(f, n, out, in...);
  for_each_tile((n + tile_elements - 1) / tile_elements, [=](std::int64_t tile) {
    const std::int64_t first = tile * tile_elements;
    map_lanes<T>(f, n - first < tile_elements ? n - first : tile_elements, out + first, (in + first)...);
  });
}

/// Fills `out`, whose shape and floating dtype are inferred, with `f` of operands that broadcast to it. `out`
/// may share its buffer with operands of its own shape.
template <class F, class... Arrays>
void map_to(F f, Array& out, const Arrays&... in) {
  if (((in.shape == out.shape) && ...)) {
    visit_floating(out.dtype, [&](auto zero) {
      using T = decltype(zero);
      map_elements<T>(f, out.numel(), out.template mutable_data<T>(), in.template data<T>()...);
    });
    return;
  }
  static_assert(sizeof...(Arrays) <= most_operands);
  const std::array<const Array*, sizeof...(Arrays)> arrays{&in...};
  visit_floating(out.dtype, [&](auto zero) {
    run_broadcast(row_formula<decltype(zero), sizeof...(Arrays), 1>(f), arrays, out);
  });
}

}  // namespace xtgrad::v1::detail
