// Sequences whose parts are not aligned.
#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct CtcOptions {
  std::int64_t blank = 0;  ///< the class that stands for no label
};
/// -log of the probability of each target under connectionist temporal classification, [n], for log
/// probabilities [steps, n, classes]. (Graves et al., 2006)
///
/// A path names a class at each step, with the product of their probabilities; it stands for the labels that
/// are left when neighbours that are equal have become one, and then blanks are dropped. The probability of a
/// target is the sum over all paths that stand for it. It is summed in log space, in double.
///
/// `targets` are int64 or int32: [n, most], of which the first target_lengths[i] of a row count; or all one
/// after the other, [sum of target_lengths]. `input_lengths` and `target_lengths` are [n]; steps behind an
/// input's length have no share. Where no path fits a target, since it is too long, the loss is inf, and its
/// gradient 0. Throws ShapeError or DtypeError where they do not fit, ValueError for a length out of range
/// and for a label that is no class, or blank.
[[nodiscard]] Tensor ctc_loss(const Tensor& log_probabilities, const Tensor& targets,
                              const Tensor& input_lengths, const Tensor& target_lengths,
                              const CtcOptions& options = {});

}}  // namespace xtgrad::v1
