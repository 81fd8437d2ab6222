#include "xtgrad/autograd/cpu_capability.h"

#include "xtgrad/autograd/kernels/instructions.h"

namespace xtgrad::inline v1 {

std::string_view cpu_capability() { return detail::name_of(detail::instructions()); }

}  // namespace xtgrad::v1
