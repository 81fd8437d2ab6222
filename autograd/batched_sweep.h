#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/transforms.h"

namespace xtgrad::inline v1::detail {

/// Of cotangents, one for each output, rows from `first` to before `last`, along an axis 0 before the
/// output's; empty handles where they are zeros, the same ones each time.
using CotangentRows = Callable<std::vector<Tensor>(std::int64_t first, std::int64_t last)>;

/// The pullback of `rows` of cotangents, at least one: each gradient has an axis of rows before its input's.
/// One sweep is listed, and its list is run on all rows, some at a time, to the bits of a sweep a row; sweeps
/// are made for few rows, and where they cannot be listed. Without a history where a sweep would have none.
/// `function` is named by errors.
[[nodiscard]] std::vector<Tensor> pull_rows(std::string_view function, const Pullback& pullback,
                                            const CotangentRows& cotangents, std::int64_t rows);
/// The same of cotangents that are there. Throws ValueError for a wrong number of them, or if none is given,
/// ShapeError or DtypeError for one that does not fit.
[[nodiscard]] std::vector<Tensor> pull_batch(std::string_view function, const Pullback& pullback,
                                             std::span<const Tensor> cotangents);
/// Rows of the matrix that the derivative of output k is in all inputs: those of its elements.
[[nodiscard]] std::vector<Tensor> pull_units(std::string_view function, const Pullback& pullback,
                                             std::size_t k);

}  // namespace xtgrad::v1::detail
