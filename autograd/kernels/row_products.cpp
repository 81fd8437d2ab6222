#include "xtgrad/autograd/kernels/row_products.h"

#include <algorithm>
#include <utility>

#include "xtgrad/autograd/kernels/lanes.h"

namespace xtgrad::inline v1::detail {
namespace {

template <class T>
constexpr auto width = static_cast<std::int64_t>(Lane<T>::width);

/// A block of the result is held in registers: 8 x 3 of the 32 that AVX-512 and SVE have, 4 x 3 of 16
/// elsewhere. Three independent registers a row are enough to hide the latency of a multiply-add.
template <class T>
constexpr int block_height = sizeof(Lane<T>) == 64 ? 8 : 4;
constexpr int block_lanes = 3;

/// Terms of one pass: three registers of each of so many rows stay in the first-level cache while all blocks
/// of the left matrix go over them.
constexpr std::int64_t pass_terms = 256;

template <class T>
struct Pass {
  std::int64_t k;
  const T* a;  // packed
  const T* base;
  const std::int64_t* offsets;
  T* c;
  std::int64_t c_stride;
  bool adds;  // to what c holds
};

template <class T, int Height, int Lanes>
void multiply_block(const Pass<T>& pass) {
  Lane<T> sums[Height][Lanes];
#pragma GCC unroll 8
  for (int i = 0; i < Height; ++i) {
#pragma GCC unroll 8
    for (int v = 0; v < Lanes; ++v) {
      sums[i][v] = pass.adds ? Lane<T>::load(pass.c + i * pass.c_stride + v * width<T>) : Lane<T>(T(0));
    }
  }
  const T* a = pass.a;
  for (std::int64_t p = 0; p < pass.k; ++p, a += Height) {
    const T* row = pass.base + pass.offsets[p];
    Lane<T> b[Lanes];
#pragma GCC unroll 8
    for (int v = 0; v < Lanes; ++v) b[v] = Lane<T>::load(row + v * width<T>);
#pragma GCC unroll 8
    for (int i = 0; i < Height; ++i) {
      const Lane<T> factor(a[i]);
#pragma GCC unroll 8
      for (int v = 0; v < Lanes; ++v) sums[i][v] = fma(factor, b[v], sums[i][v]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < Height; ++i) {
#pragma GCC unroll 8
    for (int v = 0; v < Lanes; ++v) sums[i][v].store(pass.c + i * pass.c_stride + v * width<T>);
  }
}

template <class T, int Height>
void multiply_block(const Pass<T>& pass, std::int64_t lanes) {
  if (lanes == 3) return multiply_block<T, Height, 3>(pass);
  if (lanes == 2) return multiply_block<T, Height, 2>(pass);
  multiply_block<T, Height, 1>(pass);
}

/// Calls `f(first, integral_constant height)` for the blocks that cut m rows: full ones, then halves of
/// halves.
template <int Height, class F>
void for_each_block(std::int64_t first, std::int64_t m, F&& f) {
  for (; first + Height <= m; first += Height) f(first, std::integral_constant<int, Height>{});
  if constexpr (Height > 1) for_each_block<Height / 2>(first, m, f);
}

/// Terms that a lane adds up in one register, and in the sum of such sums: each term is rounded off few
/// times.
constexpr std::int64_t lane_terms = 32;
constexpr std::int64_t stretch_terms = 2 * lane_terms;

/// Sums over a stretch of the rows, first to last.
template <class T, int Height, int Width, bool Masked>
void add_dots_stretch(const RowDots<T>& dots, std::int64_t i0, std::int64_t p0, std::int64_t first,
                      std::int64_t last) {
  Lane<T> sums[Height * Width];
  // In memory: there are no registers left.
  T totals[Height * Width][Lane<T>::width];
#pragma GCC unroll 32
  for (int i = 0; i < Height * Width; ++i) {
    sums[i] = Lane<T>(T(0));
    sums[i].store(totals[i]);
  }
  std::int64_t terms = 0;  // in a lane of `sums`
  for (std::int64_t q = 0; q < dots.count; ++q) {
    const T* a = dots.a + (q * dots.m + i0) * dots.n;
    const T* rows[Width];
    for (int j = 0; j < Width; ++j) rows[j] = dots.base + q * dots.base_stride + dots.offsets[p0 + j];
    for (std::int64_t x = first; x < last;) {
      if (terms == lane_terms) {
#pragma GCC unroll 32
        for (int i = 0; i < Height * Width; ++i) {
          (Lane<T>::load(totals[i]) + sums[i]).store(totals[i]);
          sums[i] = Lane<T>(T(0));
        }
        terms = 0;
      }
      const std::int64_t stop = std::min(last, x + (lane_terms - terms) * width<T>);
      terms += (stop - x) / width<T>;
      for (; x < stop; x += width<T>) {
        Lane<T> b[Width];
#pragma GCC unroll 8
        for (int j = 0; j < Width; ++j) {
          b[j] = Lane<T>::load(rows[j] + x);
          if constexpr (Masked) b[j] = where(Lane<T>::load(dots.mask + x) == 0, 0, b[j]);
        }
#pragma GCC unroll 8
        for (int i = 0; i < Height; ++i) {
          const Lane<T> left = Lane<T>::load(a + i * dots.n + x);
#pragma GCC unroll 8
          for (int j = 0; j < Width; ++j) sums[i * Width + j] = fma(left, b[j], sums[i * Width + j]);
        }
      }
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < Height; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < Width; ++j)
      dots.c[(i0 + i) * dots.k + p0 + j].add(
          sum_of(Lane<T>::load(totals[i * Width + j]) + sums[i * Width + j]));
  }
}

template <class T, int Height, int Width, bool Masked>
void add_dots_block(const RowDots<T>& dots, std::int64_t i0, std::int64_t p0) {
  constexpr std::int64_t stretch = stretch_terms * width<T>;
  for (std::int64_t first = 0; first < dots.n; first += stretch)
    add_dots_stretch<T, Height, Width, Masked>(dots, i0, p0, first, std::min(dots.n, first + stretch));
}

template <class T, bool Masked>
void add_all_dots(const RowDots<T>& dots) {
  for_each_block<block_height<T>>(0, dots.m, [&](std::int64_t i0, auto height) {
    std::int64_t p0 = 0;
    for (; p0 + 3 <= dots.k; p0 += 3) add_dots_block<T, height, 3, Masked>(dots, i0, p0);
    for (; p0 < dots.k; ++p0) add_dots_block<T, height, 1, Masked>(dots, i0, p0);
  });
}

}  // namespace

template <class T>
std::int64_t whole_lanes(std::int64_t n) {
  return (n + width<T> - 1) / width<T> * width<T>;
}

template <class T>
void pack_left(std::int64_t m, std::int64_t k, const T* a, std::int64_t row_stride,
               const std::int64_t* a_offsets, T* packed) {
  // Passes outermost, so that a pass reads one stretch.
  for (std::int64_t p0 = 0; p0 < k; p0 += pass_terms) {
    const std::int64_t p1 = std::min(p0 + pass_terms, k);
    for_each_block<block_height<T>>(0, m, [&](std::int64_t i0, auto height) {
      for (std::int64_t p = p0; p < p1; ++p) {
        for (int i = 0; i < height; ++i) *packed++ = a[(i0 + i) * row_stride + a_offsets[p]];
      }
    });
  }
}

template <class T>
void multiply_rows(const RowProduct<T>& product) {
  const auto [m, n, k, packed, base, offsets, c] = product;
  if (k == 0) std::fill_n(c, m * n, T(0));
  for (std::int64_t p0 = 0; p0 < k; p0 += pass_terms) {
    const std::int64_t terms = std::min(pass_terms, k - p0);
    for (std::int64_t x = 0; x < n; x += block_lanes * width<T>) {
      const std::int64_t lanes = std::min<std::int64_t>(block_lanes, (n - x) / width<T>);
      for_each_block<block_height<T>>(0, m,
                                      [&, n = n, m = m, packed = packed, base = base, offsets = offsets,
                                       c = c](std::int64_t i0, auto height) {
                                        multiply_block<T, height>({.k = terms,
                                                                   .a = packed + p0 * m + i0 * terms,
                                                                   .base = base + x,
                                                                   .offsets = offsets + p0,
                                                                   .c = c + i0 * n + x,
                                                                   .c_stride = n,
                                                                   .adds = p0 > 0},
                                                                  lanes);
                                      });
    }
  }
}

template <class T>
void add_row_dots(const RowDots<T>& dots) {
  if (dots.mask == nullptr) {
    add_all_dots<T, false>(dots);
  } else {
    add_all_dots<T, true>(dots);
  }
}

template <class T>
std::int64_t row_dots_columns() {
  constexpr std::int64_t left_bytes = 28 << 10;  // of a first-level cache of 32 KiB or more
  return left_bytes / (block_height<T> * static_cast<std::int64_t>(sizeof(T)));
}

// NOLINTBEGIN(bugprone-macro-parentheses): a type stands in none.
#define XTGRAD_INSTANTIATE(T)                                                                           \
  template std::int64_t whole_lanes<T>(std::int64_t);                                                   \
  template void pack_left(std::int64_t, std::int64_t, const T*, std::int64_t, const std::int64_t*, T*); \
  template void multiply_rows(const RowProduct<T>&);                                                    \
  template void add_row_dots(const RowDots<T>&);                                                        \
  template std::int64_t row_dots_columns<T>();
XTGRAD_INSTANTIATE(float)
XTGRAD_INSTANTIATE(double)
#undef XTGRAD_INSTANTIATE
// NOLINTEND(bugprone-macro-parentheses)

}  // namespace xtgrad::v1::detail
