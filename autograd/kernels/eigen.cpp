#include "xtgrad/autograd/kernels/eigen.h"

#include <fmt/format.h>

#include <cmath>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/lapack.h"
#include "xtgrad/autograd/kernels/matrix_batch.h"
#include "xtgrad/autograd/kernels/symmetric.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Rows [n, n], each with the sign that makes its largest component positive, the first of those at a tie.
template <class T>
void make_largest_positive(std::int64_t n, T* rows) {
  for (std::int64_t i = 0; i < n; ++i, rows += n) {
    std::int64_t largest = 0;
    for (std::int64_t j = 1; j < n; ++j) {
      if (std::abs(rows[j]) > std::abs(rows[largest])) largest = j;
    }
    if (rows[largest] >= 0) continue;
    for (std::int64_t j = 0; j < n; ++j) rows[j] = -rows[j];
  }
}

}  // namespace

void eigh(std::string_view function, const Array& a, Array& values, Array* vectors) {
  const std::int64_t n = a.shape.back();
  lapack::check_countable(function, {n});
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    Scratch<T> work = scratch_of<T>(n * n);
    for (std::int64_t i = 0; i < batch_size(a.shape); ++i) {
      T* w = values.mutable_data<T>() + i * n;
      T* v = vectors == nullptr ? nullptr : vectors->mutable_data<T>() + i * n * n;
      if (n == 0) continue;
      if (!symmetrized(function, a, i, work.data())) {
        fill_with_nan(w, n);
        if (v != nullptr) fill_with_nan(v, n * n);
        continue;
      }
      if (lapack::syevd(v == nullptr ? 'N' : 'V', n, work.data(), w) != 0) {
        throw ConvergenceError(
            fmt::format("{}: the eigenvalues of {} were not found", function, matrix_name(a.shape, i)));
      }
      if (v == nullptr) continue;
      make_largest_positive(n, work.data());  // columns lie as rows
      transpose_into(n, n, work.data(), v);
    }
  });
}

}  // namespace xtgrad::v1::detail
