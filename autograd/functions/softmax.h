// Softmax along an axis.
#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// e^x / sum(e^x) along an axis. A row of only -inf gives NaN, and so does one with inf.
[[nodiscard]] Tensor softmax(const Tensor& x, std::int64_t axis);
/// log(softmax(x)), without overflow or cancellation. NaN at an inf, -inf beside it; NaN of only -inf.
[[nodiscard]] Tensor log_softmax(const Tensor& x, std::int64_t axis);
/// -log(softmax(logits)) along an axis, of the class that `index` names: int64 or int32, and like the result
/// of the logits' shape without that axis. Throws ValueError for an index that is no class.
[[nodiscard]] Tensor softmax_cross_entropy(const Tensor& logits, const Tensor& index, std::int64_t axis = -1);

}}  // namespace xtgrad::v1
