#include <fmt/format.h>

#include <cstdint>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/formulas/division.h"
#include "xtgrad/autograd/functions/elementwise.h"
#include "xtgrad/autograd/ops/binary.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// Throws ValueError where a divisor of integers is 0.
void check_divisors(OpId function, const Array& divisors) {
  if (divisors.dtype != Dtype::int64) return;
  const std::int64_t* elements = divisors.data<std::int64_t>();
  for (std::int64_t i = 0; i < divisors.numel(); ++i) {
    if (elements[i] != 0) continue;
    throw ValueError(fmt::format("{}: integers must not be divided by 0, which element {} of b {} is",
                                 to_string(function), i, to_string(divisors.shape)));
  }
}

/// What is left of a after b has been taken off a whole number of times.
template <class Self, class F, OpId Id>
class Rest : public Elementwise<Self, F, Id, 2, true> {
 public:
  template <int>
  using RulePart = RuleB;

  void eval(Inputs in, Outputs out) const override {
    check_divisors(Id, *in[1]);
    Elementwise<Self, F, Id, 2, true>::eval(in, out);
  }
  [[nodiscard]] Reads reads(Wanted wanted) const override {
    return is_wanted(wanted, 1) ? both : reads_nothing;
  }
  void vjp(VjpContext& context) const override {
    if (context.wanted(0)) context.set(0, summed_to(context.g(), context.shape(0)));
    if (context.wanted(1)) {
      context.set(1, evaluate_summed<1>(this->self(), context.g(), context.shape(1), context.input(0),
                                        context.input(1)));
    }
  }

 protected:
  ~Rest() = default;
};

struct Fmod final : Rest<Fmod, formulas::Fmod, OpId::fmod> {};
struct Remainder final : Rest<Remainder, formulas::Remainder, OpId::remainder> {};

/// No gradient at all.
struct FloorDivide final : Elementwise<FloorDivide, formulas::FloorDivide, OpId::floor_divide, 2, true> {
  void eval(Inputs in, Outputs out) const override {
    check_divisors(OpId::floor_divide, *in[1]);
    Elementwise::eval(in, out);
  }
};

/// The number as a 0-d constant of x's dtype.
Tensor divisor(OpId function, const Tensor& x, Scalar number) {
  check_number(function, x.dtype(), number);
  return full({}, number, {.dtype = x.dtype()});
}

}}  // namespace detail

Tensor fmod(const Tensor& a, const Tensor& b) { return detail::apply(detail::Fmod{}, a, b); }
Tensor remainder(const Tensor& a, const Tensor& b) { return detail::apply(detail::Remainder{}, a, b); }
Tensor floor_divide(const Tensor& a, const Tensor& b) { return detail::apply(detail::FloorDivide{}, a, b); }

Tensor fmod(const Tensor& a, Scalar number) {
  return fmod(a, detail::divisor(detail::OpId::fmod, a, number));
}
Tensor remainder(const Tensor& a, Scalar number) {
  return remainder(a, detail::divisor(detail::OpId::remainder, a, number));
}
Tensor floor_divide(const Tensor& a, Scalar number) {
  return floor_divide(a, detail::divisor(detail::OpId::floor_divide, a, number));
}

}  // namespace xtgrad::v1
