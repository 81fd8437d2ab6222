#include "xtgrad/autograd/where_safe.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"

namespace xtgrad::inline v1 {

Tensor where_safe(const Tensor& mask, const Tensor& x, const Callable<Tensor(const Tensor&)>& f, Scalar other,
                  Scalar harmless) {
  using detail::OpId;
  detail::check_function("where_safe", static_cast<bool>(f));
  if (mask.dtype() != boolean) {
    throw DtypeError(
        fmt::format("where_safe: the mask must be bool, got {}; compare it first", to_string(mask.dtype())));
  }
  static_cast<void>(detail::common_shape(OpId::where_safe, mask.shape(), x.shape()));
  detail::check_number(OpId::where_safe, x.dtype(), harmless);
  const Tensor y = f(where(mask, x, harmless));
  detail::check_number(OpId::where_safe, y.dtype(), other);
  static_cast<void>(detail::common_shape(OpId::where_safe, mask.shape(), y.shape()));
  return where(mask, y, other);
}

}  // namespace xtgrad::v1
