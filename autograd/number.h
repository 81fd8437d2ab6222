#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// A number in code that is written for any type of number, so that it is differentiated as it stands:
///
///   const auto call_price = [](auto spot, auto volatility) {
///     using std::exp;  // for double; a Number's own is found by its type
///     auto result = spot * exp(-volatility);
///     if (result > 95) result -= 95;
///     return result;
///   };
///   Number price = call_price(Number(spot), Number(volatility));
///   price.tensor().backward();
///
/// Either a 0-d tensor or a constant, a double that takes the dtype of what it meets; two constants make a
/// constant, and nothing is recorded. Comparisons read elements, so a branch is taken as for a double; where
/// a program is captured (nn/capture.h) they throw, as item() does: choose by where() there.
class Number {
 public:
  /// A constant. Implicit, as double's own conversions are: T x = 0, 2 * x.
  Number(double constant = 0);  // NOLINT(google-explicit-constructor)
  /// Throws ShapeError unless the tensor is 0-d, DtypeError unless it is float32 or float64.
  explicit Number(const Tensor& tensor);

  /// The tensor; of a constant one in the default dtype.
  [[nodiscard]] Tensor tensor() const;
  [[nodiscard]] double value() const;
  [[nodiscard]] bool is_constant() const { return !tensor_.defined(); }

  Number& operator+=(const Number& other);
  Number& operator-=(const Number& other);
  Number& operator*=(const Number& other);
  Number& operator/=(const Number& other);

 private:
  double constant_ = 0;
  Tensor tensor_;  // unless it is a constant
};

[[nodiscard]] Number operator+(const Number& a, const Number& b);
[[nodiscard]] Number operator-(const Number& a, const Number& b);
[[nodiscard]] Number operator*(const Number& a, const Number& b);
[[nodiscard]] Number operator/(const Number& a, const Number& b);
[[nodiscard]] Number operator-(const Number& x);
[[nodiscard]] inline Number operator+(const Number& x) { return x; }

inline Number& Number::operator+=(const Number& other) { return *this = *this + other; }
inline Number& Number::operator-=(const Number& other) { return *this = *this - other; }
inline Number& Number::operator*=(const Number& other) { return *this = *this * other; }
inline Number& Number::operator/=(const Number& other) { return *this = *this / other; }

// As for doubles: false for NaN.
[[nodiscard]] inline bool operator<(const Number& a, const Number& b) { return a.value() < b.value(); }
[[nodiscard]] inline bool operator>(const Number& a, const Number& b) { return a.value() > b.value(); }
[[nodiscard]] inline bool operator<=(const Number& a, const Number& b) { return a.value() <= b.value(); }
[[nodiscard]] inline bool operator>=(const Number& a, const Number& b) { return a.value() >= b.value(); }
[[nodiscard]] inline bool operator==(const Number& a, const Number& b) { return a.value() == b.value(); }

[[nodiscard]] Number exp(const Number& x);
[[nodiscard]] Number expm1(const Number& x);
[[nodiscard]] Number log(const Number& x);
[[nodiscard]] Number log1p(const Number& x);
[[nodiscard]] Number sqrt(const Number& x);
[[nodiscard]] Number sin(const Number& x);
[[nodiscard]] Number cos(const Number& x);
[[nodiscard]] Number tan(const Number& x);
[[nodiscard]] Number tanh(const Number& x);
[[nodiscard]] Number erf(const Number& x);
[[nodiscard]] Number abs(const Number& x);
[[nodiscard]] inline Number fabs(const Number& x) { return abs(x); }
[[nodiscard]] Number pow(const Number& x, const Number& exponent);
// NaN, and gradients where both are equal, as `maximum` and `minimum` of tensors have them. The templates of
// <algorithm> work, too, and choose as for doubles.
[[nodiscard]] Number fmax(const Number& a, const Number& b);
[[nodiscard]] Number fmin(const Number& a, const Number& b);

}}  // namespace xtgrad::v1
