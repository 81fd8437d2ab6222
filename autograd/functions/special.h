// Special functions, element by element.
#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Of the normal distribution.
/// The complementary error function, 1 - erf(x), to the last digits also where erf is near 1.
[[nodiscard]] Tensor erfc(const Tensor& x);
/// The scaled complementary error function, e^(x^2) erfc(x), which falls like 1 / (sqrt(pi) x) where erfc
/// vanishes; inf below -26.6 (-9.4 in float32).
[[nodiscard]] Tensor erfcx(const Tensor& x);
/// The inverse of erf; inf at 1, NaN beyond.
[[nodiscard]] Tensor erfinv(const Tensor& x);
/// log(normal_cdf(x)), to the last digits also where normal_cdf vanishes.
[[nodiscard]] Tensor log_ndtr(const Tensor& x);

// Of the gamma function.
/// log|Gamma(x)|, to the C library's digits; inf at 0, -1, -2, ...
[[nodiscard]] Tensor lgamma(const Tensor& x);
/// The derivative of lgamma, Gamma'(x) / Gamma(x): -inf at 0, NaN at -1, -2, ...
[[nodiscard]] Tensor digamma(const Tensor& x);
/// The order-th derivative of digamma, of an order from 0, digamma itself, to 32. Throws ValueError for
/// others: those that derivatives of a higher order would need included. inf or NaN at 0, -1, -2, ...
[[nodiscard]] Tensor polygamma(std::int64_t order, const Tensor& x);

// Modified Bessel functions of the first kind.
[[nodiscard]] Tensor i0(const Tensor& x);  ///< of order 0, the sum of (x / 2)^2k / k!^2
[[nodiscard]] Tensor i1(const Tensor& x);  ///< of order 1, the derivative of i0

// Logarithms of two operands, which broadcast.
/// log(e^a + e^b), finite wherever the result is.
[[nodiscard]] Tensor logaddexp(const Tensor& a, const Tensor& b);
/// x log(y), and 0 where x is 0, unless y is NaN.
[[nodiscard]] Tensor xlogy(const Tensor& x, const Tensor& y);
/// x log(1 + y), and 0 where x is 0, unless y is NaN; to the last digits for a y near 0.
[[nodiscard]] Tensor xlog1py(const Tensor& x, const Tensor& y);

}}  // namespace xtgrad::v1
