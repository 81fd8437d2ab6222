#pragma once

#include <cstdint>
#include <string_view>

#include "xtgrad/datasets/dataset.h"
#include "xtgrad/datasets/transform_rows.h"

namespace xtgrad::inline v1::datasets::detail {

/// Writes the numbers of `pixels.dtype` that `count` bytes stand for.
void decode(const std::uint8_t* bytes, std::int64_t count, const Pixels& pixels, void* numbers);

/// The numbers that rows of a uint8 tensor stand for: a new tensor [rows.count, ...] of `pixels.dtype`,
/// without a graph.
[[nodiscard]] Tensor decoded_rows(std::string_view function, const Tensor& bytes, const Pixels& pixels,
                                  const RowChoice& rows);

/// All inputs of a data set as numbers; nobody keeps what was converted.
[[nodiscard]] Tensor numbers_of(std::string_view function, const Dataset& data);

}  // namespace xtgrad::v1::datasets::detail
