#include "xtgrad/autograd/formulas/exponential.h"

#include "xtgrad/autograd/formulas/loops.h"
#include "xtgrad/autograd/kernels/levels/lanes_logarithms.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template struct UnaryLoops<formulas::Exp2>;
template struct UnaryLoops<formulas::Log2>;
template struct UnaryLoops<formulas::Log10>;
template struct UnaryLoops<formulas::Logit>;
template struct LoopsOf<formulas::LogitSlope, Value, 1>;

}  // namespace xtgrad::v1::detail
