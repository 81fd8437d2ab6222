#include "xtgrad/autograd/formulas/gamma.h"

#include "xtgrad/autograd/formulas/loops.h"
#include "xtgrad/autograd/kernels/levels/lanes_gamma.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template struct UnaryLoops<formulas::Lgamma>;
template struct UnaryLoops<formulas::Digamma>;
template struct UnaryLoops<formulas::Polygamma>;

}  // namespace xtgrad::v1::detail
