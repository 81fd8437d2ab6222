#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// A number in code that is written for any type of number, so that it is differentiated as it stands:
///
///   template <class T>
///   T call_price(T spot, T volatility) {
///     using std::exp, std::log, std::sqrt;  // for double; a Number's own are found by its type
///     T result = 0;
///     if (spot > 1e-9) result += spot * exp(-volatility) - 95;
///     return result;
///   }
///   Number price = call_price<Number>(Number(spot), Number(volatility));
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

  Number& operator+=(const Number& other) { return *this = *this + other; }
  Number& operator-=(const Number& other) { return *this = *this - other; }
  Number& operator*=(const Number& other) { return *this = *this * other; }
  Number& operator/=(const Number& other) { return *this = *this / other; }

  friend Number operator+(const Number& a, const Number& b);
  friend Number operator-(const Number& a, const Number& b);
  friend Number operator*(const Number& a, const Number& b);
  friend Number operator/(const Number& a, const Number& b);
  friend Number operator-(const Number& x);
  friend Number operator+(const Number& x) { return x; }

  // As for doubles: false for NaN.
  friend bool operator<(const Number& a, const Number& b) { return a.value() < b.value(); }
  friend bool operator>(const Number& a, const Number& b) { return a.value() > b.value(); }
  friend bool operator<=(const Number& a, const Number& b) { return a.value() <= b.value(); }
  friend bool operator>=(const Number& a, const Number& b) { return a.value() >= b.value(); }
  friend bool operator==(const Number& a, const Number& b) { return a.value() == b.value(); }

  friend Number exp(const Number& x);
  friend Number expm1(const Number& x);
  friend Number log(const Number& x);
  friend Number log1p(const Number& x);
  friend Number sqrt(const Number& x);
  friend Number sin(const Number& x);
  friend Number cos(const Number& x);
  friend Number tan(const Number& x);
  friend Number tanh(const Number& x);
  friend Number erf(const Number& x);
  friend Number abs(const Number& x);
  friend Number fabs(const Number& x) { return abs(x); }
  friend Number pow(const Number& x, const Number& exponent);
  // NaN, and gradients where both are equal, as `maximum` and `minimum` of tensors have them. The templates
  // of <algorithm> work, too, and choose as for doubles.
  friend Number fmax(const Number& a, const Number& b);
  friend Number fmin(const Number& a, const Number& b);

 private:
  double constant_ = 0;
  Tensor tensor_;  // unless it is a constant
};

}}  // namespace xtgrad::v1
