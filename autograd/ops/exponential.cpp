#include "xtgrad/autograd/formulas/exponential.h"
#include "xtgrad/autograd/functions/elementwise.h"
#include "xtgrad/autograd/ops/elementwise.h"
#include "xtgrad/autograd/ops/slope.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

struct Exp2 final : Unary<Exp2, formulas::Exp2, OpId::exp2, output_bit> {};
struct Log2 final : Unary<Log2, formulas::Log2, OpId::log2, input_bit(0)> {};
struct Log10 final : Unary<Log10, formulas::Log10, OpId::log10, input_bit(0)> {};
struct Logit final : Unary<Logit, formulas::Logit, OpId::logit, input_bit(0)> {};

}}  // namespace detail

Tensor exp2(const Tensor& x) { return detail::apply(detail::Exp2{}, x); }
Tensor log2(const Tensor& x) { return detail::apply(detail::Log2{}, x); }
Tensor log10(const Tensor& x) { return detail::apply(detail::Log10{}, x); }
Tensor logit(const Tensor& x) { return detail::apply(detail::Logit{}, x); }

}  // namespace xtgrad::v1
