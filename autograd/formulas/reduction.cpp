#include "xtgrad/autograd/formulas/reduction.h"

#include "xtgrad/autograd/formulas/loops.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template struct LoopsOf<formulas::MeanOfSum, Value, 1>;
template struct LoopsOf<formulas::Extremum, RuleA, 4>;
template struct LoopsOf<formulas::Extremum, RuleB, 2>;
template struct LoopsOf<formulas::LogSumExp, RuleA, 3>;
template struct LoopsOf<formulas::LogSumExp, RuleB, 2>;
template struct LoopsOf<formulas::NormalizeBy, Value, 4>;
template struct LoopsOf<formulas::NormalizeBy, RuleA, 2>;
template struct LoopsOf<formulas::NormalizeBy, RuleB, 3>;

}  // namespace xtgrad::v1::detail
