#include "xtgrad/datasets/file_array.h"

#include <fmt/format.h>

#include <cstdint>
#include <new>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/new_tensor.h"

namespace xtgrad::inline v1::datasets::detail {

xtgrad::detail::Array new_file_array(std::string_view function, std::string_view file, const Shape& shape,
                                     Dtype dtype) {
  try {
    return xtgrad::detail::new_array(function, shape, dtype, false);
  } catch (const std::bad_alloc&) {
    const std::uint64_t bytes = static_cast<std::uint64_t>(shape.numel()) * item_size(dtype);
    throw IoError(fmt::format("{}: {} does not fit in memory: no room for {} {}, {} bytes", function, file,
                              to_string(dtype), to_string(shape), bytes));
  }
}

}  // namespace xtgrad::v1::datasets::detail
