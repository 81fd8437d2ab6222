#include "xtgrad/autograd/kernels/lu.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/lapack.h"
#include "xtgrad/autograd/kernels/matrix_batch.h"

namespace xtgrad::inline v1::detail {

// Everything here is of the transpose a' = P L U, as lu.h says. Row-major, `lu` then holds U'
// below and on the diagonal and L', whose diagonal is ones, above it; P takes rows of a' in turn, which are
// columns of a.

namespace {

[[noreturn]] void throw_singular(std::string_view function, const Shape& shape, std::int64_t index,
                                 std::int64_t pivot) {
  throw ConvergenceError(fmt::format("{}: {} is singular: pivot {} of its LU decomposition is 0", function,
                                     matrix_name(shape, index), pivot));
}

/// Swaps rows of x [n, k] as the pivots say, first to last or last to first.
template <class T>
void swap_rows(const std::int32_t* pivots, bool backwards, std::int64_t n, std::int64_t k, T* x) {
  for (std::int64_t step = 0; step < n; ++step) {
    const std::int64_t i = backwards ? n - 1 - step : step;
    const std::int64_t other = pivots[i] - 1;
    if (other != i) std::swap_ranges(x + i * k, x + (i + 1) * k, x + other * k);
  }
}

/// `lu` over a copy of matrix `index`, and LAPACK's info: the first zero pivot, counted from 1.
template <class T>
std::int64_t factor(const Array& a, std::int64_t index, T* lu, std::int32_t* pivots) {
  const std::int64_t n = a.shape.back();
  const T* from = a.data<T>() + index * n * n;
  std::copy(from, from + n * n, lu);
  return n == 0 ? 0 : lapack::getrf(n, n, lu, pivots);
}

/// Calls body(i, lu, pivots, info) for each matrix, decomposed; info is -1, and the rest undefined, for one
/// that is not finite.
template <class T, class F>
void for_each_factored(const Array& a, F&& body) {
  const std::int64_t n = a.shape.back();
  Scratch<T> lu = scratch_of<T>(n * n);
  Scratch<std::int32_t> pivots = scratch_of<std::int32_t>(n);
  for (std::int64_t i = 0; i < batch_size(a.shape); ++i) {
    if (!all_finite(a.data<T>() + i * n * n, n * n)) {
      body(i, static_cast<const T*>(lu.data()), pivots.data(), std::int64_t{-1});
    } else {
      const std::int64_t info = factor(a, i, lu.data(), pivots.data());
      body(i, static_cast<const T*>(lu.data()), pivots.data(), info);
    }
  }
}

/// A product as mantissa and exponent, so that no part of it leaves the range.
struct WideProduct {
  double mantissa = 1;
  std::int64_t exponent = 0;

  void times(double x) {
    int shift = 0;
    mantissa = std::frexp(mantissa * x, &shift);
    exponent += shift;
  }
  [[nodiscard]] double value() const {
    return std::ldexp(mantissa, static_cast<int>(std::clamp<std::int64_t>(exponent, -10000, 10000)));
  }
};

double sign_of_swaps(const std::int32_t* pivots, std::int64_t n) {
  double sign = 1;
  for (std::int64_t i = 0; i < n; ++i) {
    if (pivots[i] - 1 != i) sign = -sign;
  }
  return sign;
}

}  // namespace

void lu_factor(std::string_view function, const Array& a, Array& lu, Array& pivots) {
  const std::int64_t n = a.shape.back();
  lapack::check_countable(function, {n});
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    T* to = lu.mutable_data<T>();
    std::int32_t* swaps = pivots.mutable_data<std::int32_t>();
    for (std::int64_t i = 0; i < batch_size(a.shape); ++i, to += n * n, swaps += n) {
      if (!all_finite(a.data<T>() + i * n * n, n * n)) {
        fill_with_nan(to, n * n);
        std::iota(swaps, swaps + n, 1);
      } else if (const std::int64_t info = factor(a, i, to, swaps); info != 0) {
        throw_singular(function, a.shape, i, info);
      }
    }
  });
}

namespace {

/// They may come from a file.
void check_pivots(const Array& pivots, std::int64_t n) {
  const std::int32_t* from = pivots.data<std::int32_t>();
  for (std::int64_t i = 0; i < pivots.numel(); ++i) {
    if (from[i] >= 1 && from[i] <= n) continue;
    throw ValueError(fmt::format("solve: a pivot must be from 1 to {}: got {}", n, from[i]));
  }
}

}  // namespace

void lu_solve_factored(const Array& lu, const Array& pivots, bool transpose, Array& x) {
  const std::int64_t n = lu.shape.back();
  const std::int64_t k = x.shape.back();
  lapack::check_countable("solve", {n, k});
  check_pivots(pivots, n);
  if (x.numel() == 0) return;
  visit_floating(lu.dtype, [&](auto zero) {
    using T = decltype(zero);
    const lapack::Triangle u{.upper = false, .transpose = transpose};
    const lapack::Triangle l{.upper = true, .transpose = transpose, .unit_diagonal = true};
    T* to = x.mutable_data<T>();
    for (const std::int64_t i : broadcast_matrices(x.shape, lu.shape)) {
      const T* from = lu.data<T>() + i * n * n;
      const std::int32_t* swaps = pivots.data<std::int32_t>() + i * n;
      if (transpose) {  // P L U x = b
        swap_rows(swaps, false, n, k, to);
        lapack::trsm(l, n, k, from, to);
        lapack::trsm(u, n, k, from, to);
      } else {  // U' L' P' x = b
        lapack::trsm(u, n, k, from, to);
        lapack::trsm(l, n, k, from, to);
        swap_rows(swaps, true, n, k, to);
      }
      to += n * k;
    }
  });
}

