#include "xtgrad/autograd/formulas/logarithmic.h"

#include "xtgrad/autograd/formulas/loops.h"
#include "xtgrad/autograd/kernels/levels/lanes_activation.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template struct BinaryLoops<formulas::Logaddexp, 3, 3>;
template struct BinaryLoops<formulas::Xlogy, 3, 3>;
template struct BinaryLoops<formulas::Xlog1py, 3, 3>;

}  // namespace xtgrad::v1::detail
