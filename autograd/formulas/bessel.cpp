#include "xtgrad/autograd/formulas/bessel.h"

#include "xtgrad/autograd/formulas/loops.h"
#include "xtgrad/autograd/kernels/levels/lanes_bessel.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template struct UnaryLoops<formulas::I0>;
template struct UnaryLoops<formulas::I1>;
template struct LoopsOf<formulas::BesselI, Value, 1>;

}  // namespace xtgrad::v1::detail
