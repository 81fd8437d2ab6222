#include "xtgrad/autograd/formulas/polar.h"

#include "xtgrad/autograd/formulas/loops.h"
#include "xtgrad/autograd/kernels/levels/lanes_polar.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template struct BinaryLoops<formulas::Atan2, 3, 3>;
template struct BinaryLoops<formulas::Hypot, 3, 3>;
template struct LoopsOf<formulas::HypotShare, Value, 2>;

}  // namespace xtgrad::v1::detail
