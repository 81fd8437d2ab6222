#include "xtgrad/autograd/sweep/accumulate.h"

#include "xtgrad/autograd/ops/add.h"

namespace xtgrad::inline v1::detail {

void accumulate(Tensor& sum, const Tensor& term) {
  if (thread_state.records() || !may_change(node_of(sum))) {
    sum = add(sum, term);
  } else {
    compute_in_place(Add{}, node_of(sum).array, array_of(term));
  }
}

}  // namespace xtgrad::v1::detail
