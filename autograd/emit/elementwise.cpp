// Texts of formulas: what stands in formulas/, evaluated on terms.
#include <concepts>
#include <tuple>
#include <utility>

#include "xtgrad/autograd/emit/text_table.h"
#include "xtgrad/autograd/formulas/activation.h"
#include "xtgrad/autograd/formulas/binary.h"
#include "xtgrad/autograd/formulas/division.h"
#include "xtgrad/autograd/formulas/exponential.h"
#include "xtgrad/autograd/formulas/extremes.h"
#include "xtgrad/autograd/formulas/hyperbolic.h"
#include "xtgrad/autograd/formulas/logarithmic.h"
#include "xtgrad/autograd/formulas/normal.h"
#include "xtgrad/autograd/formulas/number.h"
#include "xtgrad/autograd/formulas/reduction.h"
#include "xtgrad/autograd/formulas/rounding.h"
#include "xtgrad/autograd/formulas/softplus.h"
#include "xtgrad/autograd/formulas/trigonometric.h"
#include "xtgrad/autograd/formulas/unary.h"
#include "xtgrad/autograd/kernels/formula.h"

namespace xtgrad::inline v1::detail {
namespace {

/// The formula of a step, with its attributes.
template <class F>
F formula_of(const StepView& step) {
  if constexpr (std::is_base_of_v<formulas::WithNumber<F>, F>) {
    return F{{step.number("number")}};
  } else if constexpr (std::same_as<F, formulas::Clamp>) {
    return {.low = step.number("min"), .high = step.number("max")};
  } else if constexpr (requires(F formula, Attributes & a) { formula.describe(a); }) {
    return step.described(F());
  } else {
    return F{};
  }
}

/// One part of a formula (kernels/formula.h) of N operands.
template <class F, class Part, std::size_t N>
void write_formula(const StepView& step, ElementText& text) {
  const auto write = [&]<class T, std::size_t... K>(T, std::index_sequence<K...>) {
    text.set(0, Part::of(formula_of<F>(step), text.term<T>(K)...));
  };
  visit_floating(step.out().dtype, [&](auto zero) { write(zero, std::make_index_sequence<N>()); });
}

std::string refuse_integers(const StepView& step) {
  return is_floating(step.out().dtype) ? "" : "of " + std::string(to_string(step.out().dtype));
}

template <class F, class Part, std::size_t N>
TextOf formula_text(std::string_view name) {
  return {.name = name, .element = write_formula<F, Part, N>, .refusal = refuse_integers};
}

/// A function of one value and its rule, of the cotangent and, with `Operands` = 2, of what it saves.
template <class F, std::size_t Operands = 2>
void add_unary(std::vector<TextOf>& texts, std::string_view name, std::string_view rule) {
  texts.push_back(formula_text<F, Value, 1>(name));
  texts.push_back(formula_text<F, Rule, Operands>(rule));
}

template <class F, std::size_t A, std::size_t B>
void add_binary(std::vector<TextOf>& texts, std::string_view name, std::string_view rule_a,
                std::string_view rule_b) {
  texts.push_back(formula_text<F, Value, 2>(name));
  texts.push_back(formula_text<F, RuleA, A>(rule_a));
  texts.push_back(formula_text<F, RuleB, B>(rule_b));
}

void add_functions(std::vector<TextOf>& texts) {
  add_unary<formulas::Neg, 1>(texts, "neg", "neg.rule0");
  add_unary<formulas::Exp>(texts, "exp", "exp.rule0");
  add_unary<formulas::Log>(texts, "log", "log.rule0");
  add_unary<formulas::Expm1>(texts, "expm1", "expm1.rule0");
  add_unary<formulas::Log1p>(texts, "log1p", "log1p.rule0");
  add_unary<formulas::Sqrt>(texts, "sqrt", "sqrt.rule0");
  add_unary<formulas::Square>(texts, "square", "square.rule0");
  add_unary<formulas::Abs>(texts, "abs", "abs.rule0");
  texts.push_back(formula_text<formulas::Sign, Value, 1>("sign"));
  add_unary<formulas::Tanh>(texts, "tanh", "tanh.rule0");
  add_unary<formulas::Sigmoid>(texts, "sigmoid", "sigmoid.rule0");
  add_unary<formulas::LogSigmoid>(texts, "log_sigmoid", "log_sigmoid.rule0");
  add_unary<formulas::Relu>(texts, "relu", "relu.rule0");
  add_unary<formulas::Softplus>(texts, "softplus", "softplus.rule0");
  add_unary<formulas::Erf>(texts, "erf", "erf.rule0");
  add_unary<formulas::Sin>(texts, "sin", "sin.rule0");
  add_unary<formulas::Cos>(texts, "cos", "cos.rule0");
  add_unary<formulas::Clamp>(texts, "clamp", "clamp.rule0");
  add_unary<formulas::Clamp>(texts, "maximum_number", "maximum_number.rule0");
  add_unary<formulas::Clamp>(texts, "minimum_number", "minimum_number.rule0");
  add_unary<formulas::LeakyRelu>(texts, "leaky_relu", "leaky_relu.rule0");
  add_unary<formulas::Elu>(texts, "elu", "elu.rule0");
  add_unary<formulas::Gelu>(texts, "gelu", "gelu.rule0");
  add_unary<formulas::GeluTanh>(texts, "gelu_tanh", "gelu_tanh.rule0");
  add_unary<formulas::Silu>(texts, "silu", "silu.rule0");
  add_unary<formulas::NormalCdf>(texts, "normal_cdf", "normal_cdf.rule0");
}

void add_more_functions(std::vector<TextOf>& texts) {
  add_unary<formulas::Rsqrt>(texts, "rsqrt", "rsqrt.rule0");
  add_unary<formulas::Reciprocal>(texts, "reciprocal", "reciprocal.rule0");
  add_unary<formulas::Exp2>(texts, "exp2", "exp2.rule0");
  add_unary<formulas::Log2>(texts, "log2", "log2.rule0");
  add_unary<formulas::Log10>(texts, "log10", "log10.rule0");
  add_unary<formulas::Tan>(texts, "tan", "tan.rule0");
  add_unary<formulas::Asin>(texts, "asin", "asin.rule0");
  add_unary<formulas::Acos>(texts, "acos", "acos.rule0");
  add_unary<formulas::Atan>(texts, "atan", "atan.rule0");
  add_unary<formulas::Sinh>(texts, "sinh", "sinh.rule0");
  add_unary<formulas::Cosh>(texts, "cosh", "cosh.rule0");
  add_unary<formulas::Asinh>(texts, "asinh", "asinh.rule0");
  add_unary<formulas::Acosh>(texts, "acosh", "acosh.rule0");
  add_unary<formulas::Atanh>(texts, "atanh", "atanh.rule0");
  add_unary<formulas::Erfc>(texts, "erfc", "erfc.rule0");
  add_unary<formulas::Celu>(texts, "celu", "celu.rule0");
  add_unary<formulas::Selu>(texts, "selu", "selu.rule0");
  add_unary<formulas::Softsign>(texts, "softsign", "softsign.rule0");
  add_unary<formulas::Hardswish>(texts, "hardswish", "hardswish.rule0");
  add_unary<formulas::Hardsigmoid>(texts, "hardsigmoid", "hardsigmoid.rule0");
  add_unary<formulas::Hardshrink>(texts, "hardshrink", "hardshrink.rule0");
  add_unary<formulas::Softshrink>(texts, "softshrink", "softshrink.rule0");
  add_unary<formulas::Threshold>(texts, "threshold", "threshold.rule0");
  texts.push_back(formula_text<formulas::Floor, Value, 1>("floor"));
  texts.push_back(formula_text<formulas::Ceil, Value, 1>("ceil"));
  texts.push_back(formula_text<formulas::Round, Value, 1>("round"));
  texts.push_back(formula_text<formulas::Trunc, Value, 1>("trunc"));
  texts.push_back(formula_text<formulas::Frac, Value, 1>("frac"));
}

void add_pairs(std::vector<TextOf>& texts) {
  add_binary<formulas::Xlogy, 3, 3>(texts, "xlogy", "xlogy.rule0", "xlogy.rule1");
  add_binary<formulas::Xlog1py, 3, 3>(texts, "xlog1py", "xlog1py.rule0", "xlog1py.rule1");
  add_binary<formulas::Fmax, 3, 3>(texts, "fmax", "fmax.rule0", "fmax.rule1");
  add_binary<formulas::Fmin, 3, 3>(texts, "fmin", "fmin.rule0", "fmin.rule1");
  texts.push_back(formula_text<formulas::Copysign, Value, 2>("copysign"));
  texts.push_back(formula_text<formulas::Copysign, RuleA, 3>("copysign.rule0"));
  texts.push_back(formula_text<formulas::Fmod, Value, 2>("fmod"));
  texts.push_back(formula_text<formulas::Fmod, RuleB, 3>("fmod.rule1"));
}

template <class F>
void add_slope(std::vector<TextOf>& texts) {
  texts.push_back(formula_text<F, Value, 1>(F::name));
}

void add_slopes(std::vector<TextOf>& texts) {
  add_slope<formulas::AsinSlope>(texts);
  add_slope<formulas::AtanhSlope>(texts);
  add_slope<formulas::TanhSlope>(texts);
  add_slope<formulas::SigmoidSlope>(texts);
  add_slope<formulas::SoftplusSlope>(texts);
  add_slope<formulas::SoftplusBend>(texts);
  add_slope<formulas::Gaussian>(texts);
  add_slope<formulas::GaussianSlope>(texts);
  add_slope<formulas::GeluSlope>(texts);
  add_slope<formulas::GeluBend>(texts);
  add_slope<formulas::GeluTanhGate>(texts);
  add_slope<formulas::SiluSlope>(texts);
  add_slope<formulas::SiluBend>(texts);
  add_slope<formulas::PowerTerm>(texts);
}

void add_numbers(std::vector<TextOf>& texts) {
  texts.push_back(formula_text<formulas::AddNumber, Value, 1>("add_number"));
  texts.push_back(formula_text<formulas::SubNumber, Value, 1>("sub_number"));
  add_unary<formulas::MulNumber, 1>(texts, "mul_number", "mul_number.rule0");
  add_unary<formulas::DivNumber, 1>(texts, "div_number", "div_number.rule0");
  add_unary<formulas::NumberSub, 1>(texts, "number_sub", "number_sub.rule0");
  add_unary<formulas::NumberDiv>(texts, "number_div", "number_div.rule0");
  add_unary<formulas::PowNumber>(texts, "pow_number", "pow_number.rule0");
  add_unary<formulas::NumberPow>(texts, "number_pow", "number_pow.rule0");
}

}  // namespace

std::vector<TextOf> elementwise_texts() {
  std::vector<TextOf> texts;
  add_functions(texts);
  add_more_functions(texts);
  add_pairs(texts);
  add_slopes(texts);
  add_numbers(texts);
  texts.push_back(formula_text<formulas::Add, Value, 2>("add"));
  texts.push_back(formula_text<formulas::Sub, Value, 2>("sub"));
  add_binary<formulas::Mul, 2, 2>(texts, "mul", "mul.rule0", "mul.rule1");
  add_binary<formulas::Div, 2, 3>(texts, "div", "div.rule0", "div.rule1");
  add_binary<formulas::Maximum, 3, 3>(texts, "maximum", "maximum.rule0", "maximum.rule1");
  add_binary<formulas::Minimum, 3, 3>(texts, "minimum", "minimum.rule0", "minimum.rule1");
  texts.push_back(formula_text<formulas::Pow, Value, 2>("pow"));
  texts.push_back(formula_text<formulas::Extremum, RuleA, 4>("amax.rule0"));
  texts.push_back(formula_text<formulas::Extremum, RuleB, 2>("amax.rule1"));
  texts.push_back(formula_text<formulas::Extremum, RuleA, 4>("amin.rule0"));
  texts.push_back(formula_text<formulas::Extremum, RuleB, 2>("amin.rule1"));
  texts.push_back(formula_text<formulas::LogSumExp, RuleB, 2>("logsumexp.rule1"));
  return texts;
}

}  // namespace xtgrad::v1::detail
