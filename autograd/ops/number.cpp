#include <limits>

#include "xtgrad/autograd/core/number_parts.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/formulas/number.h"
#include "xtgrad/autograd/ops/elementwise.h"
#include "xtgrad/autograd/ops/slope.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

/// The value of a primitive of one tensor and a C++ number, which takes the tensor's dtype. The formula F has
/// the number as a double, and for an int64 tensor takes it as an Integer.
template <class Self, class F, OpId Id, bool Integers>
class NumberValue : public Elementwise<Self, F, Id, 1, Integers> {
 public:
  explicit NumberValue(Scalar number = 0)
      : Elementwise<Self, F, Id, 1, Integers>(F{{number.to_double()}}), number_(number) {}

  void describe(Attributes& a) override {
    a("number", number_);
    this->formula_ = F{{number_.to_double()}};
  }

  void infer(InputSpecs in, OutputSpecs out) const override {
    Elementwise<Self, F, Id, 1, Integers>::infer(in, out);
    check_number(Id, in[0]->dtype, number_);
  }
  auto integer_formula() const {
    return [c = Integer{number_.to_int64()}](Integer x) { return F::value_with(x, c); };
  }

 protected:
  ~NumberValue() = default;

  Scalar number_;
};

/// Its rule, too, of the cotangent and, with `Saves` = input_bit(0), the input.
template <class Self, class F, OpId Id, Reads Saves, bool Integers>
class WithNumber : public NumberValue<Self, F, Id, Integers> {
 public:
  using NumberValue<Self, F, Id, Integers>::NumberValue;
  template <int>
  using RulePart = Rule;

  [[nodiscard]] Reads reads(Wanted) const override { return Saves; }

  void vjp(VjpContext& context) const override {
    if constexpr (Saves == reads_nothing) {
      context.set(0, evaluate_onto(this->self(), context.take_g()));
    } else {
      context.set(0, evaluate_onto(this->self(), context.take_g(), context.input(0)));
    }
  }

 protected:
  ~WithNumber() = default;
};

/// One whose rule passes the cotangent on as it is.
template <OpId Id, class F>
class Shift final : public NumberValue<Shift<Id, F>, F, Id, true> {
 public:
  using NumberValue<Shift, F, Id, true>::NumberValue;
  void vjp(VjpContext& context) const override { context.set(0, context.g()); }
};

using AddNumber = Shift<OpId::add_number, formulas::AddNumber>;
// Not the addition of -c, which would turn -0 - 0 into 0 and has no name of its own in errors.
using SubNumber = Shift<OpId::sub_number, formulas::SubNumber>;

template <OpId Id, class F, Reads Saves, bool Integers>
class NumberOf final : public WithNumber<NumberOf<Id, F, Saves, Integers>, F, Id, Saves, Integers> {
 public:
  using WithNumber<NumberOf, F, Id, Saves, Integers>::WithNumber;
};

using MulNumber = NumberOf<OpId::mul_number, formulas::MulNumber, reads_nothing, true>;
using DivNumber = NumberOf<OpId::div_number, formulas::DivNumber, reads_nothing, false>;
using NumberSub = NumberOf<OpId::number_sub, formulas::NumberSub, reads_nothing, true>;
using NumberDiv = NumberOf<OpId::number_div, formulas::NumberDiv, input_bit(0), false>;
using NumberPow = NumberOf<OpId::number_pow, formulas::NumberPow, input_bit(0), false>;

struct PowNumber final : WithNumber<PowNumber, formulas::PowNumber, OpId::pow_number, input_bit(0), false> {
  using WithNumber::WithNumber;
  // Of an exponent that the dtype would take for 0 the power is 1 and its derivative c / x, to the last
  // digit.
  void vjp(VjpContext& context) const override {
    const double c = number_.to_double();
    if (!is_below_normal(context.dtype(0), c)) return WithNumber::vjp(context);
    const Tensor x = context.input(0);
    context.set(0, context.g() * div(c, where(x < 0, std::numeric_limits<double>::quiet_NaN(), x)));
  }
};

/// Whether an operation with the number takes it in parts: as one element it would be 0, or have few digits.
bool is_in_parts(const Tensor& x, Scalar number) {
  const double c = number.to_double();
  return x.defined() && is_below_normal(x.dtype(), c);
}

[[gnu::noinline, gnu::cold]] Tensor mul_in_parts(const Tensor& x, double number) {
  const auto [digits, half, rest] = parts_of(number);
  return x * digits * half * rest;
}

[[gnu::noinline, gnu::cold]] Tensor div_in_parts(const Tensor& x, double number) {
  const auto [digits, half, rest] = parts_of(number);
  return x / half / rest / digits;  // exact but for the last
}

/// number / x. First the part that a subnormal x does not divide to infinity.
[[gnu::noinline, gnu::cold]] Tensor div_in_parts(double number, const Tensor& x) {
  constexpr double normal = 0x1p-100;
  return mul(normal / x, number / normal);
}

}  // namespace

Tensor power(const Tensor& x, double c) { return pow(x, c); }
Tensor power(double c, const Tensor& x) { return pow(c, x); }

}  // namespace detail

Tensor add(const Tensor& x, Scalar number) { return detail::apply(detail::AddNumber(number), x); }
Tensor sub(const Tensor& x, Scalar number) { return detail::apply(detail::SubNumber(number), x); }
Tensor mul(const Tensor& x, Scalar number) {
  if (detail::is_in_parts(x, number)) [[unlikely]]
    return detail::mul_in_parts(x, number.to_double());
  return detail::apply(detail::MulNumber(number), x);
}
Tensor div(const Tensor& x, Scalar number) {
  if (detail::is_in_parts(x, number)) [[unlikely]]
    return detail::div_in_parts(x, number.to_double());
  return detail::apply(detail::DivNumber(number), x);
}
Tensor sub(Scalar number, const Tensor& x) { return detail::apply(detail::NumberSub(number), x); }
Tensor div(Scalar number, const Tensor& x) {
  if (detail::is_in_parts(x, number)) [[unlikely]]
    return detail::div_in_parts(number.to_double(), x);
  return detail::apply(detail::NumberDiv(number), x);
}
Tensor pow(const Tensor& x, Scalar number) { return detail::apply(detail::PowNumber(number), x); }
Tensor pow(Scalar number, const Tensor& x) { return detail::apply(detail::NumberPow(number), x); }

Tensor add(Scalar number, const Tensor& x) { return add(x, number); }
Tensor mul(Scalar number, const Tensor& x) { return mul(x, number); }
Tensor maximum(Scalar number, const Tensor& x) { return maximum(x, number); }
Tensor minimum(Scalar number, const Tensor& x) { return minimum(x, number); }

}  // namespace xtgrad::v1
