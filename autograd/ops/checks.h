#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/core/number_fit.h"
#include "xtgrad/autograd/core/op_id.h"

namespace xtgrad::inline v1::detail {

// What operations check before they compute; each throws an error that names the operation and both values.

[[noreturn]] void throw_not_floating(OpId op, Dtype dtype);
[[noreturn]] void throw_not_numeric(OpId op, Dtype dtype);
struct DtypeOf {
  std::string_view operand;
  Dtype dtype;
};
[[noreturn]] void throw_dtypes_differ(OpId op, const DtypeOf& a, const DtypeOf& b);

/// Throws DtypeError unless x is float32 or float64.
inline void check_floating(OpId op, const Spec& x) {
  if (!FloatingTypes::contains(x.dtype)) throw_not_floating(op, x.dtype);
}

/// Throws DtypeError unless x is int64, float32 or float64.
inline void check_numeric(OpId op, const Spec& x) {
  if (!NumericTypes::contains(x.dtype)) throw_not_numeric(op, x.dtype);
}

struct OperandNames {
  std::string_view first = "a";
  std::string_view second = "b";
};
/// Throws DtypeError if two operands have different dtypes.
inline void check_same_dtype(OpId op, const Spec& a, const Spec& b, const OperandNames& names = {}) {
  if (a.dtype != b.dtype) throw_dtypes_differ(op, {names.first, a.dtype}, {names.second, b.dtype});
}

/// The shape that all broadcast to; throws ShapeError that names `op`.
inline Shape common_shape(OpId, const Shape& shape) { return shape; }
template <class... Shapes>
Shape common_shape(OpId op, const Shape& a, const Shape& b, const Shapes&... rest) {
  if (a == b) return common_shape(op, a, rest...);
  return common_shape(op, broadcast_shapes(to_string(op), a, b), rest...);
}

/// Throws DtypeError unless `index` is int64; an int32 index has been widened before.
void check_index_dtype(OpId op, const Spec& index);

/// What `check_number` does, for every dtype and number.
void check_any_number(OpId op, Dtype dtype, Scalar number);
/// Throws DtypeError unless elements of `dtype` hold the number.
inline void check_number(OpId op, Dtype dtype, Scalar number) {
  // float32 and float64 hold nearly every number: no call on the way of a small operation.
  const bool is_small = std::abs(number.to_double()) <= std::numeric_limits<float>::max();
  if (!is_small || !FloatingTypes::contains(dtype)) [[unlikely]]
    check_any_number(op, dtype, number);
}

}  // namespace xtgrad::v1::detail
