#include "xtgrad/autograd/kernels/product/chosen.h"

#include "xtgrad/autograd/kernels/instructions.h"
#include "xtgrad/autograd/kernels/product/avx2.h"
#include "xtgrad/autograd/kernels/product/avx512.h"
#include "xtgrad/autograd/kernels/product/baseline.h"

namespace xtgrad::inline v1::detail {
namespace {

template <class Kernels>
const Kernels& choose(const Kernels& avx512, const Kernels& avx2, const Kernels& baseline) {
  switch (instructions()) {
    case Instructions::avx512:
      return avx512;
    case Instructions::avx2:
      return avx2;
    case Instructions::baseline:
      break;
  }
  return baseline;
}

}  // namespace

#if defined(__x86_64__)

const ProductKernels& product_kernels() {
  static const ProductKernels& chosen = choose(product_avx512, product_avx2, product_baseline);
  return chosen;
}

const ViewKernels& view_kernels() {
  static const ViewKernels& chosen = choose(view_avx512, view_avx2, view_baseline);
  return chosen;
}

const OuterKernels& outer_kernels() {
  static const OuterKernels& chosen = choose(outer_avx512, outer_avx2, outer_baseline);
  return chosen;
}

#else

const ProductKernels& product_kernels() { return product_baseline; }
const ViewKernels& view_kernels() { return view_baseline; }
const OuterKernels& outer_kernels() { return outer_baseline; }

#endif

}  // namespace xtgrad::v1::detail
