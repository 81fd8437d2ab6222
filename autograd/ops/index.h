#pragma once

#include "xtgrad/autograd/core/lookup.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

// How a sweep adds up the gradients of lookups, with the bits that their rules would give.

/// Adds the gradient of a lookup to a sum, at `places` instead of its own, which they are the numbers of: in
/// place where nobody else sees the sum. `is_first`: to zeros, where a slice's is put, as `pad` does.
void add_lookup(Tensor& sum, const Lookup& lookup, const Tensor& places, bool is_first);

/// Adds each value to the sum at its place. Needs no memory where nobody else sees the sum.
void add_placed(Tensor& sum, const PlacedGradient& gradient);

}  // namespace xtgrad::v1::detail
