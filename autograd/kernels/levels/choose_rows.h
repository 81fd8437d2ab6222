#pragma once

#include <cstddef>
#include <cstdint>

#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail {

/// Which operands of a row are one element for all.
struct RepeatedOperands {
  bool mask = false, a = false, b = false;
};

XTGRAD_KERNELS_BEGIN

/// out[i] = mask[i] ? a[i] : b[i] for n elements of 1, 4 or 8 bytes, whatever they are. The result may lie
/// where a or b does, element on element.
void choose_row(std::size_t element_bytes, std::int64_t n, const bool* mask, const void* a, const void* b,
                const RepeatedOperands& repeated, void* out);

/// taken[i] = mask[i] ? x[i] : 0 and left[i] = mask[i] ? 0 : x[i], likewise.
void split_row(std::size_t element_bytes, std::int64_t n, const bool* mask, const void* x, void* taken,
               void* left);

/// out[i] = mask[i] ? factor * x[i] : 0 for float32 or float64; b is none of the operands.
void choose_scaled_row_float32(std::int64_t n, const bool* mask, const float* x, float factor,
                               const RepeatedOperands& repeated, float* out);
void choose_scaled_row_float64(std::int64_t n, const bool* mask, const double* x, double factor,
                               const RepeatedOperands& repeated, double* out);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(choose_row)
XTGRAD_KERNEL(split_row)
XTGRAD_KERNEL(choose_scaled_row_float32)
XTGRAD_KERNEL(choose_scaled_row_float64)

}  // namespace xtgrad::v1::detail
