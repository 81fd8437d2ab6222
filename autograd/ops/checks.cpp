#include "xtgrad/autograd/ops/checks.h"

#include <fmt/format.h>

#include <cmath>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/new_tensor.h"

namespace xtgrad::inline v1::detail {

void throw_not_floating(OpId op, Dtype dtype) {
  throw DtypeError(fmt::format("{}: needs float32 or float64, got {}; convert with to(float32)",
                               to_string(op), to_string(dtype)));
}

void throw_not_numeric(OpId op, Dtype dtype) {
  if (dtype == Dtype::boolean) {
    throw DtypeError(fmt::format("{}: needs numbers, got bool; convert with to(int64)", to_string(op)));
  }
  throw DtypeError(fmt::format("{}: needs int64, float32 or float64, got {}; convert with to(int64)",
                               to_string(op), to_string(dtype)));
}

void throw_dtypes_differ(OpId op, const DtypeOf& a, const DtypeOf& b) {
  throw DtypeError(fmt::format("{}: dtypes differ: {} is {}, {} is {}; convert one with to()", to_string(op),
                               a.operand, to_string(a.dtype), b.operand, to_string(b.dtype)));
}

void check_index_dtype(OpId op, const Spec& index) {
  if (index.dtype == Dtype::int64) return;
  throw DtypeError(fmt::format("{}: the index must be int64 or int32, got {}; convert with to(int64)",
                               to_string(op), to_string(index.dtype)));
}

std::int64_t integer_of(OpId op, double number, Dtype dtype) {
  const bool fits = std::trunc(number) == number && visit_listed<IntegerTypes>(dtype, [number](auto zero) {
                      return in_range<decltype(zero)>(number);
                    });
  if (fits) return static_cast<std::int64_t>(number);
  throw DtypeError(
      fmt::format("{}: the number {} does not fit {} {} tensor; convert the tensor with to(float32)",
                  to_string(op), number, to_string(dtype)[0] == 'i' ? "an" : "a", to_string(dtype)));
}

}  // namespace xtgrad::v1::detail
