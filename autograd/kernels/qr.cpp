#include "xtgrad/autograd/kernels/qr.h"

#include <algorithm>

#include "xtgrad/autograd/kernels/lapack.h"
#include "xtgrad/autograd/kernels/matrix_batch.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Where an element of R's diagonal is negative, its row and q's column change signs.
template <class T>
void make_diagonal_positive(std::int64_t m, std::int64_t n, std::int64_t k, T* q, T* r) {
  for (std::int64_t j = 0; j < k; ++j) {
    if (!(r[j * n + j] < 0)) continue;
    for (std::int64_t i = j; i < n; ++i) r[j * n + i] = -r[j * n + i];
    for (std::int64_t i = 0; i < m; ++i) q[i * k + j] = -q[i * k + j];
  }
}

}  // namespace

// Column-major, where a [m, n] lies there lies a' [n, m] = r' q', which is what gelqf decomposes; q' [k, m]
// and r' lie as q and r do row-major.
void qr(const Array& a, Array& q, Array& r) {
  const std::int64_t m = a.shape[a.shape.rank() - 2];
  const std::int64_t n = a.shape.back();
  const std::int64_t k = std::min(m, n);
  lapack::check_countable("qr", {m, n});
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    Scratch<T> work = scratch_of<T>(m * n);
    Scratch<T> tau = scratch_of<T>(k);
    for (std::int64_t b = 0; b < batch_size(a.shape); ++b) {
      const T* from = a.data<T>() + b * m * n;
      T* q_to = q.mutable_data<T>() + b * m * k;
      T* r_to = r.mutable_data<T>() + b * k * n;
      if (k == 0) continue;
      if (!all_finite(from, m * n)) {
        fill_with_nan(q_to, m * k);
        fill_with_nan(r_to, k * n);
        continue;
      }
      std::copy(from, from + m * n, work.data());
      lapack::gelqf(n, m, work.data(), tau.data());
      for (std::int64_t i = 0; i < k; ++i) {
        std::fill(r_to + i * n, r_to + i * n + i, T{0});
        std::copy(work.data() + i * n + i, work.data() + (i + 1) * n, r_to + i * n + i);
      }
      lapack::orglq(k, m, work.data(), n, tau.data());
      for (std::int64_t i = 0; i < m; ++i) std::copy_n(work.data() + i * n, k, q_to + i * k);
      make_diagonal_positive(m, n, k, q_to, r_to);
    }
  });
}

}  // namespace xtgrad::v1::detail
