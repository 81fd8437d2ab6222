// Functions of each element, and arithmetic of two tensors or of a tensor and a number.
#pragma once

#include <limits>
#include <optional>

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

[[nodiscard]] Tensor rsqrt(const Tensor& x);       ///< 1 / sqrt(x); inf at 0, NaN below
[[nodiscard]] Tensor reciprocal(const Tensor& x);  ///< 1 / x
[[nodiscard]] Tensor exp2(const Tensor& x);        ///< 2^x
[[nodiscard]] Tensor log2(const Tensor& x);        ///< logarithm of base 2; -inf at 0, NaN below
[[nodiscard]] Tensor log10(const Tensor& x);       ///< logarithm of base 10; -inf at 0, NaN below
/// log(x / (1 - x)), the inverse of sigmoid; -inf at 0, inf at 1, NaN outside. Its relative error is small
/// near 1/2, too.
[[nodiscard]] Tensor logit(const Tensor& x);

[[nodiscard]] Tensor tan(const Tensor& x);  ///< tangent of radians
[[nodiscard]] Tensor asin(
    const Tensor& x);  ///< arc sine, from -pi/2 to pi/2; NaN beyond 1; its derivative at 1 and -1 is inf
[[nodiscard]] Tensor acos(
    const Tensor& x);  ///< arc cosine, from 0 to pi; NaN beyond 1; its derivative at 1 and -1 is -inf
[[nodiscard]] Tensor atan(const Tensor& x);  ///< arc tangent, from -pi/2 to pi/2
/// sin(pi x) / (pi x), and 1 at 0: NumPy's and PyTorch's.
[[nodiscard]] Tensor sinc(const Tensor& x);
[[nodiscard]] Tensor sinh(const Tensor& x);   ///< hyperbolic sine, (e^x - e^-x) / 2
[[nodiscard]] Tensor cosh(const Tensor& x);   ///< hyperbolic cosine, (e^x + e^-x) / 2
[[nodiscard]] Tensor asinh(const Tensor& x);  ///< inverse of sinh
[[nodiscard]] Tensor acosh(
    const Tensor& x);  ///< inverse of cosh, from 0; NaN below 1; its derivative at 1 is inf
[[nodiscard]] Tensor atanh(const Tensor& x);  ///< inverse of tanh; inf at 1, NaN beyond

// Whole numbers nearby; int64 is returned as it is. No gradient but for frac.
[[nodiscard]] Tensor floor(const Tensor& x);  ///< the largest whole number up to x; no gradient
[[nodiscard]] Tensor ceil(const Tensor& x);   ///< the smallest whole number from x on; no gradient
[[nodiscard]] Tensor trunc(const Tensor& x);  ///< x without its fraction; no gradient
[[nodiscard]] Tensor round(
    const Tensor& x);  ///< the nearest whole number, the even one of two as near; no gradient
[[nodiscard]] Tensor frac(const Tensor& x);  ///< x - trunc(x), of the sign of x; derivative 1

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

// Of points, and of what a division leaves.
/// The angle of the point (x, y), from -pi to pi. Its derivatives at the origin are NaN.
[[nodiscard]] Tensor atan2(const Tensor& y, const Tensor& x);
/// sqrt(a^2 + b^2), without squares that leave the range. The derivatives at the origin are 0.
[[nodiscard]] Tensor hypot(const Tensor& a, const Tensor& b);
/// a - b trunc(a / b), exact, of the sign of a: C's. Throws ValueError for integers divided by 0; NaN for
/// floats.
[[nodiscard]] Tensor fmod(const Tensor& a, const Tensor& b);
/// a - b floor(a / b), of the sign of b: Python's %. Throws ValueError for integers divided by 0; NaN for
/// floats.
[[nodiscard]] Tensor remainder(const Tensor& a, const Tensor& b);
/// floor(a / b): Python's //; no gradient. Throws ValueError for integers divided by 0.
[[nodiscard]] Tensor floor_divide(const Tensor& a, const Tensor& b);
[[nodiscard]] Tensor fmod(const Tensor& a, Scalar number);
[[nodiscard]] Tensor remainder(const Tensor& a, Scalar number);
[[nodiscard]] Tensor floor_divide(const Tensor& a, Scalar number);
/// The larger of both; the other one where one is NaN; half the gradient each at a tie.
[[nodiscard]] Tensor fmax(const Tensor& a, const Tensor& b);
/// The smaller of both; the other one where one is NaN; half the gradient each at a tie.
[[nodiscard]] Tensor fmin(const Tensor& a, const Tensor& b);
/// |a| with the sign of b, that of a zero included. The derivative at a = 0 is 0, and in b there is none.
[[nodiscard]] Tensor copysign(const Tensor& a, const Tensor& b);
/// start + weight (end - start), exactly `end` at a weight of 1.
[[nodiscard]] Tensor lerp(const Tensor& start, const Tensor& end, const Tensor& weight);
[[nodiscard]] Tensor lerp(const Tensor& start, const Tensor& end, double weight);

struct NanToNumOptions {
  double nan = 0;                               ///< for NaN
  std::optional<double> posinf = std::nullopt;  ///< for infinity; the dtype's largest number if absent
  std::optional<double> neginf = std::nullopt;  ///< for -infinity; the dtype's lowest number if absent
};
/// x with numbers in place of NaN and infinities, where the derivative is 0.
[[nodiscard]] Tensor nan_to_num(const Tensor& x, const NanToNumOptions& options = {});

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
