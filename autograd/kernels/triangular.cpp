#include "xtgrad/autograd/kernels/triangular.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/matrix_batch.h"

namespace xtgrad::inline v1::detail {
namespace {

template <class T>
void require_diagonal(const Array& a) {
  const std::int64_t n = a.shape.back();
  const T* x = a.data<T>();
  for (std::int64_t i = 0; i < batch_size(a.shape); ++i) {
    for (std::int64_t d = 0; d < n; ++d) {
      if (x[(i * n + d) * n + d] != 0) continue;
      throw ConvergenceError(fmt::format("solve_triangular: {} is singular: element [{}, {}] is 0",
                                         matrix_name(a.shape, i), d, d));
    }
  }
}

}  // namespace

void solve_triangular(const lapack::Triangle& triangle, const Array& a, Array& x) {
  const std::int64_t n = a.shape.back();
  const std::int64_t k = x.shape.back();
  lapack::check_countable("solve_triangular", {n, k});
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (!triangle.unit_diagonal) require_diagonal<T>(a);
    if (x.numel() == 0) return;
    const Scratch<std::int64_t> of_a = broadcast_matrices(x.shape, a.shape);
    T* to = x.mutable_data<T>();
    for (const std::int64_t i : of_a) {
      lapack::trsm(triangle, n, k, a.data<T>() + i * n * n, to);
      to += n * k;
    }
  });
}

}  // namespace xtgrad::v1::detail
