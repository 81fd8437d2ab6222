#include "xtgrad/nn/module.h"

namespace xtgrad::inline v1::nn {

// Here once for all the modules of one tensor to one tensor.
template class ModuleOf<Tensor(const Tensor&)>;

}  // namespace xtgrad::v1::nn
