#include "xtgrad/autograd/sweep/accumulate.h"

#include "xtgrad/autograd/kernels/add_into.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::detail {

Tensor accumulate(Tensor sum, const Tensor& term) {
  if (!is_private(sum) || thread_state.is_watched() || thread_state.records()) return add(sum, term);
  add_into(node_of(sum).array, array_of(term));
  return sum;
}

}  // namespace xtgrad::v1::detail
