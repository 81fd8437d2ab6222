#pragma once

#include <limits>

#include "xtgrad/autograd/core/dtype_visit.h"

namespace xtgrad::inline v1::detail {

/// The distance from 1 to the next number of a floating dtype.
inline double epsilon_of(Dtype dtype) {
  return visit_floating(dtype,
                        [](auto zero) -> double { return std::numeric_limits<decltype(zero)>::epsilon(); });
}

}  // namespace xtgrad::v1::detail
