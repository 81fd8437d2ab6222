#include "xtgrad/autograd/formulas/number.h"

#include "xtgrad/autograd/formulas/loops.h"
#include "xtgrad/autograd/kernels/levels/lanes_power.h"
#include "xtgrad/autograd/kernels/levels/lanes_scaled.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template struct LoopsOf<formulas::AddNumber, Value, 1>;
template struct LoopsOf<formulas::SubNumber, Value, 1>;
template struct UnaryLoops<formulas::MulNumber, false>;
template struct UnaryLoops<formulas::DivNumber, false>;
template struct UnaryLoops<formulas::NumberSub, false>;
template struct UnaryLoops<formulas::NumberDiv>;
template struct UnaryLoops<formulas::PowNumber>;
template struct LoopsOf<formulas::PowerTerm, Value, 1>;
template struct UnaryLoops<formulas::NumberPow>;
template struct UnaryLoops<formulas::Clamp>;

}  // namespace xtgrad::v1::detail
