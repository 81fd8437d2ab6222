#include "xtgrad/optim/step_formulas.h"

#include "xtgrad/autograd/formulas/loops.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template struct LoopsOf<optim::detail::SgdFormula<double>, Call, 2, 1>;
template struct LoopsOf<optim::detail::SgdFormula<double>, Call, 3, 2>;
template struct LoopsOf<optim::detail::AdagradFormula<double>, Call, 3, 2>;
template struct LoopsOf<optim::detail::AdadeltaFormula<double>, Call, 4, 3>;
template struct LoopsOf<optim::detail::RMSpropFormula<double>, Call, 3, 2>;
template struct LoopsOf<optim::detail::RMSpropFormula<double>, Call, 4, 3>;
template struct LoopsOf<optim::detail::RMSpropFormula<double>, Call, 5, 4>;
template struct LoopsOf<optim::detail::AdamFormula<double>, Call, 4, 3>;
template struct LoopsOf<optim::detail::AdamFormula<double>, Call, 5, 4>;
template struct LoopsOf<optim::detail::AdamaxFormula<double>, Call, 4, 3>;
template struct LoopsOf<optim::detail::NAdamFormula<double>, Call, 4, 3>;
template struct LoopsOf<optim::detail::RAdamFormula<double>, Call, 4, 3>;
template struct LoopsOf<optim::detail::LionFormula<double>, Call, 3, 2>;
template struct LoopsOf<optim::detail::RpropFormula<double>, Call, 4, 3>;
template struct LoopsOf<optim::detail::ASGDFormula<double>, Call, 3, 2>;

}  // namespace xtgrad::v1::detail
