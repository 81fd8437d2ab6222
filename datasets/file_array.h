#pragma once

#include <string_view>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/shape.h"

namespace xtgrad::inline v1::datasets::detail {

/// An array for what `file` holds, whose elements the caller fills. Throws IoError that names the file and
/// the bytes where memory has no room for them: unlike other sizes, this one came from outside of the
/// program.
xtgrad::detail::Array new_file_array(std::string_view function, std::string_view file, const Shape& shape,
                                     Dtype dtype);

}  // namespace xtgrad::v1::datasets::detail
