#pragma once

#include <cstdint>
#include <string_view>

#include "xtgrad/autograd/attributes.h"
#include "xtgrad/autograd/core/op_id.h"
#include "xtgrad/autograd/kernels/reduce.h"

namespace xtgrad::inline v1::detail {

/// What a reduction keeps of its options: a plain value, as a primitive's attributes must be.
struct ReducedAxes {
  AxisMask mask = 0;
  bool keepdim = false;

  [[nodiscard]] Shape result(const Shape& shape) const { return reduced_shape(shape, mask, keepdim); }
  /// The result's shape that broadcasts against the input's.
  [[nodiscard]] Shape kept(const Shape& shape) const { return reduced_shape(shape, mask, true); }
  /// Elements that one element of the result comes from.
  [[nodiscard]] std::int64_t count(const Shape& shape) const;
  [[nodiscard]] Dims dims() const;
  void describe(Attributes& a);
  /// Throws ShapeError for an axis that x does not have.
  void check_loaded(std::string_view operation, const Shape& x) const;
};

/// The axes asked for. Throws ShapeError that names `op` for one out of range or listed twice.
[[nodiscard]] ReducedAxes reduced_axes(OpId op, const Shape& shape, const Axes& axes, bool keepdim);

}  // namespace xtgrad::v1::detail
