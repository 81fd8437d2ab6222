#pragma once

// Blocks turned by AVX2's shuffles. Included by avx2.cpp and avx512.cpp alone; see micro.h.

#include <immintrin.h>

#include <cstdint>

namespace xtgrad::inline v1::detail { namespace {

/// Eight floats of eight rows each, as eight registers of a column each.
struct TurnFloats {
  using T = float;
  using V = __m256;
  static constexpr int width = 8;
  static V zero() { return _mm256_setzero_ps(); }
  static V load(const T* p) { return _mm256_loadu_ps(p); }
  static void store(T* p, V x) { _mm256_storeu_ps(p, x); }
  static V broadcast(const T* p) { return _mm256_broadcast_ss(p); }
  static V multiply_add(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  template <class Rows>
  static void turn(const Rows& rows, std::int64_t p, V* columns) {
    // Halves of rows i and i + 4 side by side: what is left are shuffles within halves.
    for (int half = 0; half < 2; ++half, p += 4, columns += 4) {
      V x[4];
      for (int i = 0; i < 4; ++i) {
        const V low = _mm256_castps128_ps256(_mm_loadu_ps(rows[i] + p));
        x[i] = _mm256_insertf128_ps(low, _mm_loadu_ps(rows[i + 4] + p), 1);
      }
      const V y0 = _mm256_unpacklo_ps(x[0], x[1]), y1 = _mm256_unpackhi_ps(x[0], x[1]);
      const V y2 = _mm256_unpacklo_ps(x[2], x[3]), y3 = _mm256_unpackhi_ps(x[2], x[3]);
      columns[0] = _mm256_shuffle_ps(y0, y2, 0x44);
      columns[1] = _mm256_shuffle_ps(y0, y2, 0xEE);
      columns[2] = _mm256_shuffle_ps(y1, y3, 0x44);
      columns[3] = _mm256_shuffle_ps(y1, y3, 0xEE);
    }
  }
};

/// So with four doubles.
struct TurnDoubles {
  using T = double;
  using V = __m256d;
  static constexpr int width = 4;
  static V zero() { return _mm256_setzero_pd(); }
  static V load(const T* p) { return _mm256_loadu_pd(p); }
  static void store(T* p, V x) { _mm256_storeu_pd(p, x); }
  static V broadcast(const T* p) { return _mm256_broadcast_sd(p); }
  static V multiply_add(V a, V b, V c) { return _mm256_fmadd_pd(a, b, c); }
  template <class Rows>
  static void turn(const Rows& rows, std::int64_t p, V* columns) {
    for (int half = 0; half < 2; ++half, p += 2, columns += 2) {
      V x[2];
      for (int i = 0; i < 2; ++i) {
        const V low = _mm256_castpd128_pd256(_mm_loadu_pd(rows[i] + p));
        x[i] = _mm256_insertf128_pd(low, _mm_loadu_pd(rows[i + 2] + p), 1);
      }
      columns[0] = _mm256_unpacklo_pd(x[0], x[1]);
      columns[1] = _mm256_unpackhi_pd(x[0], x[1]);
    }
  }
};

}  // namespace
}  // namespace xtgrad::v1::detail
