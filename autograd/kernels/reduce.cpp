#include "xtgrad/autograd/kernels/reduce.h"

#include <array>
#include <cstring>

namespace xtgrad::inline v1::detail {
namespace {

/// Neighbouring axes taken together, innermost first; each run finds those before it reduced already. Axes of
/// size 1 cost nothing.
struct AxisRuns {
  AxisRuns(const Shape& shape, AxisMask axes) {
    std::int64_t inner = 1;  // elements, already reduced, behind the dimension we are at
    for (std::size_t d = shape.rank(); d > 0;) {
      if (!has_axis(axes, d - 1)) {
        inner *= shape[--d];
        continue;
      }
      std::int64_t axis = 1;
      for (; d > 0 && has_axis(axes, d - 1); --d) axis *= shape[d - 1];
      if (axis == 1) continue;
      std::int64_t outer = 1;
      for (std::size_t k = 0; k < d; ++k) outer *= shape[k];
      run[count++] = AxisView(outer, axis, inner);
    }
  }
  std::array<AxisView, Shape::max_rank> run;
  std::size_t count = 0;
};

}  // namespace

Shape reduced_shape(const Shape& shape, AxisMask axes, bool keepdim) {
  Shape out;
  for (std::size_t d = 0; d < shape.rank(); ++d) {
    if (!has_axis(axes, d)) {
      out.push_back(shape[d]);
    } else if (keepdim) {
      out.push_back(1);
    }
  }
  return out;
}

std::optional<AxisView> one_run(const Shape& shape, AxisMask axes) {
  const AxisRuns runs(shape, axes);
  if (runs.count != 1) return std::nullopt;
  return runs.run[0];
}

void reduce_axes(const Array& x, AxisMask axes, AxisKernel kernel, Array& out) {
  const auto [runs, count] = AxisRuns(x.shape, axes);
  if (count == 0) {
    std::memcpy(out.buffer.data(), x.buffer.data(), x.buffer.bytes());
    return;
  }
  Array current = x;
  for (std::size_t i = 0; i < count; ++i) {
    const AxisView& run = runs[i];
    if (i + 1 == count) {
      kernel(current, run.outer, run.axis, run.inner, out);
    } else {
      Array next = Array::uninitialized(Shape{run.outer, run.inner}, x.dtype);
      kernel(current, run.outer, run.axis, run.inner, next);
      current = std::move(next);
    }
  }
}

}  // namespace xtgrad::v1::detail
