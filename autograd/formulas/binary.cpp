#include "xtgrad/autograd/formulas/binary.h"

#include "xtgrad/autograd/formulas/loops.h"
#include "xtgrad/autograd/kernels/levels/lanes_power_slope.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template struct LoopsOf<formulas::Add, Value, 2>;
template struct LoopsOf<formulas::Sub, Value, 2>;
template struct BinaryLoops<formulas::Mul, 2, 2>;
template struct BinaryLoops<formulas::Div, 2, 3>;
template struct BinaryLoops<formulas::Pow, 3, 3>;
template struct LoopsOf<formulas::PowSlope, Call, 2>;
template struct BinaryLoops<formulas::Maximum, 3, 3>;
template struct BinaryLoops<formulas::Minimum, 3, 3>;

}  // namespace xtgrad::v1::detail
