#pragma once

#include <cstdint>
#include <vector>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/reduce.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {

/// A matrix most of whose elements are 0, by rows: row j has `weights` in `columns`, both from begin[j] up to
/// begin[j + 1].
struct SparseRows {
  template <class T>
  using List = std::vector<T, PoolAllocator<T>>;

  [[nodiscard]] std::int64_t rows() const { return static_cast<std::int64_t>(begin.size()) - 1; }

  List<std::int64_t> begin = {0};
  List<std::int32_t> columns = {};
  List<double> weights = {};
};

XTGRAD_KERNELS_BEGIN

/// out[o, j, i] = the sum of weight * x[o, column, i] over row j: the view is x's, and `out`, of x's dtype,
/// has as many entries along the axis as there are rows. A column that a row lacks is not looked at.
void weigh_rows(const SparseRows& matrix, const Array& x, const AxisView& view, Array& out);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(weigh_rows)

}  // namespace xtgrad::v1::detail
