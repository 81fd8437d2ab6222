#include "xtgrad/autograd/formulas/norm.h"

#include "xtgrad/autograd/formulas/loops.h"
#include "xtgrad/autograd/kernels/levels/lanes_power.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template struct LoopsOf<formulas::Weighted, Value, 2>;
template struct LoopsOf<formulas::AbsPower, Value, 1>;
template struct LoopsOf<formulas::LengthTerm, Value, 1>;
template struct LoopsOf<formulas::LengthTerm, Value, 2>;
template struct LoopsOf<formulas::LengthDivisor, Value, 1>;
template struct LoopsOf<formulas::LengthRule, Value, 3>;

}  // namespace xtgrad::v1::detail
