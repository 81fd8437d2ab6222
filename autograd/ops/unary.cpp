#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/formulas/number.h"
#include "xtgrad/autograd/formulas/softplus.h"
#include "xtgrad/autograd/formulas/unary.h"
#include "xtgrad/autograd/ops/elementwise.h"
#include "xtgrad/autograd/ops/slope.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

struct Neg final : Unary<Neg, formulas::Neg, OpId::neg, reads_nothing, true> {};
struct Exp final : Unary<Exp, formulas::Exp, OpId::exp, output_bit> {};
struct Log final : Unary<Log, formulas::Log, OpId::log, input_bit(0)> {};
// The input: below 0 the output + 1 has lost e^x.
struct Expm1 final : Unary<Expm1, formulas::Expm1, OpId::expm1, input_bit(0)> {};
struct Log1p final : Unary<Log1p, formulas::Log1p, OpId::log1p, input_bit(0)> {};
struct Sqrt final : Unary<Sqrt, formulas::Sqrt, OpId::sqrt, output_bit> {};
struct Rsqrt final : Unary<Rsqrt, formulas::Rsqrt, OpId::rsqrt, output_bit> {};
struct Reciprocal final : Unary<Reciprocal, formulas::Reciprocal, OpId::reciprocal, output_bit> {};
struct Square final : Unary<Square, formulas::Square, OpId::square, input_bit(0), true> {};
struct Abs final : Unary<Abs, formulas::Abs, OpId::abs, input_bit(0), true> {};
struct Tanh final : Unary<Tanh, formulas::Tanh, OpId::tanh, output_bit> {};
// The input: near 0 the output is 1/2 and has lost it, and far above it is 1.
struct Sigmoid final : Unary<Sigmoid, formulas::Sigmoid, OpId::sigmoid, input_bit(0)> {};
struct LogSigmoid final : Unary<LogSigmoid, formulas::LogSigmoid, OpId::log_sigmoid, input_bit(0)> {};
// The output says as much as the input, and the next layer keeps it anyway.
struct Relu final : Unary<Relu, formulas::Relu, OpId::relu, output_bit> {};
struct Erf final : Unary<Erf, formulas::Erf, OpId::erf, input_bit(0)> {};
struct Sin final : Unary<Sin, formulas::Sin, OpId::sin, input_bit(0)> {};
struct Cos final : Unary<Cos, formulas::Cos, OpId::cos, input_bit(0)> {};
struct Softplus final : Unary<Softplus, formulas::Softplus, OpId::softplus, input_bit(0)> {
  using Unary::Unary;
};

/// No gradient at all, which `grad` tells apart from a zero.
struct Sign final : Elementwise<Sign, formulas::Sign, OpId::sign, 1, true> {};

/// `Called` is the function that was called: clamp, or maximum or minimum with a number.
template <OpId Called>
class Clamp final : public Unary<Clamp<Called>, formulas::Clamp, Called, input_bit(0), true> {
  using Base = Unary<Clamp<Called>, formulas::Clamp, Called, input_bit(0), true>;

 public:
  explicit Clamp(const ClampOptions& options = {})
      : Base({.low = options.min.to_double(), .high = options.max.to_double()}), options_(options) {}

  void describe(Attributes& a) override {
    a("min", options_.min);
    a("max", options_.max);
    this->formula_ = {.low = options_.min.to_double(), .high = options_.max.to_double()};
  }

  void infer(InputSpecs in, OutputSpecs out) const override {
    Base::infer(in, out);
    // An infinity is an absent bound, for integers too.
    if (this->formula_.low != -inf) check_number(Called, in[0]->dtype, options_.min);
    if (this->formula_.high != inf) check_number(Called, in[0]->dtype, options_.max);
  }

  auto integer_formula() const {
    using Limits = std::numeric_limits<std::int64_t>;
    const Integer low{this->formula_.low == -inf ? Limits::min() : options_.min.to_int64()};
    const Integer high{this->formula_.high == inf ? Limits::max() : options_.max.to_int64()};
    return [low, high](Integer x) { return minimum(maximum(x, low), high); };
  }

