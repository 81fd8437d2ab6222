#include "xtgrad/autograd/ops/axes.h"

#include <fmt/format.h>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

std::int64_t ReducedAxes::count(const Shape& shape) const {
  std::int64_t product = 1;
  for (std::size_t d = 0; d < shape.rank(); ++d) product *= has_axis(mask, d) ? shape[d] : 1;
  return product;
}

Dims ReducedAxes::dims() const {
  Shape list;
  for (std::size_t d = 0; d < Shape::max_rank; ++d) {
    if (has_axis(mask, d)) list.push_back(static_cast<std::int64_t>(d));
  }
  return list;
}

void ReducedAxes::describe(Attributes& a) {
  Dims list = dims();
  a("axes", list);
  mask = 0;
  for (const std::int64_t d : list) {
    if (d < 0 || d >= static_cast<std::int64_t>(Shape::max_rank))
      throw ShapeError(
          fmt::format("axis {} is no dimension, of which there are at most {}", d, Shape::max_rank));
    mask |= AxisMask{1} << d;
  }
  a("keepdim", keepdim, false);
}

void ReducedAxes::check_loaded(std::string_view operation, const Shape& x) const {
  for (std::size_t d = x.rank(); d < Shape::max_rank; ++d) {
    if (has_axis(mask, d)) require_axis(operation, d, x);
  }
}

ReducedAxes reduced_axes(OpId op, const Shape& shape, const Axes& axes, bool keepdim) {
  if (axes.all()) return {(AxisMask{1} << shape.rank()) - 1, keepdim};
  AxisMask mask = 0;
  for (const std::int64_t axis : axes.named()) {
    const std::size_t dim = normalize_axis(to_string(op), axis, shape.rank());
    if (has_axis(mask, dim)) {
      throw ShapeError(fmt::format("{}: axis {} is listed twice: axes are {}, x is {}", to_string(op), dim,
                                   to_string(axes.named()), to_string(shape)));
    }
    mask |= AxisMask{1} << dim;
  }
  return {mask, keepdim};
}

}  // namespace xtgrad::v1::detail
