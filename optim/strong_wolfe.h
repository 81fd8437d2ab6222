#pragma once

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::optim::detail {

/// A point of the line x + length d that a search goes along.
struct LinePoint {
  double length;
  double loss;
  double slope;     ///< of the loss along the line: <gradient, d>
  Tensor gradient;  ///< [n]
};

struct WolfeOptions {
  double first_length;
  /// Of the bracket, in the parameter that the direction changes most: below it the search ends.
  double least_change;
  double direction_size;  ///< the direction's largest element
  double decrease = 1e-4;
  double curvature = 0.9;
  int max_trials = 25;  ///< beside the first
};

struct WolfeResult {
  LinePoint point;
  int evaluations;
};

/// Searches for a length t that meets the strong Wolfe conditions,
///
///   loss(t) <= loss(0) + decrease t slope(0),   |slope(t)| <= curvature |slope(0)|:
///
/// trials grow until two of them enclose such a length, and cubic interpolation closes in on it (Nocedal and
/// Wright, "Numerical Optimization", 2006, algorithms 3.5 and 3.6; with the safeguards of Mark Schmidt's
/// minFunc, which PyTorch's search has, too). Where trials or the bracket come to an end before, it is the
/// point of lowest loss in the bracket that meets the first condition, which may be `start`. PyTorch's goes
/// on from the lowest loss, whether it does or not, and may lose the lengths that do. A trial whose loss or
/// slope is not finite counts as too long. `evaluate` is called with lengths above 0; `start` is the point of
/// length 0, whose slope is negative.
[[nodiscard]] WolfeResult strong_wolfe(const Callable<LinePoint(double)>& evaluate, const LinePoint& start,
                                       const WolfeOptions& options);

}  // namespace xtgrad::v1::optim::detail
