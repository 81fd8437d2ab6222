#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/reduction.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct CtcLossOptions {
  std::int64_t blank = 0;      ///< the class that stands for no label
  bool zero_infinity = false;  ///< a target that is too long for its input has loss 0, not inf
  Reduction reduction = Reduction::mean;
};

/// -log of the probability of each target, [n], by connectionist temporal classification (Graves et al.,
/// 2006): log probabilities [steps, n, classes] say which label, or none, is at each step, and all alignments
/// count. The mean divides each loss by the length of its target, or by 1 if that is 0, first. Targets are
/// int64 or int32, [n, most], padded, or one after the other in one dimension; lengths are [n]. (As in
/// PyTorch.) A target that is too long has no gradient, in either case. Throws as the ctc_loss of
/// autograd/functions/sequence.h.
///
///   Tensor loss = nn::ctc_loss(log_softmax(model(x), 2), targets, input_lengths, target_lengths);
[[nodiscard]] Tensor ctc_loss(const Tensor& log_probabilities, const Tensor& targets,
                              const Tensor& input_lengths, const Tensor& target_lengths,
                              const CtcLossOptions& options = {});

}}}  // namespace xtgrad::v1::nn
