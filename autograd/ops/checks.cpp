#include "xtgrad/autograd/ops/checks.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

void throw_not_floating(OpId op, Dtype dtype) {
  throw DtypeError(fmt::format("{}: needs float32 or float64, got {}; convert with to(float32)",
                               function_name(op), to_string(dtype)));
}

void throw_not_numeric(OpId op, Dtype dtype) {
  if (dtype == Dtype::boolean) {
    throw DtypeError(fmt::format("{}: needs numbers, got bool; convert with to(int64)", function_name(op)));
  }
  throw DtypeError(fmt::format("{}: needs int64, float32 or float64, got {}; convert with to(int64)",
                               function_name(op), to_string(dtype)));
}

void throw_dtypes_differ(OpId op, const DtypeOf& a, const DtypeOf& b) {
  throw DtypeError(fmt::format("{}: dtypes differ: {} is {}, {} is {}; convert one with to()",
                               function_name(op), a.operand, to_string(a.dtype), b.operand,
                               to_string(b.dtype)));
}

void check_index_dtype(OpId op, const Spec& index) {
  if (index.dtype == Dtype::int64) return;
  throw DtypeError(fmt::format("{}: the index must be int64 or int32, got {}; convert with to(int64)",
                               function_name(op), to_string(index.dtype)));
}

void check_any_number(OpId op, Dtype dtype, Scalar number) {
  if (holds(dtype, number)) return;
  Dtype wider = Dtype::float64;
  for (const Dtype one : {Dtype::float32, Dtype::int64}) {
    if (!is_floating(dtype) && holds(one, number)) wider = one;
  }
  throw_cannot_hold(function_name(op), dtype, number,
                    fmt::format("convert the tensor with to({})", to_string(wider)));
}

}  // namespace xtgrad::v1::detail
