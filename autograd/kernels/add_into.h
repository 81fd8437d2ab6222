#pragma once

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// sum += term, in place, for arrays of one shape and floating dtype. The caller knows that nobody else sees
/// the elements of `sum`.
void add_into(Array& sum, const Array& term);

}  // namespace xtgrad::v1::detail
