#pragma once

#include <cstdint>
#include <optional>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// A set of axes: bit d for dimension d.
using AxisMask = std::uint32_t;
constexpr bool has_axis(AxisMask axes, std::size_t dim) { return (axes >> dim & 1U) != 0; }

/// `shape` without the dimensions in `axes`, or with size 1 for them if `keepdim`.
[[nodiscard]] Shape reduced_shape(const Shape& shape, AxisMask axes, bool keepdim);

/// A shape seen as [outer, axis, inner] around one of its dimensions.
struct AxisView {
  AxisView() = default;
  AxisView(std::int64_t outer_size, std::int64_t axis_size, std::int64_t inner_size)
      : outer(outer_size), axis(axis_size), inner(inner_size) {}
  AxisView(const Shape& shape, std::size_t dim) : axis(shape[dim]) {
    for (std::size_t d = 0; d < dim; ++d) outer *= shape[d];
    for (std::size_t d = dim + 1; d < shape.rank(); ++d) inner *= shape[d];
  }

  std::int64_t outer = 1;
  std::int64_t axis = 1;
  std::int64_t inner = 1;
};

/// Reduces the middle dimension of `in`, seen as [outer, axis, inner], into `out`, seen as [outer, inner].
using AxisKernel = void (*)(const Array& in, std::int64_t outer, std::int64_t axis, std::int64_t inner,
                            Array& out);

/// The axes as one, where those of more than one element are neighbours. None where they are not, or where
/// there is nothing to reduce.
[[nodiscard]] std::optional<AxisView> one_run(const Shape& shape, AxisMask axes);

/// Runs `kernel` once for each run of neighbouring axes, innermost first; the kernel's reduction must not
/// care how it is taken apart. Axes of size 1 cost nothing. `out` has the elements of the result, in order.
void reduce_axes(const Array& x, AxisMask axes, AxisKernel kernel, Array& out);

}  // namespace xtgrad::v1::detail
