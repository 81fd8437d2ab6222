#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/reduction.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct BceWithLogitsOptions {
  Tensor pos_weight = {};  ///< p, a factor of the positive part, such as one for each class; ones if empty
  Tensor weight = {};      ///< w, a factor of each item; ones if empty
  Reduction reduction = Reduction::mean;
};

/// Binary cross-entropy of each element: with s(x) = log(1 + e^x), which is -log(1 - sigmoid(x)),
///
///   w ((1 - y) s(x) + p y s(-x))
///
/// for a logit x and the probability y of its target. No term is lost in another's rounding, and none
/// overflows, for any x: at an infinite one the item is 0 where y agrees, or w is 0, and infinite elsewhere.
/// The target has the logits' shape and dtype; both weights have that dtype and
/// broadcast to that shape. The mean divides by the number of elements, whatever the weights are. Throws
/// ShapeError or DtypeError where shapes or dtypes do not fit.
///
///   Tensor loss = nn::bce_with_logits(model(x), is_spam, {.pos_weight = tensor(3)});
[[nodiscard]] Tensor bce_with_logits(const Tensor& logits, const Tensor& target,
                                     const BceWithLogitsOptions& options = {});

struct BceOptions {
  Tensor weight = {};  ///< a factor of each item; ones if empty
  Reduction reduction = Reduction::mean;
};

/// Binary cross-entropy of each element for a predicted probability p and the target's y:
///
///   -(y max(log p, -100) + (1 - y) max(log(1 - p), -100))
///
/// This is a function of p alone, constant where a logarithm is cut off, and so is its derivative there, 0.
/// A p near 1 has lost 1 - p, and a loss is small or large by it: prefer bce_with_logits where the logit is
/// at hand. Target and weight as in bce_with_logits. Throws ValueError for a p outside [0, 1], ShapeError or
/// DtypeError where shapes or dtypes do not fit.
[[nodiscard]] Tensor bce(const Tensor& probabilities, const Tensor& target, const BceOptions& options = {});

}}}  // namespace xtgrad::v1::nn
