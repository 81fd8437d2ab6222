#pragma once

// The product's loops, for a register type that the including file defines. Included once by each of
// avx512.cpp, avx2.cpp and baseline.cpp, which are compiled for other instructions than the rest of the
// library: all that is here stays within the including file, and nothing of the standard library's templates
// is used, of which the linker would keep one copy for everybody.

// A register type R has: T, V, width; zero, load, store, broadcast, add, and multiply_add, fused where the
// instructions are; Part, part, load_part and store_part, for the first few elements of a register; Kernels,
// its blocks of L registers; Turn, a register type that turns a block of as many rows as it has elements.

#include <cstdint>

#include "xtgrad/autograd/kernels/product/task.h"

namespace xtgrad::inline v1::detail { namespace {

using Index = std::int64_t;

inline Index least(Index a, Index b) { return a < b ? a : b; }
inline Index parts(Index n, Index size) { return (n + size - 1) / size; }

/// How a block reads the rows of b: all columns of its registers, be they wanted or not; only those that are
/// wanted; or all, of rows that lie anywhere.
enum class Reads { whole, partial, views };

/// What a block of H rows and L registers of columns is computed from.
template <class T>
struct Block {
  Index k;
  const T* a;
  Index a_row, a_column;
  const T* b;
  Index b_row;          // columns are neighbours
  const Index* b_rows;  // of views: where each begins, from b
  T* c;
  Index c_row;
  Index columns;
  bool add;  // to what c holds
};

/// Sums over p in order, an element a lane; all of them stay in registers.
template <class R, int H, int L, Reads How>
void multiply_block(const Block<typename R::T>& block) {
  using T = typename R::T;
  using V = typename R::V;
  V sums[H][L];
#pragma GCC unroll 16
  for (int i = 0; i < H; ++i) {
#pragma GCC unroll 8
    for (int l = 0; l < L; ++l) sums[i][l] = R::zero();
  }
  // Three rows an address: more addresses than that would not stay in registers.
  constexpr int groups = (H + 2) / 3;
  const T* a[groups];
#pragma GCC unroll 8
  for (int g = 0; g < groups; ++g) a[g] = block.a + 3 * g * block.a_row;
  const Index a_row = block.a_row, a_column = block.a_column, b_row = block.b_row;
  const T* b = block.b;
  typename R::Part parts_of_b[L];
  if (How == Reads::partial) {
    for (int l = 0; l < L; ++l) parts_of_b[l] = R::part(block.columns - l * R::width);
  }
  for (Index p = 0; p < block.k; ++p) {
    if (How == Reads::views) b = block.b + block.b_rows[p];
    V right[L];
#pragma GCC unroll 8
    for (int l = 0; l < L; ++l) {
      right[l] =
          How == Reads::partial ? R::load_part(b + l * R::width, parts_of_b[l]) : R::load(b + l * R::width);
    }
#pragma GCC unroll 16
    for (int i = 0; i < H; ++i) {
      const V left = R::broadcast(a[i / 3] + (i % 3) * a_row);
#pragma GCC unroll 8
      for (int l = 0; l < L; ++l) sums[i][l] = R::multiply_add(left, right[l], sums[i][l]);
    }
#pragma GCC unroll 8
    for (int g = 0; g < groups; ++g) a[g] += a_column;
    if (How != Reads::views) b += b_row;
  }
  T* c = block.c;
  const Index columns = block.columns;
#pragma GCC unroll 16
  for (int i = 0; i < H; ++i, c += block.c_row) {
#pragma GCC unroll 8
    for (int l = 0; l < L; ++l) {
      const Index rest = columns - l * R::width;
      if (rest >= R::width) {
        R::store(c + l * R::width, block.add ? R::add(R::load(c + l * R::width), sums[i][l]) : sums[i][l]);
      } else if (rest > 0) {
        const typename R::Part part = R::part(rest);
        T* to = c + l * R::width;
        R::store_part(to, block.add ? R::add(R::load_part(to, part), sums[i][l]) : sums[i][l], part);
      }
    }
  }
}

template <class T>
using BlockKernel = void (*)(const Block<T>&);

/// multiply_block for 1 to H rows.
template <class R, int L, Reads How, int... Rows>
struct KernelsOf {
  static constexpr BlockKernel<typename R::T> by_rows[] = {nullptr, &multiply_block<R, Rows, L, How>...};
};

/// Where columns of a b that is stored by columns begin: `Even`, so many elements apart; `Last`, with the
/// last one in place of those which are not there, as what comes of them is dropped.
template <class T>
struct Even {
  const T* first;
  Index apart;
  const T* operator[](int i) const { return first + i * apart; }
};
template <class S>
struct Last {
  Last(const typename S::T* b, Index apart, Index columns) {
    for (int i = 0; i < S::width; ++i) first[i] = b + least(i, columns - 1) * apart;
  }
  const typename S::T* operator[](int i) const { return first[i]; }

