#pragma once

#include <cstddef>

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// What a lookup in a tensor sends back to it: a gradient for the places that it has read, and none for all
/// others.
struct Lookup {
  std::size_t axis;
  Tensor places;    // along the axis: an index as gather takes it or, of a slice, [n] places that differ
  Tensor gradient;  // of the lookup's result
  bool is_slice;
};

/// A gradient that is 0 but at some places along an axis.
struct PlacedGradient {
  std::size_t axis = 0;
  Tensor places;  // int64 [n], which differ
  Tensor values;  // from the first entry along the axis on, those at the places; there may be entries beyond
};

}  // namespace xtgrad::v1::detail
