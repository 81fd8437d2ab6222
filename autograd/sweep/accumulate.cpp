#include "xtgrad/autograd/sweep/accumulate.h"

#include "xtgrad/autograd/ops/add.h"

namespace xtgrad::inline v1::detail {

Tensor accumulate(Tensor sum, const Tensor& term) {
  if (!is_private(sum) || thread_state.records()) return add(sum, term);
  compute_in_place(Add{}, node_of(sum).array, array_of(term));
  return sum;
}

}  // namespace xtgrad::v1::detail
