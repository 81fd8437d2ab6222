#pragma once

#include <cstddef>

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// What a lookup in a tensor sends back to it: a gradient for the places that it has read, and none for all
/// others.
struct Lookup {
  enum class Kind { gather, index_select, slice };

  std::size_t axis;
  Tensor places;    // along the axis: an index as the operation takes it or, of a slice, [n] that differ
  Tensor gradient;  // of the lookup's result
  Kind kind;
};

/// A gradient that is 0 but at some places along an axis.
struct PlacedGradient {
  std::size_t axis = 0;
  Tensor places;  // int64 [n], which differ
  Tensor values;  // from the first entry along the axis on, those at the places; there may be entries beyond
};

}  // namespace xtgrad::v1::detail
