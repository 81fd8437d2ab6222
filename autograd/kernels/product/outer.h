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

/// Sums of runs, added in pairs: level k holds that of 2^k runs, if the k-th bit of their number is set. The
/// first level is kept in registers where there are enough of them.
template <class R, int Size>
class PairedSums {
 public:
  using V = typename R::V;

  /// Takes the sums of one more run, and sets them to zero.
  [[gnu::always_inline]] void add(V (&sums)[Size]) {
    if ((runs_ & 1) != 0) {
#pragma GCC unroll 32
      for (int i = 0; i < Size; ++i) sums[i] = R::add(single_[i], sums[i]);
      Index level = 1;
      for (; (runs_ >> level & 1) != 0; ++level) add_level(level, sums);
#pragma GCC unroll 32
      for (int i = 0; i < Size; ++i) R::store(levels_[level][i], sums[i]);
    } else {
#pragma GCC unroll 32
      for (int i = 0; i < Size; ++i) single_[i] = sums[i];
    }
#pragma GCC unroll 32
    for (int i = 0; i < Size; ++i) sums[i] = R::zero();
    ++runs_;
  }
  /// The sums of all runs.
  [[gnu::always_inline]] void total(V (&sums)[Size]) const {
    Index level = 0;
    while ((runs_ >> level & 1) == 0) ++level;
    if (level == 0) {
#pragma GCC unroll 32
      for (int i = 0; i < Size; ++i) sums[i] = single_[i];
    } else {
#pragma GCC unroll 32
      for (int i = 0; i < Size; ++i) sums[i] = R::load(levels_[level][i]);
    }
    for (++level; runs_ >> level != 0; ++level) {
      if ((runs_ >> level & 1) != 0) add_level(level, sums);
    }
  }

 private:
  [[gnu::always_inline]] void add_level(Index level, V (&sums)[Size]) const {
#pragma GCC unroll 32
    for (int i = 0; i < Size; ++i) sums[i] = R::add(R::load(levels_[level][i]), sums[i]);
  }

  static constexpr int depth = 11;
  static_assert(Index{1} << (depth - 1) == outer_runs);
  V single_[Size];
  alignas(64) typename R::T levels_[depth][Size][R::width];
  Index runs_ = 0;
};

/// An element of c a lane.
template <class R, int H, int L>
void sum_outer(const OuterBlock<typename R::T>& block) {
  using T = typename R::T;
  using V = typename R::V;
  PairedSums<R, H * L> paired;
  V sums[H * L];
  const T* rows[H];
#pragma GCC unroll 8
  for (int i = 0; i < H; ++i) rows[i] = block.a + block.a_rows[i];
#pragma GCC unroll 32
  for (int i = 0; i < H * L; ++i) sums[i] = R::zero();
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
    if (piece->ends_run) paired.add(sums);
  }
  paired.total(sums);
  for (int i = 0; i < H; ++i) {
    T* c = block.c + i * block.c_row;
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
