// Scans: what reductions have come to at each place along an axis.
#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/functions/order.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct ScanOptions {
  std::int64_t axis = -1;
  bool reverse = false;    ///< from the last element to the first
  bool exclusive = false;  ///< of the elements before each, without itself
};
/// Sums of the elements up to each along an axis. Those of float32 are added in double.
[[nodiscard]] Tensor cumsum(const Tensor& x, const ScanOptions& options = {});
/// Products of the elements up to each along an axis. The gradient divides by none of them: it is right at
/// every order with one zero, with two, and with more.
[[nodiscard]] Tensor cumprod(const Tensor& x, const ScanOptions& options = {});

struct RunningOptions {
  std::int64_t axis = -1;
  bool reverse = false;  ///< from the last element to the first
};
/// log(sum(e^x)) of the elements up to each along an axis, finite wherever the result is; -inf, with gradient
/// 0, where all are -inf.
[[nodiscard]] Tensor logcumsumexp(const Tensor& x, const RunningOptions& options = {});
/// The largest of the elements up to each along an axis, and its index, the first in the order of the scan of
/// those that tie; NaN wins. The gradient goes to the index.
[[nodiscard]] ValuesAndIndices cummax(const Tensor& x, const RunningOptions& options = {});
/// The smallest of the elements up to each along an axis, and its index, the first in the order of the scan
/// of those that tie; NaN wins here, too. The gradient goes to the index.
[[nodiscard]] ValuesAndIndices cummin(const Tensor& x, const RunningOptions& options = {});

}}  // namespace xtgrad::v1
