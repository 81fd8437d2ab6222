#include "xtgrad/autograd/kernels/triangle.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "xtgrad/autograd/kernels/broadcast.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail {

void copy_triangle(const Array& x, Triangle triangle, std::int64_t offset, Array& out) {
  const std::int64_t n = x.numel();
  if (n == 0) return;
  const std::int64_t columns = x.shape.back(), rows_of_matrix = x.shape[x.shape.rank() - 2];
  const std::int64_t rows = n / columns, size = static_cast<std::int64_t>(item_size(x.dtype));
  const auto* from = x.data<std::byte>();
  auto* to = out.mutable_data<std::byte>();
  // Past the corners every offset is alike, and none of these can overflow.
  const std::int64_t diagonal = std::clamp(offset, -rows_of_matrix - 1, columns + 1);
  const std::int64_t per_tile = std::max<std::int64_t>(1, tile_elements / columns);
  for_each_tile((rows + per_tile - 1) / per_tile, [&](std::int64_t tile) {
    for (std::int64_t row = tile * per_tile; row < std::min(rows, (tile + 1) * per_tile); ++row) {
      const std::int64_t on_diagonal = row % rows_of_matrix + diagonal;
      const std::int64_t split =
          std::clamp<std::int64_t>(on_diagonal + (triangle == Triangle::lower ? 1 : 0), 0, columns);
      const std::int64_t begin = triangle == Triangle::lower ? 0 : split;
      const std::int64_t end = triangle == Triangle::lower ? split : columns;
      const std::int64_t start = row * columns * size;
      const auto bytes = [size](std::int64_t elements) { return static_cast<std::size_t>(elements * size); };
      if (from != to) std::memcpy(to + start + begin * size, from + start + begin * size, bytes(end - begin));
      std::memset(to + start, 0, bytes(begin));
      std::memset(to + start + end * size, 0, bytes(columns - end));
    }
  });
}

}  // namespace xtgrad::v1::detail
