#include "xtgrad/autograd/kernels/padded_images.h"

#include "xtgrad/autograd/kernels/copy_short.h"

namespace xtgrad::inline v1::detail {
namespace {

/// The part of a copied line that the source has elements for: [begin, end).
struct Covered {
  Covered(const PaddedSide& side, std::int64_t phase)
      : start(phase - side.padding),  // of element 0 in the source
        begin(std::clamp<std::int64_t>(start < 0 ? (-start + side.stride - 1) / side.stride : 0, 0,
                                       side.length)),
        end(std::clamp<std::int64_t>(start < side.size ? (side.size - start - 1) / side.stride + 1 : 0, begin,
                                     side.length)) {}

  std::int64_t start;
  std::int64_t begin;
  std::int64_t end;
};

template <class T>
void copy_line(const T* source, const PaddedSide& side, const Covered& covered, T* line) {
  if (covered.end <= covered.begin) return;
  const T* from = source + covered.start + covered.begin * side.stride;
  if (side.stride == 1) {
    copy_short(from, covered.end - covered.begin, line + covered.begin);
  } else {
    for (std::int64_t j = covered.begin; j < covered.end; ++j, from += side.stride) line[j] = *from;
  }
}

}  // namespace

template <class T>
void PaddedImages::fill(const T* images, std::int64_t first_row, T* copy, bool same_rows) const {
  for (std::int64_t c = 0; c < channels; ++c, images += rows.size * columns.size) {
    for (const std::int64_t row_phase : rows.phases) {
      for (const std::int64_t column_phase : columns.phases) {
        const Covered covered(columns, column_phase);
        for (std::int64_t j = 0; j < rows.length; ++j, copy += columns.length) {
          const std::int64_t y = (first_row + j) * rows.stride + row_phase - rows.padding;
          if (y >= 0 && y < rows.size) {
            copy_line(images + y * columns.size, columns, covered, copy);
          } else if (!same_rows) {
            std::fill(copy, copy + columns.length, T(0));
          }
        }
      }
    }
  }
}

template void PaddedImages::fill(const float*, std::int64_t, float*, bool) const;
template void PaddedImages::fill(const double*, std::int64_t, double*, bool) const;

}  // namespace xtgrad::v1::detail
