#pragma once

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// The same elements in memory of their own, seen in a shape and dtype that has as many bytes.
Array copied(const BufferRef& elements, const Spec& spec);
Array copied(const Array& array);

}  // namespace xtgrad::v1::detail
