#include "xtgrad/autograd/formulas/division.h"

#include "xtgrad/autograd/formulas/loops.h"
#include "xtgrad/autograd/kernels/levels/lanes_division.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template struct LoopsOf<formulas::Fmod, Value, 2>;
template struct LoopsOf<formulas::Fmod, RuleB, 3>;
template struct LoopsOf<formulas::Remainder, Value, 2>;
template struct LoopsOf<formulas::Remainder, RuleB, 3>;
template struct LoopsOf<formulas::FloorDivide, Value, 2>;

}  // namespace xtgrad::v1::detail
