#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail {

XTGRAD_KERNELS_BEGIN

/// out[o, i] = sum over a of in[o, a, i], where `in` is seen as [outer, axis, inner] and `out` as [outer,
/// inner], both of one dtype: int64 (which wraps around), float32 or float64. An empty axis sums to 0.
///
/// Accuracy: of n terms none is rounded more than 3 + log2(n) times. Terms meet as trees, float32 ones in
/// float32 in trees of few and from there on in double. The order of the additions follows from (outer,
/// axis, inner) alone, so the bits do not depend on the number of threads.
void sum_axis(const Array& in, std::int64_t outer, std::int64_t axis, std::int64_t inner, Array& out);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(sum_axis)

/// Elements that are computed when they are summed, and nowhere kept: `fill` writes those from number `first`
/// on to `to`, which has room for a lane more than n. It may be called on several threads.
struct ComputedTerms {
  Dtype dtype;  // float32 or float64
  void (*fill)(const void* context, std::int64_t first, std::int64_t n, void* to);
  const void* context;
};

XTGRAD_KERNELS_BEGIN

/// The same sum of computed terms, to the same bits.
void sum_computed(const ComputedTerms& in, std::int64_t outer, std::int64_t axis, std::int64_t inner,
                  Array& out);

/// The same sum of each row, in floating dtypes, where there are no arrays: `in` is [rows, axis].
void sum_last_axis(Dtype dtype, const void* in, std::int64_t rows, std::int64_t axis, void* out);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(sum_computed)
XTGRAD_KERNEL(sum_last_axis)

}  // namespace xtgrad::v1::detail
