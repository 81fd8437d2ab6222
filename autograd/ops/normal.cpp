#include "xtgrad/autograd/formulas/normal.h"
#include "xtgrad/autograd/functions/special.h"
#include "xtgrad/autograd/ops/elementwise.h"
#include "xtgrad/autograd/ops/slope.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

struct Erfc final : Unary<Erfc, formulas::Erfc, OpId::erfc, input_bit(0)> {};
struct Erfcx final : Unary<Erfcx, formulas::Erfcx, OpId::erfcx, input_bit(0)> {};
struct Erfinv final : Unary<Erfinv, formulas::Erfinv, OpId::erfinv, output_bit> {};
struct LogNdtr final : Unary<LogNdtr, formulas::LogNdtr, OpId::log_ndtr, input_bit(0)> {};

}}  // namespace detail

Tensor erfc(const Tensor& x) { return detail::apply(detail::Erfc{}, x); }
Tensor erfcx(const Tensor& x) { return detail::apply(detail::Erfcx{}, x); }
Tensor erfinv(const Tensor& x) { return detail::apply(detail::Erfinv{}, x); }
Tensor log_ndtr(const Tensor& x) { return detail::apply(detail::LogNdtr{}, x); }

}  // namespace xtgrad::v1
