#pragma once

#include <cstdint>
#include <string_view>

#include "xtgrad/autograd/core/node.h"
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
inline void check_floating(OpId op, const Tensor& x) {
  const Dtype dtype = array_of(x).dtype;
  if (!FloatingTypes::contains(dtype)) throw_not_floating(op, dtype);
}

/// Throws DtypeError unless x is int64, float32 or float64.
inline void check_numeric(OpId op, const Tensor& x) {
  const Dtype dtype = array_of(x).dtype;
  if (!NumericTypes::contains(dtype)) throw_not_numeric(op, dtype);
}

struct OperandNames {
  std::string_view first = "a";
  std::string_view second = "b";
};
/// Throws DtypeError if two operands have different dtypes.
inline void check_same_dtype(OpId op, const Tensor& a, const Tensor& b, const OperandNames& names = {}) {
  const Dtype left = array_of(a).dtype;
  const Dtype right = array_of(b).dtype;
  if (left != right) throw_dtypes_differ(op, {names.first, left}, {names.second, right});
}

/// The index as int64, which kernels read; throws DtypeError unless it is int32 or int64.
[[nodiscard]] Tensor index_of(OpId op, const Tensor& index);

/// The number as an integer that a tensor of `dtype` holds; throws DtypeError if it is none.
std::int64_t integer_of(OpId op, double number, Dtype dtype = Dtype::int64);

}  // namespace xtgrad::inline v1::detail
