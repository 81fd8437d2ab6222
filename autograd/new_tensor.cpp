#include "xtgrad/autograd/new_tensor.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

void check_new(std::string_view function, const Shape& shape, Dtype dtype, bool requires_grad) {
  if (requires_grad && !is_floating(dtype)) {
    throw DtypeError(
        fmt::format("{}: requires_grad needs float32 or float64: got {}", function, to_string(dtype)));
  }
  const auto most = std::numeric_limits<std::int64_t>::max() / static_cast<std::int64_t>(item_size(dtype));
  if (shape.numel() > most) {
    throw ShapeError(fmt::format("{}: too large: {} {} has more than 2^63 - 1 bytes", function,
                                 to_string(dtype), to_string(shape)));
  }
}

Array new_array(std::string_view function, const Shape& shape, Dtype dtype, bool requires_grad) {
  check_new(function, shape, dtype, requires_grad);
  return Array::uninitialized(shape, dtype);
}

Tensor new_leaf(Array array, bool requires_grad) {
  Tensor result = make_constant(std::move(array));
  if (requires_grad) result.set_requires_grad();
  return result;
}

}  // namespace xtgrad::v1::detail
