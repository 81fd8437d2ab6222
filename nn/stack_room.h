#pragma once

#include <string_view>

namespace xtgrad::inline v1::nn::detail {

/// For what recurses into nested modules. Throws ValueError, named by what is being done, where this thread's
/// stack comes to its end: an error is better than an overflow, which ends the program.
void check_stack_room(std::string_view doing);

}  // namespace xtgrad::v1::nn::detail