 private:
  static constexpr double inf = std::numeric_limits<double>::infinity();

  ClampOptions options_;
};

void check_not_nan(OpId function, Scalar number) {
  if (std::isnan(number.to_double())) {
    throw ValueError(fmt::format("{}: the number must not be NaN", to_string(function)));
  }
}

}}  // namespace detail

Tensor neg(const Tensor& x) { return detail::apply(detail::Neg{}, x); }
Tensor exp(const Tensor& x) { return detail::apply(detail::Exp{}, x); }
Tensor expm1(const Tensor& x) { return detail::apply(detail::Expm1{}, x); }
Tensor log(const Tensor& x) { return detail::apply(detail::Log{}, x); }
Tensor log1p(const Tensor& x) { return detail::apply(detail::Log1p{}, x); }
Tensor sqrt(const Tensor& x) { return detail::apply(detail::Sqrt{}, x); }
Tensor rsqrt(const Tensor& x) { return detail::apply(detail::Rsqrt{}, x); }
Tensor reciprocal(const Tensor& x) { return detail::apply(detail::Reciprocal{}, x); }
Tensor square(const Tensor& x) { return detail::apply(detail::Square{}, x); }
Tensor abs(const Tensor& x) { return detail::apply(detail::Abs{}, x); }
Tensor tanh(const Tensor& x) { return detail::apply(detail::Tanh{}, x); }
Tensor sigmoid(const Tensor& x) { return detail::apply(detail::Sigmoid{}, x); }
Tensor log_sigmoid(const Tensor& x) { return detail::apply(detail::LogSigmoid{}, x); }
Tensor relu(const Tensor& x) { return detail::apply(detail::Relu{}, x); }
Tensor erf(const Tensor& x) { return detail::apply(detail::Erf{}, x); }
Tensor sin(const Tensor& x) { return detail::apply(detail::Sin{}, x); }
Tensor cos(const Tensor& x) { return detail::apply(detail::Cos{}, x); }

Tensor sign(const Tensor& x) { return detail::apply(detail::Sign{}, x); }

Tensor softplus(const Tensor& x, const SoftplusOptions& options) {
  if (!(options.beta > 0 && options.beta < std::numeric_limits<double>::infinity())) {
    throw ValueError(fmt::format("softplus: beta must be positive and finite, got {}", options.beta));
  }
  if (options.threshold != options.threshold)
    throw ValueError("softplus: threshold must be a number, got nan");
  return detail::apply(detail::Softplus({options.beta, options.threshold}), x);
}

Tensor clamp(const Tensor& x, const ClampOptions& options) {
  if (!(options.min <= options.max)) {
    throw ValueError(fmt::format("clamp: min must not exceed max, got min {} and max {}",
                                 to_string(options.min), to_string(options.max)));
  }
  return detail::apply(detail::Clamp<detail::OpId::clamp>(options), x);
}

Tensor maximum(const Tensor& x, Scalar number) {
  detail::check_not_nan(detail::OpId::maximum, number);
  return detail::apply(detail::Clamp<detail::OpId::maximum_number>({.min = number}), x);
}

Tensor minimum(const Tensor& x, Scalar number) {
  detail::check_not_nan(detail::OpId::minimum, number);
  return detail::apply(detail::Clamp<detail::OpId::minimum_number>({.max = number}), x);
}

Tensor nan_to_num(const Tensor& x, const NanToNumOptions& options) {
  if (!is_floating(x.dtype())) return alias(x);
  constexpr double inf = std::numeric_limits<double>::infinity();
  const double largest = detail::visit_floating(
      x.dtype(), [](auto zero) { return static_cast<double>(std::numeric_limits<decltype(zero)>::max()); });
  const Tensor above = where(x == inf, options.posinf.value_or(largest), x);
  const Tensor below = where(above == -inf, options.neginf.value_or(-largest), above);
  return where(x != x, options.nan, below);
}

}  // namespace xtgrad::v1
