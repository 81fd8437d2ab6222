// Comparisons, and a choice by what they give.
#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/scalar.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Comparisons give bool tensors and have no gradient. NaN is unequal to everything. A bool or integer tensor
// is compared with any number, exactly: `labels > 0.5`.
[[nodiscard]] Tensor equal(const Tensor& a, const Tensor& b);          ///< a == b
[[nodiscard]] Tensor not_equal(const Tensor& a, const Tensor& b);      ///< a != b
[[nodiscard]] Tensor less(const Tensor& a, const Tensor& b);           ///< a < b
[[nodiscard]] Tensor less_equal(const Tensor& a, const Tensor& b);     ///< a <= b
[[nodiscard]] Tensor greater(const Tensor& a, const Tensor& b);        ///< a > b
[[nodiscard]] Tensor greater_equal(const Tensor& a, const Tensor& b);  ///< a >= b
[[nodiscard]] Tensor equal(const Tensor& x, Scalar number);            ///< x == number
[[nodiscard]] Tensor not_equal(const Tensor& x, Scalar number);        ///< x != number
[[nodiscard]] Tensor less(const Tensor& x, Scalar number);             ///< x < number
[[nodiscard]] Tensor less_equal(const Tensor& x, Scalar number);       ///< x <= number
[[nodiscard]] Tensor greater(const Tensor& x, Scalar number);          ///< x > number
[[nodiscard]] Tensor greater_equal(const Tensor& x, Scalar number);    ///< x >= number

[[nodiscard]] Tensor isnan(const Tensor& x);     ///< true where x is NaN; of any dtype
[[nodiscard]] Tensor isinf(const Tensor& x);     ///< true where x is infinite, of either sign; of any dtype
[[nodiscard]] Tensor isfinite(const Tensor& x);  ///< true where x is neither NaN nor infinite; of any dtype

// A tensor is no truth value: == asks for every element.
inline Tensor operator==(const Tensor& a, const Tensor& b) { return equal(a, b); }
inline Tensor operator!=(const Tensor& a, const Tensor& b) { return not_equal(a, b); }
inline Tensor operator<(const Tensor& a, const Tensor& b) { return less(a, b); }
inline Tensor operator<=(const Tensor& a, const Tensor& b) { return less_equal(a, b); }
inline Tensor operator>(const Tensor& a, const Tensor& b) { return greater(a, b); }
inline Tensor operator>=(const Tensor& a, const Tensor& b) { return greater_equal(a, b); }
inline Tensor operator==(const Tensor& x, Scalar number) { return equal(x, number); }
inline Tensor operator!=(const Tensor& x, Scalar number) { return not_equal(x, number); }
inline Tensor operator<(const Tensor& x, Scalar number) { return less(x, number); }
inline Tensor operator<=(const Tensor& x, Scalar number) { return less_equal(x, number); }
inline Tensor operator>(const Tensor& x, Scalar number) { return greater(x, number); }
inline Tensor operator>=(const Tensor& x, Scalar number) { return greater_equal(x, number); }
inline Tensor operator==(Scalar number, const Tensor& x) { return equal(x, number); }
inline Tensor operator!=(Scalar number, const Tensor& x) { return not_equal(x, number); }
inline Tensor operator<(Scalar number, const Tensor& x) { return greater(x, number); }
inline Tensor operator<=(Scalar number, const Tensor& x) { return greater_equal(x, number); }
inline Tensor operator>(Scalar number, const Tensor& x) { return less(x, number); }
inline Tensor operator>=(Scalar number, const Tensor& x) { return less_equal(x, number); }

/// a where the bool `mask` is true, else b; all three broadcast. The branch not taken gets a cotangent of
/// exactly 0, which that branch's own rule can still turn into NaN (0 * inf): see `where_safe`.
[[nodiscard]] Tensor where(const Tensor& mask, const Tensor& a, const Tensor& b);
[[nodiscard]] Tensor where(const Tensor& mask, const Tensor& a, Scalar b);
[[nodiscard]] Tensor where(const Tensor& mask, Scalar a, const Tensor& b);
/// Of the default dtype, as `full` makes: where(x > 0, 1, 0) is float32 unless a DefaultDtype says otherwise.
[[nodiscard]] Tensor where(const Tensor& mask, Scalar a, Scalar b);

}}  // namespace xtgrad::v1
