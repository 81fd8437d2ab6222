#include "xtgrad/autograd/kernels/product/baseline.h"

#include "xtgrad/autograd/kernels/product/micro.h"
#include "xtgrad/autograd/kernels/product/outer.h"
#include "xtgrad/autograd/kernels/product/view.h"

// For any processor that the library is compiled for, by the compiler's own vectors of 16 bytes.

namespace xtgrad::inline v1::detail {
namespace {

template <class Element>
struct Vectors {
  using T = Element;
  using V [[gnu::vector_size(16)]] = Element;
  static constexpr int width = 16 / sizeof(Element);
  static constexpr bool many_registers = false;
  /// As V, at any address, and whatever else lies there.
  using Unaligned [[gnu::vector_size(16), gnu::aligned(alignof(Element)), gnu::may_alias]] = Element;

  static V zero() { return V{}; }
  static V load(const T* p) { return *reinterpret_cast<const Unaligned*>(p); }
  static void store(T* p, V x) { *reinterpret_cast<Unaligned*>(p) = x; }
  static V broadcast(const T* p) { return *p - V{}; }
  static V add(V a, V b) { return a + b; }
  static V multiply_add(V a, V b, V c) { return a * b + c; }

  using Part = Index;
  static Part part(Index n) { return n; }
  static V load_part(const T* p, Part part) {
    if (part >= width) return load(p);
    V x{};
    for (Index i = 0; i < least(part, width); ++i) x[i] = p[i];
    return x;
  }
  static void store_part(T* p, V x, Part part) {
    for (Index i = 0; i < least(part, width); ++i) p[i] = x[i];
  }

  using Turn = Vectors;
  template <class Columns>
  static void turn(const Columns& from, Index p, V* columns) {
    for (int q = 0; q < width; ++q) {
      T column[width];
      for (int i = 0; i < width; ++i) column[i] = from[i][p + q];
      columns[q] = load(column);
    }
  }

  template <int L, Reads How>
  struct Kernels : KernelsOf<Vectors, L, How, 1, 2, 3, 4, 5, 6> {};
  template <Reads How>
  struct Kernels<6, How> : KernelsOf<Vectors, 6, How, 1, 2> {};
};

template <int L>
struct OuterFloats : OuterKernelsOf<Vectors<float>, L, 1, 2, 3, 4> {};
template <int L>
struct OuterDoubles : OuterKernelsOf<Vectors<double>, L, 1, 2, 3, 4> {};

}  // namespace

const ProductKernels product_baseline{&Product<Vectors<float>, 6, 2, 144>::run,
                                      &Product<Vectors<double>, 6, 2, 144>::run};
const ViewKernels view_baseline{&ViewProduct<Vectors<float>, 6, 2, 144>::run,
                                &ViewProduct<Vectors<double>, 6, 2, 144>::run};
const OuterKernels outer_baseline{&OuterSum<Vectors<float>, 4, OuterFloats>::run,
                                  &OuterSum<Vectors<double>, 4, OuterDoubles>::run};

}  // namespace xtgrad::v1::detail
