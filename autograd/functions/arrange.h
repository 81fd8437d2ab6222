// The elements of a tensor in another order, or several times.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// x with the order of its elements reversed along the axes; along all unless some are named.
[[nodiscard]] Tensor flip(const Tensor& x, const Axes& axes = {});
/// x moved along axes by a number of places each, where what leaves at one end comes in at the other. A
/// positive shift moves towards the end. Without axes, there is one shift, of the elements in row-major
/// order.
[[nodiscard]] Tensor roll(const Tensor& x, const Dims& shifts, const Dims& axes = {});

/// x laid out `counts` times along its last axes, or along new ones before those it has, as NumPy's tile.
[[nodiscard]] Tensor tile(const Tensor& x, const Dims& counts);
/// As tile, but with a count for each axis of x at least: PyTorch's repeat. NumPy's is repeat_interleave.
[[nodiscard]] Tensor repeat(const Tensor& x, const Dims& counts);
/// Each entry of x along the axis `count` times in a row: 0, 0, 1, 1, ...
[[nodiscard]] Tensor repeat_interleave(const Tensor& x, std::int64_t count, std::int64_t axis = 0);
/// Entry i of x along the axis `counts[i]` times in a row; `counts` is int64 or int32, with a number for
/// each. The result's shape depends on them, so a function that computes them cannot be captured.
[[nodiscard]] Tensor repeat_interleave(const Tensor& x, const Tensor& counts, std::int64_t axis = 0);

/// In which order a grid has its axes: ij, tensor k varies along axis k; xy, the first two are exchanged, as
/// pictures have them.
enum class GridOrder { ij, xy };
/// For each of n vectors a tensor of n dimensions in which it varies along its own: the coordinates of all
/// points of a grid.
[[nodiscard]] std::vector<Tensor> meshgrid(std::span<const Tensor> vectors, GridOrder order = GridOrder::ij);
[[nodiscard]] std::vector<Tensor> meshgrid(std::initializer_list<Tensor> vectors,
                                           GridOrder order = GridOrder::ij);

}}  // namespace xtgrad::v1
