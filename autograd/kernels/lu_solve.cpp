#include "xtgrad/autograd/kernels/lu_solve.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {
namespace {

using Doubles = std::vector<double, PoolAllocator<double>>;

/// The matrix [rows of equations | right side], row-major.
template <class T>
Doubles equations(const Array& columns, const Array& b, std::size_t n) {
  const T* from = columns.data<T>();
  const T* right = b.data<T>();
  Doubles a(n * (n + 1));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) a[i * (n + 1) + j] = static_cast<double>(from[j * n + i]);
    a[i * (n + 1) + n] = static_cast<double>(right[i]);
  }
  return a;
}

double largest_in_column(const Doubles& a, std::size_t n, std::size_t j) {
  double largest = 0;
  for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(a[i * (n + 1) + j]));
  return largest;
}

/// Makes everything below the diagonal of column k zero.
void eliminate(Doubles& a, std::size_t n, std::size_t k) {
  const double* top = &a[k * (n + 1)];
  for (std::size_t i = k + 1; i < n; ++i) {
    double* row = &a[i * (n + 1)];
    const double factor = row[k] / top[k];
    for (std::size_t j = k; j <= n; ++j) row[j] -= factor * top[j];
  }
}

template <class T>
std::optional<SingularColumn> solve(const Array& columns, const Array& b, Array& x) {
  const auto n = static_cast<std::size_t>(b.numel());
  const std::size_t width = n + 1;
  Doubles a = equations<T>(columns, b, n);
  Doubles sizes(n);
  for (std::size_t j = 0; j < n; ++j) sizes[j] = largest_in_column(a, n, j);
  const double roundings = static_cast<double>(n) * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t best = k;
    for (std::size_t i = k + 1; i < n; ++i) {
      if (std::abs(a[i * width + k]) > std::abs(a[best * width + k])) best = i;
    }
    const double pivot = a[best * width + k];
    // NaN compares false and goes on: what made it is for others to name.
    if (std::abs(pivot) <= roundings * sizes[k])
      return SingularColumn{static_cast<std::int64_t>(k), pivot, sizes[k]};
    if (best != k) std::swap_ranges(&a[k * width], &a[k * width] + width, &a[best * width]);
    eliminate(a, n, k);
  }
  T* to = x.mutable_data<T>();
  for (std::size_t k = n; k-- > 0;) {
    double sum = a[k * width + n];
    for (std::size_t j = k + 1; j < n; ++j) sum -= a[k * width + j] * a[j * width + n];
    a[k * width + n] = sum / a[k * width + k];
    to[k] = static_cast<T>(a[k * width + n]);
  }
  return std::nullopt;
}

}  // namespace

std::optional<SingularColumn> lu_solve(const Array& columns, const Array& b, Array& x) {
  return visit_floating(b.dtype, [&](auto zero) { return solve<decltype(zero)>(columns, b, x); });
}

}  // namespace xtgrad::v1::detail
