#pragma once

#include <cstdint>

#include "xtgrad/autograd/kernels/fourier_plan.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail {

enum class FourierKind {
  pairs,       ///< n pairs to n pairs
  pairs_back,  ///< the same with the other sign in the exponent
  of_real,     ///< n real numbers to n / 2 + 1 pairs
  to_real      ///< n / 2 + 1 pairs to n real numbers
};

/// Transforms of rows that stand side by side: element j of row i is number i % inner + inner (j + size (i /
/// inner)) of an array, where a row has `size` elements.
struct FourierJob {
  FourierKind kind = FourierKind::pairs;
  std::int64_t n = 1;
  std::int64_t rows = 0;
  std::int64_t inner = 1;
  double scale = 1;   ///< what the result is multiplied by
  double middle = 1;  ///< of real ones: and besides bins that stand for two, all but the first and n / 2

  /// How many points a plan is needed for: pairs of real numbers are taken for complex ones.
  [[nodiscard]] std::int64_t points() const {
    const bool is_halved = n % 2 == 0 && (kind == FourierKind::of_real || kind == FourierKind::to_real);
    return is_halved ? n / 2 : n;
  }
};

XTGRAD_KERNELS_BEGIN

/// How many numbers a lane has: plans are made for that.
std::int64_t fourier_lanes(bool is_float);

void fourier_float(const FourierPlan<float>& plan, const FourierJob& job, const float* in, float* out);
void fourier_double(const FourierPlan<double>& plan, const FourierJob& job, const double* in, double* out);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(fourier_lanes)
XTGRAD_KERNEL(fourier_float)
XTGRAD_KERNEL(fourier_double)

}  // namespace xtgrad::v1::detail
