#pragma once

// The loops of OuterTask, for the register types of micro.h and by its rules: all that is here stays within
// the including file.

#include "xtgrad/autograd/kernels/product/micro.h"
#include "xtgrad/autograd/kernels/product/outer_task.h"

namespace xtgrad::inline v1::detail { namespace {

/// What a block of some rows of c and L registers of columns is computed from.
template <class T>
struct OuterBlock {
  const T* a;
  const Index* a_rows;
  const OuterPiece* pieces;
  Index piece_count;
  const T* b;  // panel: for each column of a, L registers
  T* c;
  Index c_row;
  Index columns;
};

/// An element of c a lane. Sums of runs are added in pairs: level k holds that of 2^k runs, if the k-th bit
/// of their number is set; the first level is in registers where the processor has enough of them.
template <class R, int H, int L>
void sum_outer(const OuterBlock<typename R::T>& block) {
  using T = typename R::T;
  using V = typename R::V;
  constexpr int size = H * L;
  constexpr int depth = 11;
  static_assert(Index{1} << (depth - 1) == outer_runs);
  alignas(64) T levels[depth][size][R::width];
  // Local, with lambdas that are inlined: of an array that a function is given, be it inlined too, gcc keeps
  // the elements in memory where registers are few, which costs half of the speed.
  V sums[size];
  V single[R::many_registers ? size : 1] = {};
  Index runs = 0;
  const T* rows[H];
#pragma GCC unroll 8
  for (int i = 0; i < H; ++i) rows[i] = block.a + block.a_rows[i];
#pragma GCC unroll 32
  for (int i = 0; i < size; ++i) sums[i] = R::zero();
  const auto first_level = [&](int i) __attribute__((always_inline)) {
    if constexpr (R::many_registers) return single[i];
    return R::load(levels[0][i]);
  };
  const auto add_level = [&](Index level) __attribute__((always_inline)) {
#pragma GCC unroll 32
    for (int i = 0; i < size; ++i) sums[i] = R::add(R::load(levels[level][i]), sums[i]);
  };
  const auto end_run = [&]() __attribute__((always_inline)) {
    if ((runs & 1) != 0) {
#pragma GCC unroll 32
      for (int i = 0; i < size; ++i) sums[i] = R::add(first_level(i), sums[i]);
      Index level = 1;
      for (; (runs >> level & 1) != 0; ++level) add_level(level);
#pragma GCC unroll 32
      for (int i = 0; i < size; ++i) R::store(levels[level][i], sums[i]);
    } else if constexpr (R::many_registers) {
#pragma GCC unroll 32
      for (int i = 0; i < size; ++i) single[i] = sums[i];
    } else {
#pragma GCC unroll 32
      for (int i = 0; i < size; ++i) R::store(levels[0][i], sums[i]);
    }
#pragma GCC unroll 32
    for (int i = 0; i < size; ++i) sums[i] = R::zero();
    ++runs;
  };
  const T* b = block.b;
  for (const OuterPiece *piece = block.pieces, *end = piece + block.piece_count; piece != end; ++piece) {
    const Index last = piece->first + piece->count;
    for (Index x = piece->first; x < last; ++x, b += L * R::width) {
      V right[L];
#pragma GCC unroll 8
      for (int l = 0; l < L; ++l) right[l] = R::load(b + l * R::width);
#pragma GCC unroll 8
      for (int i = 0; i < H; ++i) {
        const V left = R::broadcast(rows[i] + x);
#pragma GCC unroll 8
        for (int l = 0; l < L; ++l) sums[i * L + l] = R::multiply_add(left, right[l], sums[i * L + l]);
      }
    }
    if (piece->ends_run) end_run();
  }
  Index level = 0;
  while ((runs >> level & 1) == 0) ++level;
#pragma GCC unroll 32
  for (int i = 0; i < size; ++i) sums[i] = level == 0 ? first_level(i) : R::load(levels[level][i]);
  for (++level; runs >> level != 0; ++level) {
    if ((runs >> level & 1) != 0) add_level(level);
  }
#pragma GCC unroll 8
  for (int i = 0; i < H; ++i) {
    T* c = block.c + i * block.c_row;
#pragma GCC unroll 8
    for (int l = 0; l < L; ++l, c += R::width) {
      const Index rest = block.columns - l * R::width;
      if (rest >= R::width) {
        R::store(c, sums[i * L + l]);
      } else if (rest > 0) {
        R::store_part(c, sums[i * L + l], R::part(rest));
      }
    }
  }
}

template <class T>
using OuterKernel = void (*)(const OuterBlock<T>&);

/// sum_outer for 1 to H rows.
template <class R, int L, int... Rows>
struct OuterKernelsOf {
  static constexpr OuterKernel<typename R::T> by_rows[] = {nullptr, &sum_outer<R, Rows, L>...};
};

/// Kernels<L>: those of an instruction set, of up to H rows.
template <class R, int H, template <int> class Kernels>
struct OuterSum {
  using T = typename R::T;

  template <int L>
  static void run(const OuterTask<T>& task, Index j, Index columns) {
    constexpr Index panel = L * R::width;
    T* to = task.scratch;
    for (Index s = 0; s < task.source_count; ++s) {
      const OuterSource<T>& source = task.sources[s];
      pack_right<R, panel>(source.b + task.b_offset + j * task.b_row, 1, task.b_row, source.count, columns,
                           to);
      to += source.count * panel;
    }
    const Index blocks = parts(task.m, H);
    for (Index block = 0, i = 0; block < blocks; ++block) {
      const Index height = parts(task.m - i, blocks - block);
      Kernels<L>::by_rows[height]({task.a, task.a_rows + i, task.pieces, task.piece_count, task.scratch,
                                   task.c + i * task.c_row + j, task.c_row, columns});
      i += height;
    }
  }

  static void run(const OuterTask<T>& task) {
    constexpr Index panel = 2 * R::width;
    static_assert(panel <= outer_scratch);
    for (Index j = 0; j < task.n; j += panel) {
      const Index columns = least(panel, task.n - j);
      if (columns <= R::width) {
        run<1>(task, j, columns);
      } else {
        run<2>(task, j, columns);
      }
    }
  }
};

}  // namespace
}  // namespace xtgrad::v1::detail
