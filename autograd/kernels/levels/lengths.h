#pragma once

#include <cstdint>
#include <span>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/reduce.h"

namespace xtgrad::inline v1::detail {

// Lengths of vectors along an axis, and the cosines between them. A row whose sum of squares has left the
// safe part of the range, or lost digits below it, is computed once more: of floats in double, whose range
// squares of floats do not leave, and of doubles divided by a power of two.

XTGRAD_KERNELS_BEGIN

/// lengths [outer, inner], float64: the root of the sum of x^2 along the axis.
void length_axis(const Array& x, const AxisView& view, Array& lengths);

/// dx = x g / length, of arrays as above, where g and dx are of x's dtype; 0 where the length is.
void length_axis_grad(const Array& g, const Array& x, const Array& lengths, const AxisView& view, Array& dx);

/// True if products and quotients of a few of these lengths, float64, have all their digits in float32,
/// too.
[[nodiscard]] bool are_moderate(std::span<const double> lengths);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(length_axis)
XTGRAD_KERNEL(length_axis_grad)
XTGRAD_KERNEL(are_moderate)

/// What the cosines' rule needs of them, each float64 [outer, inner], one behind the other.
struct CosineParts {
  static constexpr std::int64_t count = 5;
  /// max(|a|, eps), max(|b|, eps), and the cosine itself
  double *long_a, *long_b, *cosine;
  /// the share that the cosine has in the gradients, which is 0 where a length counts as eps
  double *turns_a, *turns_b;

  static CosineParts of(double* parts, std::int64_t n) {
    return {parts, parts + n, parts + 2 * n, parts + 3 * n, parts + 4 * n};
  }
};

XTGRAD_KERNELS_BEGIN

/// parts [5, outer inner], float64, of a . b / (max(|a|, eps) max(|b|, eps)) along the axis.
void cosine_axis(const Array& a, const Array& b, const AxisView& view, double eps, Array& parts);

/// The gradient in a, g (b / long_b - turns_a a / long_a) / long_a.
void cosine_axis_grad_a(const Array& g, const Array& a, const Array& b, const Array& parts,
                        const AxisView& view, Array& da);
/// The same in b.
void cosine_axis_grad_b(const Array& g, const Array& a, const Array& b, const Array& parts,
                        const AxisView& view, Array& db);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(cosine_axis)
XTGRAD_KERNEL(cosine_axis_grad_a)
XTGRAD_KERNEL(cosine_axis_grad_b)

}  // namespace xtgrad::v1::detail
