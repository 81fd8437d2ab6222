#include "xtgrad/autograd/callable.h"

#include <fmt/format.h>

namespace xtgrad::inline v1::detail {

void check_function(std::string_view caller, bool given) {
  if (!given) throw ValueError(fmt::format("{}: the function is empty", caller));
}

}  // namespace xtgrad::v1::detail
