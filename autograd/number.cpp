#include "xtgrad/autograd/number.h"

#include <fmt/format.h>

#include <cmath>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1 {
namespace {

/// `f` of two doubles, a tensor and a double, or two tensors.
template <class F>
Number combined(const Number& a, const Number& b, const F& f) {
  if (a.is_constant() && b.is_constant()) return f(a.value(), b.value());
  if (a.is_constant()) return Number(f(a.value(), b.tensor()));
  if (b.is_constant()) return Number(f(a.tensor(), b.value()));
  return Number(f(a.tensor(), b.tensor()));
}

/// `f` of a double or a tensor.
template <class F>
Number mapped(const Number& x, const F& f) {
  if (x.is_constant()) return f(x.value());
  return Number(f(x.tensor()));
}

// Of constants, as of tensors: NaN where one is NaN.
double maximum(double a, double b) { return std::isnan(a) || a > b ? a : b; }
double minimum(double a, double b) { return std::isnan(a) || a < b ? a : b; }

}  // namespace

Number::Number(double constant) : constant_(constant) {}

Number::Number(const Tensor& tensor) : tensor_(tensor) {
  if (!is_floating(tensor.dtype()))
    throw DtypeError(fmt::format("Number: must be float32 or float64: got {}", to_string(tensor.dtype())));
  if (tensor.rank() != 0)
    throw ShapeError(fmt::format("Number: must be 0-d: got a tensor of shape {}", to_string(tensor.shape())));
}

Tensor Number::tensor() const { return is_constant() ? full({}, constant_) : tensor_; }

double Number::value() const { return is_constant() ? constant_ : tensor_.item(); }

Number operator+(const Number& a, const Number& b) {
  return combined(a, b, [](const auto& x, const auto& y) { return x + y; });
}
Number operator-(const Number& a, const Number& b) {
  return combined(a, b, [](const auto& x, const auto& y) { return x - y; });
}
Number operator*(const Number& a, const Number& b) {
  return combined(a, b, [](const auto& x, const auto& y) { return x * y; });
}
Number operator/(const Number& a, const Number& b) {
  return combined(a, b, [](const auto& x, const auto& y) { return x / y; });
}
Number operator-(const Number& x) {
  return mapped(x, [](const auto& v) { return -v; });
}

Number exp(const Number& x) {
  return mapped(x, [](const auto& v) {
    using std::exp;
    return exp(v);
  });
}
Number expm1(const Number& x) {
  return mapped(x, [](const auto& v) {
    using std::expm1;
    return expm1(v);
  });
}
Number log(const Number& x) {
  return mapped(x, [](const auto& v) {
    using std::log;
    return log(v);
  });
}
Number log1p(const Number& x) {
  return mapped(x, [](const auto& v) {
    using std::log1p;
    return log1p(v);
  });
}
Number sqrt(const Number& x) {
  return mapped(x, [](const auto& v) {
    using std::sqrt;
    return sqrt(v);
  });
}
Number sin(const Number& x) {
  return mapped(x, [](const auto& v) {
    using std::sin;
    return sin(v);
  });
}
Number cos(const Number& x) {
  return mapped(x, [](const auto& v) {
    using std::cos;
    return cos(v);
  });
}
Number tan(const Number& x) { return sin(x) / cos(x); }
Number tanh(const Number& x) {
  return mapped(x, [](const auto& v) {
    using std::tanh;
    return tanh(v);
  });
}
Number erf(const Number& x) {
  return mapped(x, [](const auto& v) {
    using std::erf;
    return erf(v);
  });
}
Number abs(const Number& x) {
  return mapped(x, [](const auto& v) {
    using std::abs;
    return abs(v);
  });
}
Number pow(const Number& x, const Number& exponent) {
  return combined(x, exponent, [](const auto& v, const auto& p) {
    using std::pow;
    return pow(v, p);
  });
}
Number fmax(const Number& a, const Number& b) {
  return combined(a, b, [](const auto& x, const auto& y) { return maximum(x, y); });
}
Number fmin(const Number& a, const Number& b) {
  return combined(a, b, [](const auto& x, const auto& y) { return minimum(x, y); });
}

}  // namespace xtgrad::v1
