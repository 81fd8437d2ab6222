#include "xtgrad/autograd/formulas/hyperbolic.h"

#include "xtgrad/autograd/formulas/loops.h"
#include "xtgrad/autograd/kernels/levels/lanes_hyperbolic.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template struct UnaryLoops<formulas::Sinh>;
template struct UnaryLoops<formulas::Cosh>;
template struct UnaryLoops<formulas::Asinh>;
template struct UnaryLoops<formulas::Acosh>;
template struct UnaryLoops<formulas::Atanh>;
template struct LoopsOf<formulas::AtanhSlope, Value, 1>;

}  // namespace xtgrad::v1::detail
