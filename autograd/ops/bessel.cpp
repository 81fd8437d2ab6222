#include "xtgrad/autograd/formulas/bessel.h"
#include "xtgrad/autograd/functions/special.h"
#include "xtgrad/autograd/ops/elementwise.h"
#include "xtgrad/autograd/ops/slope.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

struct I0 final : Unary<I0, formulas::I0, OpId::i0, input_bit(0)> {};
struct I1 final : Unary<I1, formulas::I1, OpId::i1, input_bit(0)> {};

}}  // namespace detail

Tensor i0(const Tensor& x) { return detail::apply(detail::I0{}, x); }
Tensor i1(const Tensor& x) { return detail::apply(detail::I1{}, x); }

}  // namespace xtgrad::v1