void inverse(const Array& a, bool allow_singular, Array& y) {
  const std::int64_t n = a.shape.back();
  lapack::check_countable("inverse", {n});
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    Scratch<std::int32_t> pivots = scratch_of<std::int32_t>(n);
    T* to = y.mutable_data<T>();
    for (std::int64_t i = 0; i < batch_size(a.shape); ++i, to += n * n) {
      if (n == 0) continue;
      const bool finite = all_finite(a.data<T>() + i * n * n, n * n);
      const std::int64_t info = finite ? factor(a, i, to, pivots.data()) : 0;
      if (info != 0 && !allow_singular) throw_singular("inverse", a.shape, i, info);
      if (finite && info == 0) {
        lapack::getri(n, to, pivots.data());  // (a')^-1, column-major
      } else {
        fill_with_nan(to, n * n);
      }
    }
  });
}

void determinant(const Array& a, Array& det) {
  const std::int64_t n = a.shape.back();
  lapack::check_countable("det", {n});
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    T* to = det.mutable_data<T>();
    for_each_factored<T>(a, [&](std::int64_t i, const T* lu, const std::int32_t* pivots, std::int64_t info) {
      if (info < 0) return fill_with_nan(to + i, 1);
      WideProduct product{.mantissa = sign_of_swaps(pivots, n)};
      for (std::int64_t d = 0; d < n; ++d) product.times(static_cast<double>(lu[d * n + d]));
      to[i] = static_cast<T>(product.value());
    });
  });
}

void sign_and_log_of_determinant(const Array& a, Array& sign, Array& log) {
  const std::int64_t n = a.shape.back();
  lapack::check_countable("slogdet", {n});
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    T* signs = sign.mutable_data<T>();
    T* logs = log.mutable_data<T>();
    for_each_factored<T>(a, [&](std::int64_t i, const T* lu, const std::int32_t* pivots, std::int64_t info) {
      if (info < 0) {
        fill_with_nan(signs + i, 1);
        return fill_with_nan(logs + i, 1);
      }
      double positive = sign_of_swaps(pivots, n);
      double sum = 0;
      for (std::int64_t d = 0; d < n; ++d) {
        const auto pivot = static_cast<double>(lu[d * n + d]);
        if (pivot < 0) positive = -positive;
        sum += std::log(std::abs(pivot));
      }
      signs[i] = static_cast<T>(info != 0 ? 0 : positive);
      logs[i] = static_cast<T>(info != 0 ? -std::numeric_limits<double>::infinity() : sum);
    });
  });
}

namespace {

/// The permutation matrix p [m, m] for which p l u has the rows that the pivots swapped back in place.
template <class T>
void write_permutation(const std::int32_t* pivots, std::int64_t m, std::int64_t k, T* p) {
  Scratch<std::int64_t> rows = scratch_of<std::int64_t>(m);
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  for (std::int64_t i = 0; i < k; ++i)
    std::swap(rows[static_cast<std::size_t>(i)], rows[static_cast<std::size_t>(pivots[i] - 1)]);
  std::fill(p, p + m * m, T{0});
  for (std::int64_t i = 0; i < m; ++i) p[rows[static_cast<std::size_t>(i)] * m + i] = 1;
}

}  // namespace

// This one is of the matrix itself, which is turned around for it: whose rows take part is part of the
// result.
void lu_parts(const Array& a, Array& p, Array& l, Array& u) {
  const std::int64_t m = a.shape[a.shape.rank() - 2];
  const std::int64_t n = a.shape.back();
  const std::int64_t k = std::min(m, n);
  lapack::check_countable("lu", {m, n});
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    Scratch<T> columns = scratch_of<T>(m * n);
    Scratch<std::int32_t> pivots = scratch_of<std::int32_t>(k);
    for (std::int64_t b = 0; b < batch_size(a.shape); ++b) {
      const T* from = a.data<T>() + b * m * n;
      T* lower = l.mutable_data<T>() + b * m * k;
      T* upper = u.mutable_data<T>() + b * k * n;
      const bool finite = all_finite(from, m * n);
      transpose_into(m, n, from, columns.data());
      std::iota(pivots.begin(), pivots.end(), 1);
      if (k > 0 && finite) lapack::getrf(m, n, columns.data(), pivots.data());
      write_permutation(pivots.data(), m, k, p.mutable_data<T>() + b * m * m);
      if (!finite) {
        fill_with_nan(lower, m * k);
        fill_with_nan(upper, k * n);
        continue;
      }
      const auto at = [&](std::int64_t i, std::int64_t j) {
        return columns[static_cast<std::size_t>(j * m + i)];
      };
      for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < k; ++j) lower[i * k + j] = i > j ? at(i, j) : i == j ? T{1} : T{0};
      }
      for (std::int64_t i = 0; i < k; ++i) {
        for (std::int64_t j = 0; j < n; ++j) upper[i * n + j] = i <= j ? at(i, j) : T{0};
      }
    }
  });
}

}  // namespace xtgrad::v1::detail
