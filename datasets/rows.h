#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::datasets::detail {

/// A new tensor of `x`'s rows at `rows`, in that order: [rows.size(), ...]. One copy a row, no graph, and no
/// memory but the pool's. The caller has checked that the rows are in range and that x has a first dimension.
Tensor copy_rows(std::string_view function, const Tensor& x, std::span<const std::int64_t> rows);

/// A new tensor of the `count` rows from `first` on; a single copy.
Tensor copy_row_range(std::string_view function, const Tensor& x, std::int64_t first, std::int64_t count);

}  // namespace xtgrad::v1::datasets::detail