  const typename S::T* first[S::width];
};

/// Columns of b, stored by columns, as rows of `to`, `to_row` apart; as many as S::width.
template <class S, class Columns>
void turn_columns(const Columns& rows, Index k, typename S::T* to, Index to_row) {
  if (k < S::width) {
    for (Index p = 0; p < k; ++p) {
      for (int i = 0; i < S::width; ++i) to[p * to_row + i] = rows[i][p];
    }
    return;
  }
  for (Index p = 0; p < k; p += S::width) {
    // The last ones once more, where k is no multiple.
    const Index at = least(p, k - S::width);
    typename S::V block[S::width];
    S::turn(rows, at, block);
#pragma GCC unroll 8
    for (int q = 0; q < S::width; ++q) S::store(to + (at + q) * to_row, block[q]);
  }
}

/// The first k rows of `count` columns of b as panels, each row by row. Columns beyond count hold numbers of
/// b, too: an element that is not there must not be the one that is NaN.
template <class R, int Panel>
void pack_right(const typename R::T* b, Index b_row, Index b_column, Index k, Index count,
                typename R::T* packed) {
  using S = typename R::Turn;
  for (Index j = 0; j < count; j += Panel, packed += k * Panel) {
    const Index columns = least(Panel, count - j);
    if (b_column != 1) {
      for (Index l = 0; l < columns; l += S::width) {
        const auto* from = b + (j + l) * b_column;
        if (columns - l >= S::width) {
          turn_columns<S>(Even<typename S::T>{from, b_column}, k, packed + l, Panel);
        } else {
          turn_columns<S>(Last<S>(from, b_column, columns - l), k, packed + l, Panel);
        }
      }
      continue;
    }
    const auto* from = b + j;
    for (Index p = 0; p < k; ++p, from += b_row) {
      if (columns == Panel) {
#pragma GCC unroll 8
        for (int l = 0; l < Panel; l += R::width) R::store(packed + p * Panel + l, R::load(from + l));
      } else {
        for (Index i = 0; i < Panel; ++i) packed[p * Panel + i] = from[least(i, columns - 1)];
      }
    }
  }
}

/// H rows by G groups of columns of a b that is stored by columns, which are turned on the way and kept
/// nowhere. One group alone would wait for its sums.
template <class S, int H, int G, class Columns>
void multiply_turned(const Block<typename S::T>& block, const Columns (&right)[G]) {
  using T = typename S::T;
  using V = typename S::V;
  V sums[H][G];
#pragma GCC unroll 8
  for (int i = 0; i < H; ++i) {
#pragma GCC unroll 8
    for (int g = 0; g < G; ++g) sums[i][g] = S::zero();
  }
  const T* a = block.a;
  const Index a_row = block.a_row, a_column = block.a_column;
  Index p = 0;
  for (; p + S::width <= block.k; p += S::width) {
    V turned[G][S::width];
#pragma GCC unroll 8
    for (int g = 0; g < G; ++g) S::turn(right[g], p, turned[g]);
#pragma GCC unroll 8
    for (int q = 0; q < S::width; ++q, a += a_column) {
#pragma GCC unroll 8
      for (int i = 0; i < H; ++i) {
        const V left = S::broadcast(a + i * a_row);
#pragma GCC unroll 8
        for (int g = 0; g < G; ++g) sums[i][g] = S::multiply_add(left, turned[g][q], sums[i][g]);
      }
    }
  }
  for (; p < block.k; ++p, a += a_column) {
    for (int g = 0; g < G; ++g) {
      T column[S::width];
      for (int q = 0; q < S::width; ++q) column[q] = right[g][q][p];
      for (int i = 0; i < H; ++i)
        sums[i][g] = S::multiply_add(S::broadcast(a + i * a_row), S::load(column), sums[i][g]);
    }
  }
  for (int i = 0; i < H; ++i) {
    T done[G * S::width];
    for (int g = 0; g < G; ++g) S::store(done + g * S::width, sums[i][g]);
    T* c = block.c + i * block.c_row;
    for (Index q = 0; q < block.columns; ++q) c[q] = block.add ? c[q] + done[q] : done[q];
  }
}

/// Instruction set's choices: rows of a block, its registers of columns, rows that stay in the second-level
/// cache.
template <class R, int H, int L, Index Rows>
struct Product {
  using T = typename R::T;
  using S = typename R::Turn;

  /// How b lies for one cut of k and some columns: in panels, or in place, where all panels are one.
  struct Right {
    const T* first;
    Index row, panel;
    Reads reads;
    const Index* rows;  // of views
  };

