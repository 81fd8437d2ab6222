#pragma once

#include <span>
#include <string>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/testing.h"

namespace xtgrad::inline v1::detail::checks {

using testing::Index;
using testing::Real;
using testing::Values;

/// Calls `body` for every index of a shape in row-major order.
void for_each_index(const Shape& shape, const Callable<void(const Index&)>& body);
/// The array whose element at `index` is `element(index)`.
Values fill(const Shape& shape, const Callable<Real(const Index&)>& element);
/// The place of an operand of shape `shape` that broadcasting puts at `index` of the result.
Index broadcast_index(const Index& index, const Shape& shape);
/// NumPy's rule, written again so that the library's is checked.
Shape broadcast_shape(std::span<const Values> operands);

/// Element by element what the dtype holds: float32 rounds.
Values rounded(Values values, Dtype dtype);
Tensor to_tensor(const Values& values, Dtype dtype, bool requires_grad = false);
Values to_values(const Tensor& tensor);

struct UlpsOptions {
  Real scale = 0;            ///< a size that the error is measured against if the wanted value is smaller
  bool signed_zeros = true;  ///< whether 0 and -0 differ
};
/// How far `got` is from `want` in units of the last digit that the dtype has at that size. Infinite where
/// one is NaN, infinite or a signed zero and the other is not the same.
double ulps_between(Real got, Real want, Dtype dtype, const UlpsOptions& options = {});

/// The largest finite number of a floating dtype.
Real largest_number(Dtype dtype);
/// The largest finite size in an array, 0 if there is none.
Real largest_of(const Values& values);

/// The value with as many digits as tell it from its neighbours in the dtype.
std::string digits(Real value, Dtype dtype);

}  // namespace xtgrad::v1::detail::checks
