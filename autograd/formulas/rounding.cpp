#include "xtgrad/autograd/formulas/rounding.h"

#include "xtgrad/autograd/formulas/loops.h"
#include "xtgrad/autograd/kernels/levels/lanes_rounding.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template struct LoopsOf<formulas::Floor, Value, 1>;
template struct LoopsOf<formulas::Ceil, Value, 1>;
template struct LoopsOf<formulas::Trunc, Value, 1>;
template struct LoopsOf<formulas::Round, Value, 1>;
template struct LoopsOf<formulas::Frac, Value, 1>;

}  // namespace xtgrad::v1::detail
