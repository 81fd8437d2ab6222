#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/reduction.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

// Losses of items that have several labels, or one of two. ShapeError or DtypeError says where tensors do not
// fit.

struct SoftMarginLossOptions {
  Reduction reduction = Reduction::mean;
};

/// log(1 + e^(-y x)) of each score x, for a target y of 1 or -1, in the scores' shape and dtype. Throws
/// ValueError for another target.
[[nodiscard]] Tensor soft_margin_loss(const Tensor& scores, const Tensor& target,
                                      const SoftMarginLossOptions& options = {});

struct MultilabelSoftMarginLossOptions {
  Tensor weight = {};  ///< [classes], one factor for each class; ones if empty
  Reduction reduction = Reduction::mean;
};

/// The mean over classes of bce_with_logits, for each item [...] of logits [..., classes] and a target, from
/// 0 to 1, of their shape and dtype.
[[nodiscard]] Tensor multilabel_soft_margin_loss(const Tensor& logits, const Tensor& target,
                                                 const MultilabelSoftMarginLossOptions& options = {});

struct MultilabelMarginLossOptions {
  Reduction reduction = Reduction::mean;
};

/// The sum over an item's labels y and all classes c that are none of them of max(0, 1 - (x_y - x_c)),
/// divided by the number of classes. Scores are [classes] or [n, classes]; the target, int64 or int32 in
/// their shape, has an item's labels in front, and -1 behind them. Throws ValueError for what is neither a
/// class nor -1.
[[nodiscard]] Tensor multilabel_margin_loss(const Tensor& scores, const Tensor& target,
                                            const MultilabelMarginLossOptions& options = {});

}}}  // namespace xtgrad::v1::nn
