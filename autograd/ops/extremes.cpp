#include "xtgrad/autograd/formulas/extremes.h"
#include "xtgrad/autograd/functions/elementwise.h"
#include "xtgrad/autograd/ops/binary.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

struct Fmax final : Binary<Fmax, formulas::Fmax, OpId::fmax, both, both> {};
struct Fmin final : Binary<Fmin, formulas::Fmin, OpId::fmin, both, both> {};

struct Copysign final : Elementwise<Copysign, formulas::Copysign, OpId::copysign, 2, false> {
  template <int>
  using RulePart = RuleA;

  [[nodiscard]] Reads reads(Wanted wanted) const override {
    return is_wanted(wanted, 0) ? both : reads_nothing;
  }
  void vjp(VjpContext& context) const override {
    if (!context.wanted(0)) return;
    context.set(
        0, evaluate_summed<0>(*this, context.take_g(), context.shape(0), context.input(0), context.input(1)));
  }
};

}}  // namespace detail

Tensor fmax(const Tensor& a, const Tensor& b) { return detail::apply(detail::Fmax{}, a, b); }
Tensor fmin(const Tensor& a, const Tensor& b) { return detail::apply(detail::Fmin{}, a, b); }
Tensor copysign(const Tensor& a, const Tensor& b) { return detail::apply(detail::Copysign{}, a, b); }

}  // namespace xtgrad::v1
