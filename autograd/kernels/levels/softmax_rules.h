#pragma once

#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/reduce.h"

namespace xtgrad::inline v1::detail {

/// A probability above this is the only one, and may be so near to 1 that what is left to 1 has lost its
/// digits.
inline constexpr double dominant_probability = 0.625;

XTGRAD_KERNELS_BEGIN

/// The rules of softmax, out = y (g - sum(g y)), and of log_softmax, out = g - e^y sum(g); `y` is the
/// output of the function. Where a probability is near 1, what is left to it keeps its digits: it is the
/// others' sum.
void softmax_vjp_axis(const Array& g, const Array& y, const AxisView& view, Array& out);
void log_softmax_vjp_axis(const Array& g, const Array& y, const AxisView& view, Array& out);

/// The rule of logsumexp, out = g exp(x) / sum(exp(x)), of the scales that the function has left
/// (kernels/levels/softmax.h): 0 times g where all of a row is -inf; elements of +inf share g evenly.
void logsumexp_vjp_axis(const Array& g, const Array& x, const Array& scales, const AxisView& view,
                        Array& out);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(softmax_vjp_axis)
XTGRAD_KERNEL(log_softmax_vjp_axis)
XTGRAD_KERNEL(logsumexp_vjp_axis)

}  // namespace xtgrad::v1::detail
