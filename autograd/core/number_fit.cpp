#include "xtgrad/autograd/core/number_fit.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

void throw_cannot_hold(std::string_view function, Dtype dtype, Scalar number, std::string_view advice) {
  throw DtypeError(fmt::format("{}: {} cannot hold {}{}{}", function, to_string(dtype), to_string(number),
                               advice.empty() ? "" : "; ", advice));
}

}  // namespace xtgrad::v1::detail