  /// Kernels by the rows of a block, for some columns of a panel.
  template <int Registers>
  static const BlockKernel<T>* kernels_for(Reads reads, Index columns) {
    constexpr Index panel = Registers * R::width;
    switch (reads) {
      case Reads::whole:
        break;
      case Reads::partial:
        if (columns >= panel) break;
        return R::template Kernels<Registers, Reads::partial>::by_rows;
      case Reads::views:
        return R::template Kernels<Registers, Reads::views>::by_rows;
    }
    return R::template Kernels<Registers, Reads::whole>::by_rows;
  }

  template <int Registers>
  static void multiply(const ProductTask<T>& task, Index first_column, Index columns, Index first_term,
                       Index terms, const Right& right) {
    constexpr Index panel = Registers * R::width;
    for (Index row = 0; row < task.m; row += Rows) {
      const Index rows = least(Rows, task.m - row);
      const Index blocks = parts(rows, H);
      for (Index j = 0; j < columns; j += panel) {
        const Index wanted = least(panel, columns - j);
        const BlockKernel<T>* kernels = kernels_for<Registers>(right.reads, wanted);
        if constexpr (Registers > 1) {
          if (wanted <= R::width) kernels = kernels_for<1>(right.reads, wanted);
        }
        // Rows are shared out evenly: a block of one row waits for its own sums.
        for (Index block = 0, i = 0; block < blocks; ++block) {
          const Index height = parts(rows - i, blocks - block);
          const Block<T> b{terms,
                           task.a + (row + i) * task.a_row + first_term * task.a_column,
                           task.a_row,
                           task.a_column,
                           right.first + j / panel * right.panel,
                           right.row,
                           right.rows,
                           task.c + (row + i) * task.c_row + first_column + j,
                           task.c_row,
                           wanted,
                           first_term > 0};
          kernels[height](b);
          i += height;
        }
      }
    }
  }

  /// Columns [j, j + columns), of which there are at most product_columns.
  template <int Registers>
  static void run(const ProductTask<T>& task, Index j, Index columns) {
    constexpr Index panel = Registers * R::width;
    for (Index p = 0; p < task.k; p += product_depth) {
      const Index terms = least(product_depth, task.k - p);
      const T* right = task.b + p * task.b_row + j * task.b_column;
      // Few rows read b too seldom for a copy of it to pay.
      if (task.b_column == 1 &&
          (task.m <= 2 * H || task.m <= product_rows_in_place || task.k <= product_terms_in_place)) {
        multiply<Registers>(task, j, columns, p, terms,
                            Right{right, task.b_row, panel, Reads::partial, nullptr});
      } else {
        pack_right<R, panel>(right, task.b_row, task.b_column, terms, columns, task.scratch);
        multiply<Registers>(task, j, columns, p, terms,
                            Right{task.scratch, panel, terms * panel, Reads::whole, nullptr});
      }
    }
  }

  template <int Height, int Groups>
  static void turned(const ProductTask<T>& task) {
    constexpr Index width = S::width;
    for (Index p = 0; p < task.k; p += product_depth) {
      Block<T> block{least(product_depth, task.k - p),
                     task.a + p * task.a_column,
                     task.a_row,
                     task.a_column,
                     nullptr,
                     0,
                     nullptr,
                     task.c,
                     task.c_row,
                     Groups * width,
                     p > 0};
      const T* from = task.b + p * task.b_row;
      Index j = 0;
      for (; j + Groups * width <= task.n; j += Groups * width, block.c += Groups * width) {
        Even<T> right[Groups];
        for (Index g = 0; g < Groups; ++g) right[g] = {from + (j + g * width) * task.b_column, task.b_column};
        multiply_turned<S, Height, Groups>(block, right);
      }
      for (; j < task.n; j += 2 * width, block.c += 2 * width) {
        block.columns = least(2 * width, task.n - j);
        const Index second = least(j + width, task.n - 1);
        const Last<S> right[2] = {{from + j * task.b_column, task.b_column, task.n - j},
                                  {from + second * task.b_column, task.b_column, task.n - second}};
        multiply_turned<S, Height, 2>(block, right);
      }
    }
  }

  static void run(const ProductTask<T>& task) {
    if (task.b_column != 1) {
      if (task.m == 1) return turned<1, 4>(task);
      if (task.m == 2) return turned<2, 2>(task);
    }
    for (Index j = 0; j < task.n; j += product_columns) {
      const Index columns = least(product_columns, task.n - j);
      if (columns <= R::width) {
        run<1>(task, j, columns);
      } else if (task.m <= 2 && task.b_column == 1) {
        run<6>(task, j, columns);
      } else {
        run<L>(task, j, columns);
      }
    }
  }
};

}  // namespace
}  // namespace xtgrad::v1::detail
