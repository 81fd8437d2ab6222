#include "xtgrad/autograd/kernels/svd.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/lapack.h"
#include "xtgrad/autograd/kernels/matrix_batch.h"

namespace xtgrad::inline v1::detail {
namespace {

/// The sign that makes the largest component of u's columns positive, the first of those at a tie.
template <class T>
void make_largest_positive(std::int64_t m, std::int64_t n, std::int64_t k, T* u, T* vh) {
  for (std::int64_t j = 0; j < k; ++j) {
    std::int64_t largest = 0;
    for (std::int64_t i = 1; i < m; ++i) {
      if (std::abs(u[i * k + j]) > std::abs(u[largest * k + j])) largest = i;
    }
    if (u[largest * k + j] >= 0) continue;
    for (std::int64_t i = 0; i < m; ++i) u[i * k + j] = -u[i * k + j];
    for (std::int64_t i = 0; i < n; ++i) vh[j * n + i] = -vh[j * n + i];
  }
}

}  // namespace

// Column-major, there lies a' = (vh') diag(s) (u'): what gesdd calls u is vh, and u what it calls the other.
void svd(std::string_view function, const Array& a, Array* u, Array& s, Array* vh) {
  const std::int64_t m = a.shape[a.shape.rank() - 2];
  const std::int64_t n = a.shape.back();
  const std::int64_t k = std::min(m, n);
  lapack::check_countable(function, {m, n});
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    Scratch<T> work = scratch_of<T>(m * n);
    Scratch<T> unused = scratch_of<T>(u == nullptr ? 1 : 0);
    for (std::int64_t i = 0; i < batch_size(a.shape); ++i) {
      const T* from = a.data<T>() + i * m * n;
      T* values = s.mutable_data<T>() + i * k;
      T* left = u == nullptr ? unused.data() : u->mutable_data<T>() + i * m * k;
      T* right = u == nullptr ? unused.data() : vh->mutable_data<T>() + i * k * n;
      if (k == 0) continue;
      if (!all_finite(from, m * n)) {
        fill_with_nan(values, k);
        if (u != nullptr) fill_with_nan(left, m * k);
        if (u != nullptr) fill_with_nan(right, k * n);
        continue;
      }
      std::copy(from, from + m * n, work.data());
      if (lapack::gesdd(u == nullptr ? 'N' : 'S', n, m, work.data(), values, right, left) != 0) {
        throw ConvergenceError(
            fmt::format("{}: the singular values of {} were not found", function, matrix_name(a.shape, i)));
      }
      if (u != nullptr) make_largest_positive(m, n, k, left, right);
    }
  });
}

}  // namespace xtgrad::v1::detail
