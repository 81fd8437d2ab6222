#include "xtgrad/autograd/core/dtype_visit.h"

#include <fmt/format.h>

#include <string>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

void throw_not_served(Dtype dtype, std::span<const Dtype> served) {
  std::string names;
  for (const Dtype one : served) names += fmt::format("{}{}", names.empty() ? "" : ", ", to_string(one));
  throw InternalError(fmt::format("visit: {} is not served here, only {}", to_string(dtype), names));
}

}  // namespace xtgrad::v1::detail
