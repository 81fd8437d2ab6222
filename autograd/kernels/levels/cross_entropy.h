#pragma once

#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/reduce.h"

namespace xtgrad::inline v1::detail {

// Kernels of softmax_cross_entropy: of each run along the middle dimension of logits [outer, classes, inner],
// the negative logarithm of one class's probability. One exponential for each logit serves value and
// gradient.

/// What the rule needs of the forward pass, in arrays of its own.
struct CrossEntropyParts {
  /// Of the logits' shape and dtype: exp(x - the run's largest), and at its class, the others' sum with a
  /// minus sign, so that a probability near 1 keeps the digits that are left to it.
  Array* exponentials;
  Array* sums;  // float64, one for each run: of all exponentials
};

XTGRAD_KERNELS_BEGIN

/// losses = -log(softmax(logits))[classes], the class of each run. `classes`, int64, are positions along
/// the axis. `parts` may be null.
///
/// A run with logits of inf has the loss inf where its class is none of them, and NaN where it is; one with
/// NaN, or of -inf alone, has NaN.
void softmax_cross_entropy_axis(const Array& logits, const Array& classes, const AxisView& view,
                                Array& losses, const CrossEntropyParts* parts);

/// The rule: out = g (softmax(logits) - 1 at the class), of what the forward pass left. `out` may be the
/// exponentials.
void softmax_cross_entropy_vjp_axis(const Array& g, const Array& exponentials, const Array& sums,
                                    const AxisView& view, Array& out);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(softmax_cross_entropy_axis)
XTGRAD_KERNEL(softmax_cross_entropy_vjp_axis)

}  // namespace xtgrad::v1::detail
