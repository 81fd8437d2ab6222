#include "xtgrad/autograd/kernels/symmetric.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/matrix_batch.h"

namespace xtgrad::inline v1::detail {
namespace {

struct Asymmetry {
  std::int64_t i = 0, j = 0;
  double size = 0;
};

template <class T>
Asymmetry largest_asymmetry(const T* x, std::int64_t n) {
  Asymmetry largest;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < i; ++j) {
      const double size = std::abs(static_cast<double>(x[i * n + j]) - static_cast<double>(x[j * n + i]));
      if (size > largest.size) largest = {i, j, size};
    }
  }
  return largest;
}

}  // namespace

template <class T>
bool symmetrized(std::string_view function, const Array& a, std::int64_t index, T* y) {
  const std::int64_t n = a.shape.back();
  const T* x = a.data<T>() + index * n * n;
  if (!all_finite(x, n * n)) return false;
  T largest = 0;
  T difference = 0;
  // By blocks, whose rows and columns stay in the cache together.
  constexpr std::int64_t block = 16;
  for (std::int64_t top = 0; top < n; top += block) {
    for (std::int64_t left = 0; left <= top; left += block) {
      for (std::int64_t i = top; i < std::min(top + block, n); ++i) {
        for (std::int64_t j = left; j <= std::min(left + block - 1, i); ++j) {
          const T low = x[i * n + j];
          const T high = x[j * n + i];
          largest = std::max(largest, std::abs(low));
          difference = std::max(difference, std::abs(low - high));
          y[i * n + j] = y[j * n + i] = low / 2 + high / 2;  // their sum may leave the range
        }
      }
    }
  }
  if (difference <= std::sqrt(std::numeric_limits<T>::epsilon()) * largest) return true;
  const Asymmetry at = largest_asymmetry(x, n);
  throw ValueError(fmt::format("{}: {} is not symmetric: element [{}, {}] is {}, [{}, {}] is {}", function,
                               matrix_name(a.shape, index), at.i, at.j, x[at.i * n + at.j], at.j, at.i,
                               x[at.j * n + at.i]));
}

template bool symmetrized(std::string_view, const Array&, std::int64_t, float*);
template bool symmetrized(std::string_view, const Array&, std::int64_t, double*);

}  // namespace xtgrad::v1::detail
