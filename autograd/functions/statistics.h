// Reductions to statistics: moments, norms, order statistics, and counts.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/functions/order.h"
#include "xtgrad/autograd/functions/reduction.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct VarOptions {
  Axes axes = {};  ///< all unless some are named; `Dims{}` names none
  std::int64_t correction =
      1;  ///< the sum of squares is divided by the number of elements less this, at least 0
  bool keepdim = false;
};
/// The variance over `axes`, unbiased unless told otherwise; NaN where there are no more elements than the
/// correction.
[[nodiscard]] Tensor var(const Tensor& x, const VarOptions& options = {});
/// The standard deviation, the root of `var`, also where the variance is out of the dtype's range. Where all
/// elements are equal its slope is infinite, and the gradient NaN.
[[nodiscard]] Tensor stddev(const Tensor& x, const VarOptions& options = {});

struct VarMean {
  Tensor var;
  Tensor mean;
};
/// The variance and the mean over the same axes.
[[nodiscard]] VarMean var_mean(const Tensor& x, const VarOptions& options = {});

struct NormOptions {
  double p = 2;    ///< above 0, or 0, which counts, or infinity or -infinity, of which it is the limit
  Axes axes = {};  ///< all unless some are named; `Dims{}` names none
  bool keepdim = false;
};
/// (sum |x|^p)^(1/p) over `axes`: right wherever it is in the dtype's range, also where powers of elements
/// are not. Of zeros alone all derivatives are 0; p = inf and -inf split the gradient among ties; p = 0
/// counts what is other than 0, without a gradient. Throws ValueError for another p.
[[nodiscard]] Tensor norm(const Tensor& x, const NormOptions& options = {});

/// The median along an axis, of an even number of elements the lower of the two in the middle, and the index
/// of the first element that is so large, to which the gradient goes; NaN wins. Throws ShapeError for no
/// elements.
[[nodiscard]] ValuesAndIndices median(const Tensor& x, std::int64_t axis = -1, bool keepdim = false);
/// The value at which a share q of the elements, from 0 to 1, is passed: between two of them a mixture, whose
/// gradient goes to both; NaN wins. Throws ShapeError for no elements, ValueError for another q.
[[nodiscard]] Tensor quantile(const Tensor& x, double q, const ReduceOptions& options = {});
/// The same for several q, along a new axis 0.
[[nodiscard]] Tensor quantile(const Tensor& x, const std::vector<double>& q,
                              const ReduceOptions& options = {});
/// The most frequent element along an axis, the smallest of several, and the index of the first such one, to
/// which the gradient goes; NaN is one value, larger than all. Throws ShapeError for no elements.
[[nodiscard]] ValuesAndIndices mode(const Tensor& x, std::int64_t axis = -1, bool keepdim = false);

/// How many elements are other than 0, as NaN is; int64, for every dtype.
[[nodiscard]] Tensor count_nonzero(const Tensor& x, const ReduceOptions& options = {});

/// How often each of 0, 1, ... is among the elements of x, int64: up to the largest one, and `least` counts
/// at least. Reads elements to find out the shape, so a captured function that computes x cannot call it.
/// Throws ValueError for a negative element.
[[nodiscard]] Tensor bincount(const Tensor& x, std::int64_t least = 0);

struct HistcOptions {
  std::int64_t bins = 100;
  /// Of the range that is cut into bins; the smallest and the largest finite element if absent.
  std::optional<double> low = std::nullopt;
  std::optional<double> high = std::nullopt;
};
/// How many elements of x lie in each of the bins, of equal width, that a range is cut into, int64 [bins]:
/// each has its lower end, the last one both. What is outside of the range, and NaN, is not counted.
[[nodiscard]] Tensor histc(const Tensor& x, const HistcOptions& options = {});

/// Where `values` would go into `sorted`, ascending along its last axis, int64: the first place at which it
/// stays sorted, or with `right` the last. `sorted` is [n], or has the dimensions of `values` but for the
/// last one; NaN is larger than all.
[[nodiscard]] Tensor searchsorted(const Tensor& sorted, const Tensor& values, bool right = false);

struct Unique {
  Tensor values;   ///< ascending, [n]; all NaN are one
  Tensor inverse;  ///< of x's shape: where among `values` each element is
  Tensor counts;   ///< [n]: how often
};
/// The different elements of x in order, without a gradient. Reads elements to find out how many there are,
/// so a captured function that computes x cannot call it.
[[nodiscard]] Unique unique(const Tensor& x);

}}  // namespace xtgrad::v1
