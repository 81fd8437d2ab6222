#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/reduction.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

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
/// (1 - e) + e / C: -sum_c w[c] q[c] log p[c]; the mean divides by the number of items. (As in PyTorch.) An
/// item with a logit of inf is NaN if the target is that class or has shares of all, and inf otherwise.
///
/// Throws ShapeError or DtypeError where shapes or dtypes do not fit, and ValueError for a class index out of
/// range, a smoothing outside [0, 1], or an ignore_index that is not negative with probabilities.
///
///   Tensor loss = nn::cross_entropy(model(x), labels);  // [n, classes], int64 [n]
[[nodiscard]] Tensor cross_entropy(const Tensor& logits, const Tensor& target,
                                   const CrossEntropyOptions& options = {});

struct NllLossOptions {
  Tensor weight = {};                ///< [classes], one factor for each class; ones if empty
  std::int64_t ignore_index = -100;  ///< class indices of this value count for nothing
  Reduction reduction = Reduction::mean;
};

/// Negative log likelihood: -w[t] log p[t] for log probabilities such as log_softmax gives, and class indices
/// t. Shapes, weights, ignored items and errors as cross_entropy's, which is this of log_softmax(logits).
[[nodiscard]] Tensor nll_loss(const Tensor& log_probabilities, const Tensor& target,
                              const NllLossOptions& options = {});

/// What kl_div makes of its items: their mean, 0-d; their sum divided by the first dimension's size, which is
/// the divergence of the average row; their sum; or all of them.
enum class KlDivReduction : std::uint8_t { mean, batchmean, sum, none };

struct KlDivOptions {
  bool log_target = false;                          ///< the target, too, holds log probabilities
  KlDivReduction reduction = KlDivReduction::mean;  ///< PyTorch's default; batchmean is the divergence
};

/// Kullback-Leibler divergence of log probabilities x from a target t, element by element: t (log t - x), and
/// 0 where t is 0, even if x is -inf there. Both have one shape and dtype. The derivative in x is -t; that in
/// t where t = 0 takes t log t as constant, so that a target of 0 spoils nothing. A 0-d batchmean is the sum.
/// Throws ShapeError or DtypeError where shapes or dtypes differ.
///
///   Tensor loss = nn::kl_div(log_softmax(student(x), 1), softmax(teacher(x), 1),
///                            {.reduction = nn::KlDivReduction::batchmean});
[[nodiscard]] Tensor kl_div(const Tensor& log_probabilities, const Tensor& target,
                            const KlDivOptions& options = {});

}}}  // namespace xtgrad::v1::nn
