#include "xtgrad/autograd/formulas/normal.h"

#include "xtgrad/autograd/formulas/loops.h"
#include "xtgrad/autograd/kernels/levels/lanes_activation.h"
#include "xtgrad/autograd/kernels/levels/lanes_errors.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template struct UnaryLoops<formulas::Erfc>;
template struct UnaryLoops<formulas::Erfcx>;
template struct UnaryLoops<formulas::Erfinv>;
template struct UnaryLoops<formulas::LogNdtr>;
template struct LoopsOf<formulas::ErfcxDerivative, Value, 1>;
template struct LoopsOf<formulas::ExpOfSquare, Value, 1>;

}  // namespace xtgrad::v1::detail
