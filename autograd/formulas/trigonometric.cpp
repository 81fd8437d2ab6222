#include "xtgrad/autograd/formulas/trigonometric.h"

#include "xtgrad/autograd/formulas/loops.h"
#include "xtgrad/autograd/kernels/levels/lanes_trigonometric.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template struct UnaryLoops<formulas::Tan>;
template struct UnaryLoops<formulas::Asin>;
template struct UnaryLoops<formulas::Acos>;
template struct UnaryLoops<formulas::Atan>;
template struct UnaryLoops<formulas::Sinc>;
template struct LoopsOf<formulas::AsinSlope, Value, 1>;
template struct LoopsOf<formulas::SincDerivative, Value, 1>;

}  // namespace xtgrad::v1::detail
