#include "xtgrad/autograd/formulas/polar.h"
#include "xtgrad/autograd/functions/elementwise.h"
#include "xtgrad/autograd/ops/binary.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

struct Atan2 final : Binary<Atan2, formulas::Atan2, OpId::atan2, both, both> {};
struct Hypot final : Binary<Hypot, formulas::Hypot, OpId::hypot, both, both> {};

}}  // namespace detail

Tensor atan2(const Tensor& y, const Tensor& x) { return detail::apply(detail::Atan2{}, y, x); }
Tensor hypot(const Tensor& a, const Tensor& b) { return detail::apply(detail::Hypot{}, a, b); }

}  // namespace xtgrad::v1
