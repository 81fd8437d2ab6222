// The third evaluator of formulas: values that are text.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/emit/float_types.h"
#include "xtgrad/autograd/emit/statements.h"

namespace xtgrad::inline v1::detail {

/// A value of a formula (formulas/) as a name in a function that is being written: what is computed of it
/// becomes a statement there. T is the type that the function computes in, float or double, and numbers
/// become a T where they meet it, as on lanes.
template <class T>
struct Term {
  using value_type = T;

  /// A number by itself, which belongs to no function yet.
  static Term number(double number) { return {nullptr, literal(static_cast<T>(number))}; }

  Statements* code;
  std::string text;
};

/// A truth value, for `where`.
template <class T>
struct TruthTerm {
  Statements* code;
  std::string text;
};

template <class N>
concept TermNumber = std::is_arithmetic_v<N>;

template <class T, class... Arguments>
Term<T> new_term(const Term<T>& of, fmt::format_string<Arguments...> expression, Arguments&&... arguments) {
  const std::string text = fmt::format(expression, std::forward<Arguments>(arguments)...);
  if (of.code == nullptr) return {nullptr, "(" + text + ")"};
  return {of.code, of.code->let(type_name(T()), text)};
}
template <class T, class... Arguments>
TruthTerm<T> new_truth(Statements* code, fmt::format_string<Arguments...> expression,
                       Arguments&&... arguments) {
  return {code, code->let("bool", fmt::format(expression, std::forward<Arguments>(arguments)...))};
}
/// That of the two which belongs to a function.
template <class T>
const Term<T>& placed(const Term<T>& a, const Term<T>& b) {
  return a.code != nullptr ? a : b;
}

// Operators, of two values and of a value and a number on either side.
// NOLINTBEGIN(bugprone-macro-parentheses): a template's name and an operator stand in none.
#define XTGRAD_TERM_OPERATOR(result, make, op)                \
  template <class T>                                          \
  result<T> operator op(const Term<T>& a, const Term<T>& b) { \
    return make("{} " #op " {}", a.text, b.text);             \
  }                                                           \
  template <class T, TermNumber N>                            \
  result<T> operator op(const Term<T>& a, N b) {              \
    return a op Term<T>::number(static_cast<double>(b));      \
  }                                                           \
  template <class T, TermNumber N>                            \
  result<T> operator op(N a, const Term<T>& b) {              \
    return Term<T>::number(static_cast<double>(a)) op b;      \
  }
#define XTGRAD_MAKE_TERM(...) new_term(placed(a, b), __VA_ARGS__)
#define XTGRAD_MAKE_TRUTH(...) new_truth<T>(placed(a, b).code, __VA_ARGS__)
XTGRAD_TERM_OPERATOR(Term, XTGRAD_MAKE_TERM, +)
XTGRAD_TERM_OPERATOR(Term, XTGRAD_MAKE_TERM, -)
XTGRAD_TERM_OPERATOR(Term, XTGRAD_MAKE_TERM, *)
XTGRAD_TERM_OPERATOR(Term, XTGRAD_MAKE_TERM, /)
XTGRAD_TERM_OPERATOR(TruthTerm, XTGRAD_MAKE_TRUTH, <)
XTGRAD_TERM_OPERATOR(TruthTerm, XTGRAD_MAKE_TRUTH, <=)
XTGRAD_TERM_OPERATOR(TruthTerm, XTGRAD_MAKE_TRUTH, >)
XTGRAD_TERM_OPERATOR(TruthTerm, XTGRAD_MAKE_TRUTH, >=)
XTGRAD_TERM_OPERATOR(TruthTerm, XTGRAD_MAKE_TRUTH, ==)
XTGRAD_TERM_OPERATOR(TruthTerm, XTGRAD_MAKE_TRUTH, !=)
#undef XTGRAD_MAKE_TRUTH
#undef XTGRAD_MAKE_TERM
#undef XTGRAD_TERM_OPERATOR
// NOLINTEND(bugprone-macro-parentheses)

template <class T>
Term<T> operator-(const Term<T>& x) {
  return new_term(x, "-{}", x.text);
}

/// Coefficients are computed in double, and become a float where they meet one.
inline Term<float> narrowed(const Term<double>& x) {
  return new_term(Term<float>{x.code, {}}, "static_cast<float>({})", x.text);
}
inline Term<float> operator+(const Term<double>& a, const Term<float>& b) { return narrowed(a) + b; }
inline Term<float> operator+(const Term<float>& a, const Term<double>& b) { return a + narrowed(b); }
inline Term<float> operator*(const Term<double>& a, const Term<float>& b) { return narrowed(a) * b; }

template <class T>
TruthTerm<T> operator&(const TruthTerm<T>& a, const TruthTerm<T>& b) {
  return new_truth<T>(a.code, "{} && {}", a.text, b.text);
}
template <class T>
TruthTerm<T> operator|(const TruthTerm<T>& a, const TruthTerm<T>& b) {
  return new_truth<T>(a.code, "{} || {}", a.text, b.text);
}
template <class T>
TruthTerm<T> operator!(const TruthTerm<T>& a) {
  return new_truth<T>(a.code, "!{}", a.text);
}

template <class T>
Term<T> where(const TruthTerm<T>& mask, const Term<T>& a, const Term<T>& b) {
  return new_term(Term<T>{mask.code, {}}, "{} ? {} : {}", mask.text, a.text, b.text);
}
template <class T, TermNumber N>
Term<T> where(const TruthTerm<T>& mask, const Term<T>& a, N b) {
  return where(mask, a, Term<T>::number(static_cast<double>(b)));
}
template <class T, TermNumber N>
Term<T> where(const TruthTerm<T>& mask, N a, const Term<T>& b) {
  return where(mask, Term<T>::number(static_cast<double>(a)), b);
}
template <class T, TermNumber N, TermNumber M>
Term<T> where(const TruthTerm<T>& mask, N a, M b) {
  return where(mask, static_cast<double>(a), Term<T>::number(static_cast<double>(b)));
}

// Functions of <cmath>.
#define XTGRAD_TERM_FUNCTION(name, call)              \
  template <class T>                                  \
  Term<T> name(const Term<T>& x) {                    \
    return new_term(x, "std::" #call "({})", x.text); \
  }
XTGRAD_TERM_FUNCTION(abs, fabs)
XTGRAD_TERM_FUNCTION(sqrt, sqrt)
XTGRAD_TERM_FUNCTION(exp, exp)
XTGRAD_TERM_FUNCTION(expm1, expm1)
XTGRAD_TERM_FUNCTION(log, log)
XTGRAD_TERM_FUNCTION(log1p, log1p)
XTGRAD_TERM_FUNCTION(tanh, tanh)
XTGRAD_TERM_FUNCTION(erf, erf)
XTGRAD_TERM_FUNCTION(sin, sin)
XTGRAD_TERM_FUNCTION(cos, cos)
XTGRAD_TERM_FUNCTION(exp2, exp2)
XTGRAD_TERM_FUNCTION(log2, log2)
XTGRAD_TERM_FUNCTION(log10, log10)
XTGRAD_TERM_FUNCTION(tan, tan)
XTGRAD_TERM_FUNCTION(asin, asin)
XTGRAD_TERM_FUNCTION(acos, acos)
XTGRAD_TERM_FUNCTION(atan, atan)
XTGRAD_TERM_FUNCTION(sinh, sinh)
XTGRAD_TERM_FUNCTION(cosh, cosh)
XTGRAD_TERM_FUNCTION(asinh, asinh)
XTGRAD_TERM_FUNCTION(acosh, acosh)
XTGRAD_TERM_FUNCTION(atanh, atanh)
XTGRAD_TERM_FUNCTION(erfc, erfc)
XTGRAD_TERM_FUNCTION(floor, floor)
XTGRAD_TERM_FUNCTION(ceil, ceil)
XTGRAD_TERM_FUNCTION(trunc, trunc)
XTGRAD_TERM_FUNCTION(round, nearbyint)
#undef XTGRAD_TERM_FUNCTION

#define XTGRAD_TERM_FUNCTION(name)                                           \
  template <class T>                                                         \
  Term<T> name(const Term<T>& a, const Term<T>& b) {                         \
    return new_term(placed(a, b), "std::" #name "({}, {})", a.text, b.text); \
  }
XTGRAD_TERM_FUNCTION(pow)
XTGRAD_TERM_FUNCTION(fmod)
XTGRAD_TERM_FUNCTION(copysign)
#undef XTGRAD_TERM_FUNCTION

template <class T>
Term<T> rsqrt(const Term<T>& x) {
  return 1 / sqrt(x);
}
template <class T>
Term<T> square(const Term<T>& x) {
  return x * x;
}
template <class T>
Term<T> sign(const Term<T>& x) {
  return where(x > 0, 1, where(x < 0, -1, x + 0));  // as on lanes: -0 + 0 is 0, and NaN stays
}
/// NaN in either operand gives NaN.
template <class T>
Term<T> maximum(const Term<T>& a, const Term<T>& b) {
  return where((a > b) | (a != a), a, b);
}
template <class T>
Term<T> minimum(const Term<T>& a, const Term<T>& b) {
  return where((a < b) | (a != a), a, b);
}
template <class T, TermNumber N>
Term<T> maximum(const Term<T>& a, N b) {
  return maximum(a, Term<T>::number(static_cast<double>(b)));
}
template <class T, TermNumber N>
Term<T> minimum(const Term<T>& a, N b) {
  return minimum(a, Term<T>::number(static_cast<double>(b)));
}
template <class T>
Term<T> unfused(const Term<T>& x) {
  return x;
}
template <class T>
Term<T> zeros_like(const Term<T>&) {
  return Term<T>::number(0);
}
template <class T>
Term<T> sigmoid(const Term<T>& x) {
  const Term<T> e = exp(-abs(x));
  return where(x < 0, e, 1) / (1 + e);
}
template <class T>
Term<T> log1p_of_fraction(const Term<T>& e) {
  return log1p(e);
}
template <class T>
Term<T> within(const Term<T>& x, double limit) {
  return minimum(maximum(x, -limit), limit);
}
template <class T>
TruthTerm<T> is_above(const Term<T>& x, double number) {
  const T rounded = static_cast<T>(number);
  return static_cast<double>(rounded) > number ? x >= rounded : x > rounded;
}
template <class T>
Term<T> over_not_zero(const Term<T>& x, double number) {
  const T divisor = static_cast<T>(number);
  return x / (divisor == 0 ? std::numeric_limits<T>::denorm_min() : divisor);
}

/// A call of a function that is written in front of the program, and computes in a wider type (helpers.h).
template <class T, class... Numbers>
Term<T> helper_call(std::string_view name, const Term<T>& x, Numbers... numbers) {
  x.code->need(name, dtype_of<T>);
  std::string arguments = x.text;
  ((arguments += ", " + literal(static_cast<double>(numbers))), ...);
  return new_term(x, "{}({})", name, arguments);
}
template <class T>
Term<T> gaussian(const Term<T>& x, double f) {
  return helper_call("gaussian", x, f);
}
template <class T>
Term<T> gaussian_slope(const Term<T>& x, double f) {
  return helper_call("gaussian_slope", x, f);
}
template <class T>
Term<T> exp_of_product(double c, const Term<T>& x) {
  constexpr double largest = std::numeric_limits<T>::max();
  return helper_call("exp_of_product", x, std::clamp(c, -largest, largest));
}
template <class T>
Term<T> power(const Term<T>& x, double c) {
  // The exponents that are products and roots on lanes, too.
  if (c == 0) return Term<T>::number(1);
  if (c == 1) return x;
  if (c == 2) return x * x;
  if (c == 3) return x * x * x;
  if (c == -1) return 1 / x;
  return helper_call("power", x, c);
}
template <class T>
Term<T> power(double c, const Term<T>& x) {
  return helper_call("power_of", x, c);
}
template <class T>
Term<T> times_power(double factor, const Term<T>& x, double y, double y_low) {
  return helper_call("times_power", x, factor, y, y_low);
}
template <class T>
Term<T> normal_cdf(const Term<T>& x) {
  return helper_call("normal_cdf", x);
}
template <class T>
Term<T> times_normal_cdf(const Term<T>& x) {
  return helper_call("times_normal_cdf", x);
}
template <class T>
Term<T> gelu_bend(const Term<T>& x) {
  return helper_call("gelu_bend", x);
}
template <class T>
Term<T> silu(const Term<T>& x) {
  return helper_call("silu", x);
}
template <class T>
Term<T> silu_slope(const Term<T>& x) {
  return helper_call("silu_slope", x);
}
template <class T>
Term<T> silu_bend(const Term<T>& x) {
  return helper_call("silu_bend", x);
}

template <class T>
struct NormalTerms {
  Term<T> cdf, times_density;
};
template <class T>
NormalTerms<T> normal_both(const Term<T>& x) {
  return {helper_call("normal_cdf", x), helper_call("times_normal_density", x)};
}

template <class T>
struct GateTerms {
  Term<T> up, down;
};
template <class T>
GateTerms<T> gelu_tanh_gates(const Term<T>& x) {
  return {helper_call("gelu_tanh_gate", x, 1), helper_call("gelu_tanh_gate", x, -1)};
}

}  // namespace xtgrad::v1::detail
