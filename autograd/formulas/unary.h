// Functions of one value.
#pragma once

#include <numbers>
#include <string_view>

#include "xtgrad/autograd/formulas/gaussian.h"
#include "xtgrad/autograd/formulas/slope.h"

namespace xtgrad::inline v1::detail::formulas {

// Of each a `rule`, of the cotangent and what the operation saves: its input x or its output y.

struct Neg {
  static auto value(const auto& x) { return -x; }
  static auto rule(const auto& g) { return -g; }
};

struct Exp {
  static auto value(const auto& x) { return exp(x); }
  static auto rule(const auto& g, const auto& y) { return g * y; }
};

struct Log {
  static auto value(const auto& x) { return log(x); }
  static auto rule(const auto& g, const auto& x) { return g / x; }
};

struct Expm1 {
  static auto value(const auto& x) { return expm1(x); }
  static auto rule(const auto& g, const auto& x) { return g * exp(x); }
};

struct Log1p {
  static auto value(const auto& x) { return log1p(x); }
  static auto rule(const auto& g, const auto& x) { return g / (1 + x); }
};

struct Sqrt {
  static auto value(const auto& x) { return sqrt(x); }
  static auto rule(const auto& g, const auto& y) { return g * (0.5 / y); }
};

struct Rsqrt {
  static auto value(const auto& x) { return rsqrt(x); }
  static auto rule(const auto& g, const auto& y) { return g * (-0.5 * y * square(y)); }
};

struct Reciprocal {
  static auto value(const auto& x) { return 1 / x; }
  static auto rule(const auto& g, const auto& y) { return g * -square(y); }
};

struct Square {
  static auto value(const auto& x) { return square(x); }
  static auto rule(const auto& g, const auto& x) { return g * (2 * x); }
};

struct Abs {
  static auto value(const auto& x) { return abs(x); }
  static auto rule(const auto& g, const auto& x) { return g * sign(x); }
};

/// Piecewise constant: it has no rule.
struct Sign {
  static auto value(const auto& x) { return sign(x); }
};

/// tanh' from y = tanh(x).
struct TanhSlope : Slope<TanhSlope> {
  static constexpr std::string_view name = "tanh_slope";
  // (1 - y)(1 + y), not 1 - y*y: the square would round first and lose digits near |y| = 1
  static auto value(const auto& y) { return (1 - y) * (1 + y); }
  // not (1 - y) - (1 + y), which is what differentiating the product gives: 0 near y = 0
  static auto rule(const auto& g, const auto& y) { return g * (-2 * y); }
};

struct Tanh {
  static auto value(const auto& x) { return tanh(x); }
  static auto rule(const auto& g, const auto& y) { return g * TanhSlope::of(y); }
};

/// sigmoid' from x: e / (1 + e)^2 with e = e^-|x|, which keeps its digits on both sides.
struct SigmoidSlope : Slope<SigmoidSlope> {
  static constexpr std::string_view name = "sigmoid_slope";
  static auto value(const auto& x) {
    const auto e = exp(-abs(x));
    return e / square(1 + e);
  }
  // 1 - 2 sigmoid(x) = -tanh(x / 2), without the cancellation near 0
  static auto rule(const auto& g, const auto& x) { return g * (of(x) * -tanh(0.5 * x)); }
};

struct Sigmoid {
  static auto value(const auto& x) { return sigmoid(x); }
  static auto rule(const auto& g, const auto& x) { return g * SigmoidSlope::of(x); }
};

/// log(sigmoid(x)), which near 0 and far below it keeps the digits that the sigmoid has lost.
struct LogSigmoid {
  static auto value(const auto& x) { return minimum(x, 0) - log1p_of_fraction(exp(-abs(x))); }
  static auto rule(const auto& g, const auto& x) { return g * sigmoid(-x); }
};

struct Relu {
  static auto value(const auto& x) { return maximum(x, 0); }
  // NaN is chosen over 0, so the cotangent goes to it, as in maximum: a 0 would end the NaN of derivatives
  static auto rule(const auto& g, const auto& y) { return where(y == 0, 0, g); }
};

struct Erf {
  static auto value(const auto& x) { return erf(x); }
  static auto rule(const auto& g, const auto& x) {
    return g * (2 * std::numbers::inv_sqrtpi * Gaussian(1)(x));
  }
};

struct Sin {
  static auto value(const auto& x) { return sin(x); }
  static auto rule(const auto& g, const auto& x) { return g * cos(x); }
};

struct Cos {
  static auto value(const auto& x) { return cos(x); }
  static auto rule(const auto& g, const auto& x) { return g * -sin(x); }
};

}  // namespace xtgrad::v1::detail::formulas
