// What texts say of a floating dtype, found through the table of dtypes (core/dtype_visit.h).
#pragma once

#include <string>
#include <string_view>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/emit/statements.h"

namespace xtgrad::inline v1::detail {

// Of each type its own: one that is added does not compile before it has them.
inline std::string_view type_name(float) { return "float"; }
inline std::string_view type_name(double) { return "double"; }
/// The type that sums are taken in, so that their order hardly counts.
inline std::string_view wide_name(float) { return "double"; }
inline std::string_view wide_name(double) { return "long double"; }
/// Whether double is wider. Where it is not, what additions round off is kept beside a sum.
inline bool is_narrow(float) { return true; }
inline bool is_narrow(double) { return false; }

inline std::string_view wide_type_of(Dtype dtype) {
  return visit_floating(dtype, [](auto zero) { return wide_name(zero); });
}
inline bool is_narrow(Dtype dtype) {
  return visit_floating(dtype, [](auto zero) { return is_narrow(zero); });
}
/// A number as an element of a floating dtype.
inline std::string literal_of(Dtype dtype, double number) {
  return visit_floating(dtype, [&](auto zero) { return literal(static_cast<decltype(zero)>(number)); });
}

}  // namespace xtgrad::v1::detail
