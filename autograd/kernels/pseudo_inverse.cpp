#include "xtgrad/autograd/kernels/pseudo_inverse.h"

#include <algorithm>

#include "xtgrad/autograd/kernels/gemm.h"
#include "xtgrad/autograd/kernels/matrix_batch.h"
#include "xtgrad/autograd/kernels/svd.h"

namespace xtgrad::inline v1::detail {

// With a = u diag(s) vh it is vh' diag(1/s) u'.
void pseudo_inverse(const Array& a, double rcond, Array& y) {
  const std::int64_t m = a.shape[a.shape.rank() - 2];
  const std::int64_t n = a.shape.back();
  const std::int64_t k = std::min(m, n);
  const std::int64_t batch = batch_size(a.shape);
  Array u = Array::uninitialized(Shape{batch, m, k}, a.dtype);
  Array s = Array::uninitialized(Shape{batch, k}, a.dtype);
  Array vh = Array::uninitialized(Shape{batch, k, n}, a.dtype);
  svd("pinv", a.with_shape(Shape{batch, m, n}), &u, s, &vh);
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t i = 0; i < batch && k > 0; ++i) {
      const T* values = s.data<T>() + i * k;
      T* rows = vh.mutable_data<T>() + i * k * n;
      for (std::int64_t j = 0; j < k; ++j) {
        const bool counts =
            !(static_cast<double>(values[j]) <= rcond * static_cast<double>(values[0]));  // as NaN does
        for (std::int64_t c = 0; c < n; ++c) rows[j * n + c] = counts ? rows[j * n + c] / values[j] : T{0};
      }
      gemm<T>({.m = n, .n = m, .k = k, .transpose_a = true, .transpose_b = true}, rows,
              u.data<T>() + i * m * k, y.mutable_data<T>() + i * n * m);
    }
  });
}

}  // namespace xtgrad::v1::detail
