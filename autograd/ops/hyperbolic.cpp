#include "xtgrad/autograd/formulas/hyperbolic.h"
#include "xtgrad/autograd/functions/elementwise.h"
#include "xtgrad/autograd/ops/elementwise.h"
#include "xtgrad/autograd/ops/slope.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

struct Sinh final : Unary<Sinh, formulas::Sinh, OpId::sinh, input_bit(0)> {};
struct Cosh final : Unary<Cosh, formulas::Cosh, OpId::cosh, input_bit(0)> {};
struct Asinh final : Unary<Asinh, formulas::Asinh, OpId::asinh, input_bit(0)> {};
struct Acosh final : Unary<Acosh, formulas::Acosh, OpId::acosh, input_bit(0)> {};
struct Atanh final : Unary<Atanh, formulas::Atanh, OpId::atanh, input_bit(0)> {};

}}  // namespace detail

Tensor sinh(const Tensor& x) { return detail::apply(detail::Sinh{}, x); }
Tensor cosh(const Tensor& x) { return detail::apply(detail::Cosh{}, x); }
Tensor asinh(const Tensor& x) { return detail::apply(detail::Asinh{}, x); }
Tensor acosh(const Tensor& x) { return detail::apply(detail::Acosh{}, x); }
Tensor atanh(const Tensor& x) { return detail::apply(detail::Atanh{}, x); }

}  // namespace xtgrad::v1
