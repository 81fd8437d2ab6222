#pragma once

namespace xtgrad::inline v1::detail {

// A linker leaves out of a program what nobody in it calls, and with it the primitives that a program's file
// may name. So what loads one calls these, which are nothing but mentions of one function of each source that
// has primitives.

void mention_families();

// Defined in the rooms above, which autograd does not know (nn/families.cpp, optim/families.cpp).
void mention_families_of_nn();
void mention_families_of_optim();

}  // namespace xtgrad::v1::detail
