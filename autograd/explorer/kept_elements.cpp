#include "xtgrad/autograd/explorer/kept_elements.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <span>

#include "xtgrad/autograd/explorer/elements_of.h"

namespace xtgrad::inline v1::detail {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are kept as they lie in memory");

struct Matrices {
  std::int64_t count, rows, columns;
};

Matrices matrices_of(const Shape& shape) {
  const std::size_t rank = shape.rank();
  Matrices matrices{
      .count = 1, .rows = rank < 2 ? 1 : shape[rank - 2], .columns = rank < 1 ? 1 : shape[rank - 1]};
  for (std::size_t axis = 0; axis + 2 < rank; ++axis) matrices.count *= shape[axis];
  return matrices;
}

/// How many of `size` are kept, every `step`-th.
std::int64_t every(std::int64_t size, std::int64_t step) { return (size + step - 1) / step; }

/// The steps at which one matrix has at most `most` elements, by which the longer side is thinned out first.
void thin_out(const Matrices& matrices, std::int64_t most, KeptElements& kept) {
  while (every(matrices.rows, kept.row_step) * every(matrices.columns, kept.column_step) > most) {
    const bool taller = every(matrices.rows, kept.row_step) > every(matrices.columns, kept.column_step);
    ++(taller ? kept.row_step : kept.column_step);
  }
}

}  // namespace

KeptElements keep_elements(const Tensor& tensor, std::int64_t most) {
  const Matrices matrices = matrices_of(tensor.shape());
  const std::int64_t each = matrices.rows * matrices.columns;
  KeptElements kept;
  if (each == 0 || matrices.count == 0) return kept;
  thin_out(matrices, most, kept);
  kept.matrices = std::clamp<std::int64_t>(most / each, 1, matrices.count);
  with_elements(tensor, [&](auto elements) {
    const auto keep = [&](std::int64_t from, std::int64_t count) {
      const auto chosen = elements.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(count));
      const std::size_t before = kept.bytes.size();
      kept.bytes.resize(before + chosen.size_bytes());
      std::memcpy(kept.bytes.data() + before, chosen.data(), chosen.size_bytes());
    };
    if (kept.row_step == 1 && kept.column_step == 1) return keep(0, kept.matrices * each);
    for (std::int64_t row = 0; row < matrices.rows; row += kept.row_step) {
      for (std::int64_t column = 0; column < matrices.columns; column += kept.column_step)
        keep(row * matrices.columns + column, 1);
    }
  });
  return kept;
}

}  // namespace xtgrad::v1::detail
