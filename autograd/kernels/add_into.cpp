#include "xtgrad/autograd/kernels/add_into.h"

#include "xtgrad/autograd/kernels/map.h"

namespace xtgrad::inline v1::detail {

void add_into(Array& sum, const Array& term) {
  const auto plus = [](const auto& a, const auto& b) { return a + b; };
  visit_floating(sum.dtype, [&](auto zero) {
    using T = decltype(zero);
    const std::int64_t n = sum.numel();
    if (n == 0) return;
    // Each lane is read before it is written, so the result may take the place of the first operand.
    map_flat<decltype(plus), T, 2, 1>(plus, {sum.data<T>(), term.data<T>()}, {1, 1}, {sum.mutable_data<T>()},
                                      n);
  });
}

}  // namespace xtgrad::v1::detail
