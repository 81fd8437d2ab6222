#pragma once

#include <array>
#include <cstring>
#include <tuple>
#include <utility>

#include "xtgrad/autograd/kernels/broadcast.h"
#include "xtgrad/autograd/kernels/lanes.h"
#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/kernels/short_rows.h"

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

template <class T, std::size_t>
using Same = T;

template <class F, class T, std::size_t N, std::size_t... K>
auto call_on_lanes(const F& f, const Row<T, N>& row, std::int64_t lane, std::index_sequence<K...>) {
  return f(Lane<T>::load(row[K].data + lane * row[K].step)...);
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
template <class F, class T, std::size_t N, std::size_t M>
void map_row(F f, const Row<T, N>& row, const std::array<T*, M>& out, std::int64_t n) {
  constexpr auto width = static_cast<std::int64_t>(Lane<T>::width);
  Row<T, N> from = row;
  std::array<T*, M> to = out;
  alignas(Buffer::alignment) T copies[N][Lane<T>::width];
  // The last, partial lane goes through the same loop once more, which is not worth a second one's code.
  for (std::int64_t rest = n % width, lanes = n / width;; rest = 0, lanes = 1) {
    for (std::int64_t lane = 0; lane < lanes; ++lane)
      store_lanes(call_on_lanes(f, from, lane, std::make_index_sequence<N>{}), to, lane * width);
    if (rest == 0) return;
    for (std::size_t k = 0; k < N; ++k) {
      if (from[k].step == 0) continue;
      load_first(from[k].data + lanes * width, rest).store(copies[k]);
      from[k] = {copies[k], 0};
    }
    for (T*& result : to) result += lanes * width;
  }
}

/// Copies n elements, fewer than 2 `Largest`: of a row's few last ones, a call of memcpy costs more than the
/// rest of a short row.
template <std::size_t Largest, class T>
[[gnu::always_inline]] inline void copy_few(const T* from, std::int64_t n, T* to) {
  if constexpr (Largest > 0) {
    if ((static_cast<std::size_t>(n) & Largest) != 0) {
      std::memcpy(to, from, Largest * sizeof(T));
      from += Largest;
      to += Largest;
    }
    copy_few<Largest / 2>(from, n, to);
  }
}

/// One row in the middle of an array: of its last, partial lane no other elements are read or written.
/// Another thread may be writing those, or they lie behind the array's padding, which ends with whole lanes
/// from the array's beginning on and not from the row's. Not inlined: of each formula there would be two more
/// copies.
template <class F, class T, std::size_t N, std::size_t M>
[[gnu::noinline]] void map_inner_row(const F& f, const Row<T, N>& row, const std::array<T*, M>& out,
                                     std::int64_t n) {
  constexpr auto width = static_cast<std::int64_t>(Lane<T>::width);
  const std::int64_t whole = n / width * width;
  if (whole != 0) map_row(f, row, out, whole);
  if (whole == n) return;
  alignas(Buffer::alignment) T copies[N + M][Lane<T>::width];
  Row<T, N> tail;
  for (std::size_t k = 0; k < N; ++k) {
    if (row[k].step == 0) {
      tail[k] = row[k];
      continue;
    }
    const T* const rest = row[k].data + whole;
    Lane<T>(*rest).store(copies[k]);
    copy_few<Lane<T>::width / 2>(rest, n - whole, copies[k]);
    tail[k] = {copies[k], 0};
  }
  std::array<T*, M> results;
  for (std::size_t k = 0; k < M; ++k) results[k] = copies[N + k];
  map_row(f, tail, results, width);
  for (std::size_t k = 0; k < M; ++k) copy_few<Lane<T>::width / 2>(results[k], n - whole, out[k] + whole);
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

template <class F, class T, std::size_t N, std::size_t M>
void map_flat(const F& f, const std::array<const T*, N>& in, const std::array<std::int64_t, N>& strides,
              const std::array<T*, M>& out, std::int64_t n) {
  for_each_tile((n + tile_elements - 1) / tile_elements, [&](std::int64_t tile) {
    const std::int64_t first = tile * tile_elements;
    const std::int64_t count = n - first < tile_elements ? n - first : tile_elements;
    RepeatedElements<T, N> repeated;
    Row<T, N> row;
    for (std::size_t k = 0; k < N; ++k) {
      row[k] = repeated.operand(k, in[k] + first * strides[k], strides[k]);
    }
    std::array<T*, M> results;
    for (std::size_t k = 0; k < M; ++k) results[k] = out[k] + first;
    map_row(f, row, results, count);
  });
}

template <class F, class T, std::size_t N, std::size_t M>
void map_rows(const F& f, const std::array<const Array*, N>& in, const BroadcastPlan<N>& plan,
              const std::array<T*, M>& out) {
  const std::int64_t rows_per_tile = plan.inner < tile_elements ? tile_elements / plan.inner : 1;
  for_each_tile((plan.rows + rows_per_tile - 1) / rows_per_tile, [&](std::int64_t tile) {
    const std::int64_t first = tile * rows_per_tile;
    const std::int64_t last = first + rows_per_tile < plan.rows ? first + rows_per_tile : plan.rows;
    for_each_row(plan, first, last, [&](std::int64_t index, const std::array<std::int64_t, N>& offsets) {
      RepeatedElements<T, N> repeated;
      Row<T, N> row;
      for (std::size_t k = 0; k < N; ++k) {
        row[k] = repeated.operand(k, in[k]->template data<T>() + offsets[k], plan.inner_strides[k]);
      }
      std::array<T*, M> results;
      for (std::size_t k = 0; k < M; ++k) results[k] = out[k] + index * plan.inner;
      map_inner_row(f, row, results, plan.inner);
    });
  });
}

template <class F, class T, std::size_t N, std::size_t M, std::size_t... K>
void map_short_rows(const F& f, const std::array<const Array*, N>& in, const BroadcastPlan<N>& plan,
                    const std::array<T*, M>& out, std::index_sequence<K...>) {
  const std::array<std::int64_t, N> strides = block_strides(plan);
  for_each_row_block<Same<T, K>...>(
      plan, in, [&](std::int64_t first, std::int64_t n, const Same<T, K>*... operands) {
        RepeatedElements<T, N> repeated;
        std::array<T*, M> results;
        for (std::size_t k = 0; k < M; ++k) results[k] = out[k] + first;
        map_inner_row(f, Row<T, N>{repeated.operand(K, operands, strides[K])...}, results, n);
      });
}

/// Fills M arrays of shape `shape` with `f` of the operands, which broadcast to that shape.
template <class T, class F, std::size_t N, std::size_t M>
void map_broadcast(const F& f, const Shape& shape, const std::array<const Array*, N>& in,
                   const std::array<T*, M>& results) {
  const std::int64_t n = shape.numel();
  if (n == 0) return;
  const BroadcastPlan<N> plan = plan_broadcast(shape, in);
  if (plan.rows == 1) {
    std::array<const T*, N> data;
    for (std::size_t k = 0; k < N; ++k) data[k] = in[k]->template data<T>();
    map_flat<F, T, N, M>(f, data, plan.inner_strides, results, n);
    return;
  }
  if constexpr (N > 1) {
    if (has_short_rows(plan)) {
      map_short_rows<F, T, N, M>(f, in, plan, results, std::make_index_sequence<N>{});
      return;
    }
  }
  map_rows<F, T, N, M>(f, in, plan, results);
}

/// Fills the M arrays `out` where all operands have `out`'s shape: no plan, one row.
template <class T, class F, std::size_t N, std::size_t M>
void map_same(const F& f, const std::array<const T*, N>& in, const std::array<T*, M>& out, std::int64_t n) {
  if (n == 0) return;
  std::array<std::int64_t, N> ones;
  ones.fill(1);
  map_flat<F, T, N, M>(f, in, ones, out, n);
}

/// One tile of `n` elements for a program that runs again: bit k of `repeated` says that operand k is one
/// element.
template <class T, std::size_t N, std::size_t M, class F>
void map_tile(const F& f, std::int64_t n, const void* const* in, std::uint32_t repeated, void* const* out) {
  RepeatedElements<T, N> elements;
  Row<T, N> row;
  for (std::size_t k = 0; k < N; ++k) {
    row[k] = elements.operand(k, static_cast<const T*>(in[k]), (repeated >> k & 1U) != 0 ? 0 : 1);
  }
  std::array<T*, M> results;
  for (std::size_t k = 0; k < M; ++k) results[k] = static_cast<T*>(out[k]);
  map_row(f, row, results, n);
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
  visit_floating(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    const std::array<const Array*, sizeof...(Arrays)> arrays{&in...};
    map_broadcast<T>(f, out.shape, arrays, std::array<T*, 1>{out.template mutable_data<T>()});
  });
}

}  // namespace xtgrad::v1::detail
