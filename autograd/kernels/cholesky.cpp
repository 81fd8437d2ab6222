#include "xtgrad/autograd/kernels/cholesky.h"

#include <fmt/format.h>

#include <algorithm>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/lapack.h"
#include "xtgrad/autograd/kernels/matrix_batch.h"
#include "xtgrad/autograd/kernels/symmetric.h"

namespace xtgrad::inline v1::detail {

void cholesky(const Array& a, Array& l) {
  const std::int64_t n = a.shape.back();
  lapack::check_countable("cholesky", {n});
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    T* to = l.mutable_data<T>();
    for (std::int64_t i = 0; i < batch_size(a.shape); ++i, to += n * n) {
      if (n == 0) continue;
      if (!symmetrized("cholesky", a, i, to)) {
        fill_with_nan(to, n * n);
        continue;
      }
      // Column-major, l is the transpose: the upper triangular factor of the same matrix.
      if (const std::int64_t order = lapack::potrf('U', n, to); order != 0) {
        throw ValueError(fmt::format("cholesky: {} is not positive definite: leading minor of order {}",
                                     matrix_name(a.shape, i), order));
      }
      for (std::int64_t row = 0; row < n; ++row) std::fill(to + row * n + row + 1, to + (row + 1) * n, T{0});
    }
  });
}

}  // namespace xtgrad::v1::detail
