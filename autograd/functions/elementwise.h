// Functions of each element, and arithmetic of two tensors or of a tensor and a number.
#pragma once

#include <limits>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/scalar.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Of one tensor.
[[nodiscard]] Tensor neg(const Tensor& x);     ///< -x
[[nodiscard]] Tensor exp(const Tensor& x);     ///< e^x
[[nodiscard]] Tensor expm1(const Tensor& x);   ///< e^x - 1, to the last digits near 0
[[nodiscard]] Tensor log(const Tensor& x);     ///< natural logarithm; -inf at 0, NaN below
[[nodiscard]] Tensor log1p(const Tensor& x);   ///< log(1 + x), to the last digits near 0; -inf at -1
[[nodiscard]] Tensor sqrt(const Tensor& x);    ///< square root; its derivative at 0 is inf
[[nodiscard]] Tensor square(const Tensor& x);  ///< x * x
[[nodiscard]] Tensor abs(const Tensor& x);     ///< |x|; derivative 0 at 0
[[nodiscard]] Tensor sign(const Tensor& x);    ///< -1, 0 or 1; no gradient
[[nodiscard]] Tensor tanh(const Tensor& x);    ///< hyperbolic tangent
[[nodiscard]] Tensor erf(const Tensor& x);     ///< error function, 2/sqrt(pi) times the integral of e^-t^2
[[nodiscard]] Tensor sin(const Tensor& x);     ///< sine of radians
[[nodiscard]] Tensor cos(const Tensor& x);     ///< cosine of radians

struct ClampOptions {
  Scalar min = -std::numeric_limits<double>::infinity();  ///< none where it is -infinity
  Scalar max = std::numeric_limits<double>::infinity();   ///< none where it is infinity
};
/// min(max(x, min), max); derivative 1 inside and at NaN, 0 at the end points and outside. Throws ValueError
/// if min > max.
[[nodiscard]] Tensor clamp(const Tensor& x, const ClampOptions& options);

// Two operands.
[[nodiscard]] Tensor add(const Tensor& a, const Tensor& b);  ///< a + b
[[nodiscard]] Tensor sub(const Tensor& a, const Tensor& b);  ///< a - b
[[nodiscard]] Tensor mul(const Tensor& a, const Tensor& b);  ///< a * b, element by element
[[nodiscard]] Tensor div(const Tensor& a, const Tensor& b);  ///< a / b; for floating dtypes
/// a^b. At a = 0 the derivative in b is 0, or -inf for b < 0; at b = 0 that in a is 0; others are limits.
[[nodiscard]] Tensor pow(const Tensor& a, const Tensor& b);
/// The larger of both; half the gradient each at a tie; NaN wins.
[[nodiscard]] Tensor maximum(const Tensor& a, const Tensor& b);
/// The smaller of both; half the gradient each at a tie; NaN wins.
[[nodiscard]] Tensor minimum(const Tensor& a, const Tensor& b);

[[nodiscard]] Tensor add(const Tensor& x, Scalar number);  ///< x + number
[[nodiscard]] Tensor mul(const Tensor& x, Scalar number);  ///< x * number
[[nodiscard]] Tensor div(const Tensor& x, Scalar number);  ///< x / number; for floating dtypes
[[nodiscard]] Tensor sub(const Tensor& x, Scalar number);  ///< x - number
[[nodiscard]] Tensor sub(Scalar number, const Tensor& x);  ///< number - x
[[nodiscard]] Tensor div(Scalar number, const Tensor& x);  ///< number / x; for floating dtypes
/// x^number; for number = 0 the gradient is 0 everywhere.
[[nodiscard]] Tensor pow(const Tensor& x, Scalar number);
[[nodiscard]] Tensor maximum(const Tensor& x, Scalar number);  ///< clamp from below: gradient 0 at a tie
[[nodiscard]] Tensor minimum(const Tensor& x, Scalar number);  ///< clamp from above: gradient 0 at a tie
// The same with the number first.
[[nodiscard]] Tensor add(Scalar number, const Tensor& x);
[[nodiscard]] Tensor mul(Scalar number, const Tensor& x);
/// number^x; of 0^x the gradient is 0, or -infinity for x < 0.
[[nodiscard]] Tensor pow(Scalar number, const Tensor& x);
[[nodiscard]] Tensor maximum(Scalar number, const Tensor& x);
[[nodiscard]] Tensor minimum(Scalar number, const Tensor& x);

inline Tensor operator-(const Tensor& x) { return neg(x); }
inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator+(const Tensor& x, Scalar number) { return add(x, number); }
inline Tensor operator+(Scalar number, const Tensor& x) { return add(x, number); }
inline Tensor operator-(const Tensor& x, Scalar number) { return sub(x, number); }
inline Tensor operator-(Scalar number, const Tensor& x) { return sub(number, x); }
inline Tensor operator*(const Tensor& x, Scalar number) { return mul(x, number); }
inline Tensor operator*(Scalar number, const Tensor& x) { return mul(x, number); }
inline Tensor operator/(const Tensor& x, Scalar number) { return div(x, number); }
inline Tensor operator/(Scalar number, const Tensor& x) { return div(number, x); }

}}  // namespace xtgrad::v1
