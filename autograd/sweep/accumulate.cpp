#include "xtgrad/autograd/sweep/accumulate.h"

#include <array>

#include "xtgrad/autograd/ops/add.h"

namespace xtgrad::inline v1::detail {

Tensor accumulate(Tensor sum, const Tensor& term) {
  if (!is_private(sum) || thread_state.records()) return add(sum, term);
  Array& elements = node_of(sum).array;
  Array out;
  compute(Add{}, std::array<const Array*, 2>{&elements, &array_of(term)}, std::array<Array*, 1>{&out}, 0b01);
  elements = std::move(out);
  return sum;
}

}  // namespace xtgrad::v1::detail
