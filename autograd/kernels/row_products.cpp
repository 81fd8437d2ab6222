#include "xtgrad/autograd/kernels/row_products.h"

#include <algorithm>
#include <utility>

#include "xtgrad/autograd/kernels/for_each_block.h"
#include "xtgrad/autograd/kernels/lanes.h"

namespace xtgrad::inline v1::detail {
namespace {

template <class T>
constexpr auto width = static_cast<std::int64_t>(Lane<T>::width);

/// Registers of a row of a block.
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

// NOLINTBEGIN(bugprone-macro-parentheses): a type stands in none.
#define XTGRAD_INSTANTIATE(T)                                                                           \
  template std::int64_t whole_lanes<T>(std::int64_t);                                                   \
  template void pack_left(std::int64_t, std::int64_t, const T*, std::int64_t, const std::int64_t*, T*); \
  template void multiply_rows(const RowProduct<T>&);
XTGRAD_INSTANTIATE(float)
XTGRAD_INSTANTIATE(double)
#undef XTGRAD_INSTANTIATE
// NOLINTEND(bugprone-macro-parentheses)

}  // namespace xtgrad::v1::detail
