#include "xtgrad/autograd/core/array.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

void throw_too_large(const Shape& shape, Dtype dtype) {
  throw ShapeError(fmt::format("Tensor: too large: {} {} has more than 2^63 - 1 bytes", to_string(dtype),
                               to_string(shape)));
}

}  // namespace xtgrad::v1::detail
