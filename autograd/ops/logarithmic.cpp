#include "xtgrad/autograd/formulas/logarithmic.h"
#include "xtgrad/autograd/functions/special.h"
#include "xtgrad/autograd/ops/binary.h"
#include "xtgrad/autograd/ops/slope.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

struct Logaddexp final : Binary<Logaddexp, formulas::Logaddexp, OpId::logaddexp, both, both> {};
struct Xlogy final : Binary<Xlogy, formulas::Xlogy, OpId::xlogy, both, both> {};
struct Xlog1py final : Binary<Xlog1py, formulas::Xlog1py, OpId::xlog1py, both, both> {};

}}  // namespace detail

Tensor logaddexp(const Tensor& a, const Tensor& b) { return detail::apply(detail::Logaddexp{}, a, b); }
Tensor xlogy(const Tensor& x, const Tensor& y) { return detail::apply(detail::Xlogy{}, x, y); }
Tensor xlog1py(const Tensor& x, const Tensor& y) { return detail::apply(detail::Xlog1py{}, x, y); }

}  // namespace xtgrad::v1
