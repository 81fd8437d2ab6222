#include "xtgrad/autograd/formulas/extremes.h"

#include "xtgrad/autograd/formulas/loops.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template struct BinaryLoops<formulas::Fmax, 3, 3>;
template struct BinaryLoops<formulas::Fmin, 3, 3>;
template struct LoopsOf<formulas::Copysign, Value, 2>;
template struct LoopsOf<formulas::Copysign, RuleA, 3>;

}  // namespace xtgrad::v1::detail
