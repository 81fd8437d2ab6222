#include "xtgrad/autograd/kernels/product/avx2.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "xtgrad/autograd/kernels/product/micro.h"
#include "xtgrad/autograd/kernels/product/outer.h"
#include "xtgrad/autograd/kernels/product/turn_avx2.h"
#include "xtgrad/autograd/kernels/product/view.h"

namespace xtgrad::inline v1::detail {
namespace {

/// The first n words of a register, for n from 0 to 8.
inline __m256i part_of(Index n) {
  static constexpr std::int32_t yes_and_no[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(yes_and_no + 8 - (n > 0 ? n : 0)));
}

template <class R, int L, Reads How>
struct HeightsOf : KernelsOf<R, L, How, 1, 2, 3, 4, 5, 6> {};
template <class R, Reads How>
struct HeightsOf<R, 6, How> : KernelsOf<R, 6, How, 1, 2> {};

struct Floats : TurnFloats {
  static constexpr bool many_registers = false;
  static V add(V a, V b) { return _mm256_add_ps(a, b); }
  using Part = __m256i;
  static Part part(Index n) { return part_of(least(n, width)); }
  static V load_part(const T* p, Part part) { return _mm256_maskload_ps(p, part); }
  static void store_part(T* p, V x, Part part) { _mm256_maskstore_ps(p, part, x); }
  using Turn = TurnFloats;
  template <int L, Reads How>
  using Kernels = HeightsOf<Floats, L, How>;
};

struct Doubles : TurnDoubles {
  static constexpr bool many_registers = false;
  static V add(V a, V b) { return _mm256_add_pd(a, b); }
  using Part = __m256i;
  static Part part(Index n) { return part_of(2 * least(n, width)); }
  static V load_part(const T* p, Part part) { return _mm256_maskload_pd(p, part); }
  static void store_part(T* p, V x, Part part) { _mm256_maskstore_pd(p, part, x); }
  using Turn = TurnDoubles;
  template <int L, Reads How>
  using Kernels = HeightsOf<Doubles, L, How>;
};

template <int L>
struct OuterFloats : OuterKernelsOf<Floats, L, 1, 2, 3, 4, 5, 6> {};
template <int L>
struct OuterDoubles : OuterKernelsOf<Doubles, L, 1, 2, 3, 4, 5, 6> {};

}  // namespace

const ProductKernels product_avx2{&Product<Floats, 6, 2, 144>::run, &Product<Doubles, 6, 2, 144>::run};
const ViewKernels view_avx2{&ViewProduct<Floats, 6, 2, 144>::run, &ViewProduct<Doubles, 6, 2, 144>::run};
const OuterKernels outer_avx2{&OuterSum<Floats, 6, OuterFloats>::run,
                              &OuterSum<Doubles, 6, OuterDoubles>::run};

}  // namespace xtgrad::v1::detail

#endif
