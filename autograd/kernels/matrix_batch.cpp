#include "xtgrad/autograd/kernels/matrix_batch.h"

#include <fmt/format.h>

#include <array>

namespace xtgrad::inline v1::detail {

std::int64_t batch_size(const Shape& shape, std::size_t own) {
  std::int64_t size = 1;
  for (std::size_t d = 0; d + own < shape.rank(); ++d) size *= shape[d];
  return size;
}

std::string matrix_name(const Shape& shape, std::int64_t index) {
  if (shape.rank() <= 2) return "the matrix";
  std::string place;
  for (std::size_t d = shape.rank() - 2; d-- > 0;) {
    place = fmt::format("{}{}{}", index % shape[d], place.empty() ? "" : ", ", place);
    index /= shape[d];
  }
  return fmt::format("the matrix [{}] of the batch", place);
}

Scratch<std::int64_t> broadcast_matrices(const Shape& out, const Shape& x) {
  const std::int64_t size = batch_size(out);
  Scratch<std::int64_t> numbers = scratch_of<std::int64_t>(size);
  for (std::int64_t i = 0; i < size; ++i) {
    std::int64_t rest = i;
    std::int64_t number = 0;
    std::int64_t stride = 1;
    // From the last leading dimension to the first, both aligned at the end.
    for (std::size_t back = 3; back <= x.rank(); ++back) {
      const std::int64_t of_out = out[out.rank() - back];
      const std::int64_t of_x = x[x.rank() - back];
      if (of_x != 1) number += rest % of_out * stride;
      rest /= of_out;
      stride *= of_x;
    }
    numbers[static_cast<std::size_t>(i)] = number;
  }
  return numbers;
}

}  // namespace xtgrad::v1::detail
