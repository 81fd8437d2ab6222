#pragma once

#include <cstdint>
#include <functional>

#include "xtgrad/autograd/core/op_id.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

// What normalisations share.

/// Throws ValueError, in the operation's name, unless eps is finite and at least 0.
void check_eps(OpId op, double eps);

/// How many rows of the shape `end` x, which ends in it, consists of; 0 where there is nothing to normalise,
/// however many that are.
[[nodiscard]] std::int64_t rows_before(const Shape& x, const Shape& end);

/// Biased variances of the runs that are normalised, in the shape that broadcasts to what is.
struct RunVariances {
  Shape shape;
  const double* variances;
  double eps;
};

/// 1 / sqrt(average(deviation^2) + eps), differentiable in the deviation, of which the average over a run is
/// 0. Where squares or eps are out of the dtype's range, or have few digits in it, of deviations divided by a
/// power of two, which the variances know.
Tensor inverse_deviation(const Tensor& deviation, const std::function<Tensor(const Tensor&)>& average,
                         const RunVariances& runs);

}  // namespace xtgrad::v1::detail
