#pragma once

#include <cstdint>

#include "xtgrad/autograd/interpolation.h"
#include "xtgrad/autograd/kernels/levels/sparse_rows.h"

namespace xtgrad::inline v1::detail {

/// How an axis of `from` elements is interpolated at `to` places.
struct Resampling {
  std::int64_t from = 1;
  std::int64_t to = 1;
  Interpolation mode = Interpolation::linear;
  bool align_corners = false;
  double scale = 0;  ///< how far apart places are, in its inverse; 0 where sizes decide it
};

/// The weights of an axis' elements, in columns, at each of the places, in rows; without those that are 0.
[[nodiscard]] SparseRows weights_of(const Resampling& resampling);

/// The same matrix by its columns.
[[nodiscard]] SparseRows transposed(const SparseRows& matrix, std::int64_t columns);

}  // namespace xtgrad::v1::detail
