#pragma once

#include <cstdint>
#include <string>

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// The elements of a tensor that the page has. A matrix is what the last two axes make; a vector is one row.
struct KeptElements {
  std::int64_t matrices = 0;     ///< the first ones
  std::int64_t row_step = 1;     ///< of each every so manieth row, from the first on,
  std::int64_t column_step = 1;  ///< and column
  std::string bytes;             ///< of the elements, row-major and little-endian
};

/// At most `most` of them, at least 1.
KeptElements keep_elements(const Tensor& tensor, std::int64_t most);

}  // namespace xtgrad::v1::detail
