#include "xtgrad/autograd/where_safe.h"

#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"

namespace xtgrad::inline v1 {

Tensor where_safe(const Tensor& mask, const Tensor& x, const Callable<Tensor(const Tensor&)>& f, Scalar other,
                  Scalar harmless) {
  using detail::OpId;
  detail::check_number(OpId::where_safe, x.dtype(), harmless);
  const Tensor y = f(where(mask, x, harmless));
  detail::check_number(OpId::where_safe, y.dtype(), other);
  return where(mask, y, other);
}

}  // namespace xtgrad::v1
