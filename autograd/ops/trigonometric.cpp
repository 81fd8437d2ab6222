#include "xtgrad/autograd/formulas/trigonometric.h"
#include "xtgrad/autograd/functions/elementwise.h"
#include "xtgrad/autograd/ops/elementwise.h"
#include "xtgrad/autograd/ops/slope.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

struct Tan final : Unary<Tan, formulas::Tan, OpId::tan, output_bit> {};
struct Asin final : Unary<Asin, formulas::Asin, OpId::asin, input_bit(0)> {};
struct Acos final : Unary<Acos, formulas::Acos, OpId::acos, input_bit(0)> {};
struct Atan final : Unary<Atan, formulas::Atan, OpId::atan, input_bit(0)> {};
struct Sinc final : Unary<Sinc, formulas::Sinc, OpId::sinc, input_bit(0)> {};

}}  // namespace detail

Tensor tan(const Tensor& x) { return detail::apply(detail::Tan{}, x); }
Tensor asin(const Tensor& x) { return detail::apply(detail::Asin{}, x); }
Tensor acos(const Tensor& x) { return detail::apply(detail::Acos{}, x); }
Tensor atan(const Tensor& x) { return detail::apply(detail::Atan{}, x); }
Tensor sinc(const Tensor& x) { return detail::apply(detail::Sinc{}, x); }

}  // namespace xtgrad::v1
