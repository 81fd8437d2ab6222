#include "xtgrad/autograd/formulas/rounding.h"
#include "xtgrad/autograd/functions/elementwise.h"
#include "xtgrad/autograd/ops/elementwise.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

// No gradient at all, which `grad` tells apart from a zero.
struct Floor final : Elementwise<Floor, formulas::Floor, OpId::floor, 1, true> {};
struct Ceil final : Elementwise<Ceil, formulas::Ceil, OpId::ceil, 1, true> {};
struct Round final : Elementwise<Round, formulas::Round, OpId::round, 1, true> {};
struct Trunc final : Elementwise<Trunc, formulas::Trunc, OpId::trunc, 1, true> {};

struct Frac final : Elementwise<Frac, formulas::Frac, OpId::frac, 1, true> {
  void vjp(VjpContext& context) const override { context.set(0, context.g()); }
};

}}  // namespace detail

Tensor floor(const Tensor& x) { return detail::apply(detail::Floor{}, x); }
Tensor ceil(const Tensor& x) { return detail::apply(detail::Ceil{}, x); }
Tensor round(const Tensor& x) { return detail::apply(detail::Round{}, x); }
Tensor trunc(const Tensor& x) { return detail::apply(detail::Trunc{}, x); }
Tensor frac(const Tensor& x) { return detail::apply(detail::Frac{}, x); }

}  // namespace xtgrad::v1
