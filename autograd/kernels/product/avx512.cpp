#include "xtgrad/autograd/kernels/product/avx512.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "xtgrad/autograd/kernels/product/micro.h"
#include "xtgrad/autograd/kernels/product/outer.h"
#include "xtgrad/autograd/kernels/product/turn_avx2.h"
#include "xtgrad/autograd/kernels/product/view.h"

namespace xtgrad::inline v1::detail {
namespace {

template <class R, int L, Reads How>
struct HeightsOf : KernelsOf<R, L, How, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12> {};
template <class R, Reads How>
struct HeightsOf<R, 6, How> : KernelsOf<R, 6, How, 1, 2> {};

struct Floats {
  using T = float;
  using V = __m512;
  static constexpr int width = 16;
  static constexpr bool many_registers = true;
  static V zero() { return _mm512_setzero_ps(); }
  static V load(const T* p) { return _mm512_loadu_ps(p); }
  static void store(T* p, V x) { _mm512_storeu_ps(p, x); }
  static V broadcast(const T* p) { return _mm512_set1_ps(*p); }
  static V add(V a, V b) { return _mm512_add_ps(a, b); }
  static V multiply_add(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  using Part = __mmask16;
  static Part part(Index n) { return static_cast<Part>(n >= width ? 0xFFFF : n > 0 ? (1 << n) - 1 : 0); }
  static V load_part(const T* p, Part part) { return _mm512_maskz_loadu_ps(part, p); }
  static void store_part(T* p, V x, Part part) { _mm512_mask_storeu_ps(p, part, x); }
  using Turn = TurnFloats;
  template <int L, Reads How>
  using Kernels = HeightsOf<Floats, L, How>;
};

struct Doubles {
  using T = double;
  using V = __m512d;
  static constexpr int width = 8;
  static constexpr bool many_registers = true;
  static V zero() { return _mm512_setzero_pd(); }
  static V load(const T* p) { return _mm512_loadu_pd(p); }
  static void store(T* p, V x) { _mm512_storeu_pd(p, x); }
  static V broadcast(const T* p) { return _mm512_set1_pd(*p); }
  static V add(V a, V b) { return _mm512_add_pd(a, b); }
  static V multiply_add(V a, V b, V c) { return _mm512_fmadd_pd(a, b, c); }
  using Part = __mmask8;
  static Part part(Index n) { return static_cast<Part>(n >= width ? 0xFF : n > 0 ? (1 << n) - 1 : 0); }
  static V load_part(const T* p, Part part) { return _mm512_maskz_loadu_pd(part, p); }
  static void store_part(T* p, V x, Part part) { _mm512_mask_storeu_pd(p, part, x); }
  using Turn = TurnDoubles;
  template <int L, Reads How>
  using Kernels = HeightsOf<Doubles, L, How>;
};

template <int L>
struct OuterFloats : OuterKernelsOf<Floats, L, 1, 2, 3, 4, 5, 6> {};
template <int L>
struct OuterDoubles : OuterKernelsOf<Doubles, L, 1, 2, 3, 4, 5, 6> {};

}  // namespace

const ProductKernels product_avx512{&Product<Floats, 12, 2, 144>::run, &Product<Doubles, 12, 2, 144>::run};
const ViewKernels view_avx512{&ViewProduct<Floats, 12, 2, 144>::run, &ViewProduct<Doubles, 12, 2, 144>::run};
const OuterKernels outer_avx512{&OuterSum<Floats, 6, OuterFloats>::run,
                                &OuterSum<Doubles, 6, OuterDoubles>::run};

}  // namespace xtgrad::v1::detail

#endif
