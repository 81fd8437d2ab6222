#include "xtgrad/autograd/kernels/product/avx2.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "xtgrad/autograd/kernels/product/micro.h"
#include "xtgrad/autograd/kernels/product/turn_avx2.h"

namespace xtgrad::inline v1::detail {
namespace {

/// The first n words of a register, for n from 0 to 8.
inline __m256i part_of(Index n) {
  static constexpr std::int32_t yes_and_no[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(yes_and_no + 8 - (n > 0 ? n : 0)));
}

template <class R, int L, bool Whole>
struct HeightsOf : KernelsOf<R, L, Whole, 1, 2, 3, 4, 5, 6> {};
template <class R, bool Whole>
struct HeightsOf<R, 6, Whole> : KernelsOf<R, 6, Whole, 1, 2> {};

struct Floats {
  using T = float;
  using V = __m256;
  static constexpr int width = 8;
  static V zero() { return _mm256_setzero_ps(); }
  static V load(const T* p) { return _mm256_loadu_ps(p); }
  static void store(T* p, V x) { _mm256_storeu_ps(p, x); }
  static V broadcast(const T* p) { return _mm256_set1_ps(*p); }
  static V add(V a, V b) { return _mm256_add_ps(a, b); }
  static V multiply_add(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  using Part = __m256i;
  static Part part(Index n) { return part_of(least(n, width)); }
  static V load_part(const T* p, Part part) { return _mm256_maskload_ps(p, part); }
  static void store_part(T* p, V x, Part part) { _mm256_maskstore_ps(p, part, x); }
  using Turn = TurnFloats;
  template <int L, bool Whole>
  using Kernels = HeightsOf<Floats, L, Whole>;
};

struct Doubles {
  using T = double;
  using V = __m256d;
  static constexpr int width = 4;
  static V zero() { return _mm256_setzero_pd(); }
  static V load(const T* p) { return _mm256_loadu_pd(p); }
  static void store(T* p, V x) { _mm256_storeu_pd(p, x); }
  static V broadcast(const T* p) { return _mm256_set1_pd(*p); }
  static V add(V a, V b) { return _mm256_add_pd(a, b); }
  static V multiply_add(V a, V b, V c) { return _mm256_fmadd_pd(a, b, c); }
  using Part = __m256i;
  static Part part(Index n) { return part_of(2 * least(n, width)); }
  static V load_part(const T* p, Part part) { return _mm256_maskload_pd(p, part); }
  static void store_part(T* p, V x, Part part) { _mm256_maskstore_pd(p, part, x); }
  using Turn = TurnDoubles;
  template <int L, bool Whole>
  using Kernels = HeightsOf<Doubles, L, Whole>;
};

}  // namespace

const ProductKernels product_avx2{&Product<Floats, 6, 2, 144>::run, &Product<Doubles, 6, 2, 144>::run};

}  // namespace xtgrad::v1::detail

#endif
