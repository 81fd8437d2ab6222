#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// What a loss makes of its items: their mean or sum, 0-d, or all of them.
enum class Reduction : std::uint8_t { mean, sum, none };

struct MseLossOptions {
  Reduction reduction = Reduction::mean;
  bool half = false;  ///< one half of it, whose derivative is without the factor 2
};

/// Squared error of each element, (prediction - target)^2. The three scalings found in books: the mean is the
/// default; {.reduction = sum, .half = true} is 1/2 sum (y - p)^2; {.half = true} is 1/(2n) sum (y - p)^2, n
/// being the number of elements. Both have one shape: a difference of [n] and [n, 1] would be [n, n]. Throws
/// ShapeError or DtypeError where they differ.
[[nodiscard]] Tensor mse_loss(const Tensor& prediction, const Tensor& target,
                              const MseLossOptions& options = {});

struct CrossEntropyOptions {
  Tensor weight = {};                ///< [classes], one factor for each class; ones if empty
  std::int64_t ignore_index = -100;  ///< class indices of this value count for nothing
  double label_smoothing = 0;        ///< in [0, 1]
  Reduction reduction = Reduction::mean;
};

/// -log softmax(logits) at the target's class. Logits are [classes], [n, classes] or [n, classes, d1, ...].
/// An int64 or int32 target holds class indices, in the shape of the logits without classes; a floating one
/// holds a probability for every logit.
///
/// Indices, with smoothing e, C classes and weights w: item i is
/// (1 - e) w[t_i] (-log p[t_i]) + (e / C) sum_c w[c] (-log p[c]), and 0 where ignored; the mean divides the
/// sum by the weights w[t_i] of the items kept, so it is NaN (0/0) if none is. Probabilities q, smoothed to q
/// (1 - e) + e / C: -sum_c w[c] q[c] log p[c]; the mean divides by the number of items. (PyTorch's
/// definitions.)
///
/// Throws ShapeError or DtypeError where shapes or dtypes do not fit, and ValueError for a class index out of
/// range, a smoothing outside [0, 1], or an ignore_index that is not negative with probabilities.
///
///   Tensor loss = nn::cross_entropy(model(x), labels);  // [n, classes], int64 [n]
[[nodiscard]] Tensor cross_entropy(const Tensor& logits, const Tensor& target,
                                   const CrossEntropyOptions& options = {});

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
/// overflows, for any x. The target has the logits' shape and dtype; both weights have that dtype and
/// broadcast to that shape. The mean divides by the number of elements, whatever the weights are. Throws
/// ShapeError or DtypeError where shapes or dtypes do not fit.
///
///   Tensor loss = nn::bce_with_logits(model(x), is_spam, {.pos_weight = tensor(3)});
[[nodiscard]] Tensor bce_with_logits(const Tensor& logits, const Tensor& target,
                                     const BceWithLogitsOptions& options = {});

}}}  // namespace xtgrad::v1::nn
