#include "xtgrad/autograd/kernels/lapack.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <type_traits>

// In this order: LAPACK's wrappers use what BLAS's define.
#include <xtensor-blas/xblas_config.hpp>

#include <xflens/cxxblas/cxxblas.cxx>

#include <xflens/cxxlapack/netlib/netlib.h>

#include <xflens/cxxlapack/interface/gelqf.h>
#include <xflens/cxxlapack/interface/gesdd.h>
#include <xflens/cxxlapack/interface/getrf.h>
#include <xflens/cxxlapack/interface/getri.h>
#include <xflens/cxxlapack/interface/orglq.h>
#include <xflens/cxxlapack/interface/potrf.h>
#include <xflens/cxxlapack/interface/syevd.h>
#include <xflens/cxxlapack/interface/gelqf.tcc>
#include <xflens/cxxlapack/interface/gesdd.tcc>
#include <xflens/cxxlapack/interface/getrf.tcc>
#include <xflens/cxxlapack/interface/getri.tcc>
#include <xflens/cxxlapack/interface/orglq.tcc>
#include <xflens/cxxlapack/interface/potrf.tcc>
#include <xflens/cxxlapack/interface/syevd.tcc>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/blas_turn.h"
#include "xtgrad/autograd/kernels/matrix_batch.h"

namespace xtgrad::inline v1::detail::lapack {
namespace {

using Count = std::int32_t;

Count count(std::int64_t size) { return static_cast<Count>(size); }
/// Of a matrix without rows, which LAPACK refuses to have 0 elements from column to column.
Count stride(std::int64_t rows) { return std::max<Count>(count(rows), 1); }

/// Calls a routine twice: it says first what scratch it wants, as a floating number.
template <class T, class F>
auto with_scratch(F&& routine) {
  T wanted = 0;
  routine(&wanted, Count{-1});
  // A float rounds what is above 2^24, down perhaps: LAPACK 3.12 rounds up by itself, earlier ones do not.
  const auto size = static_cast<Count>(std::ceil(wanted * (1 + std::numeric_limits<T>::epsilon())));
  Scratch<T> scratch(static_cast<std::size_t>(std::max<Count>(size, 1)));
  return routine(scratch.data(), static_cast<Count>(scratch.size()));
}

}  // namespace

void check_countable(std::string_view function, std::initializer_list<std::int64_t> sizes) {
  constexpr std::int64_t largest = std::numeric_limits<Count>::max();
  for (const std::int64_t size : sizes) {
    if (size <= largest) continue;
    throw ShapeError(
        fmt::format("{}: a size is more than LAPACK counts: it is {}, at most {}", function, size, largest));
  }
}

template <class T>
std::int64_t potrf(char triangle, std::int64_t n, T* a) {
  const BlasTurn turn;
  return cxxlapack::potrf<Count>(triangle, count(n), a, stride(n));
}

template <class T>
std::int64_t getrf(std::int64_t m, std::int64_t n, T* a, std::int32_t* pivots) {
  const BlasTurn turn;
  return cxxlapack::getrf<Count>(count(m), count(n), a, stride(m), pivots);
}

template <class T>
void getri(std::int64_t n, T* lu, const std::int32_t* pivots) {
  const BlasTurn turn;
  with_scratch<T>([&](T* work, Count size) {
    return cxxlapack::getri<Count>(count(n), lu, stride(n), pivots, work, size);
  });
}

template <class T>
void gelqf(std::int64_t m, std::int64_t n, T* a, T* tau) {
  const BlasTurn turn;
  with_scratch<T>([&](T* work, Count size) {
    return cxxlapack::gelqf<Count>(count(m), count(n), a, stride(m), tau, work, size);
  });
}

template <class T>
void orglq(std::int64_t k, std::int64_t n, T* a, std::int64_t ld, const T* tau) {
  const BlasTurn turn;
  with_scratch<T>([&](T* work, Count size) {
    return cxxlapack::orglq<Count>(count(k), count(n), count(k), a, stride(ld), tau, work, size);
  });
}

template <class T>
std::int64_t syevd(char job, std::int64_t n, T* a, T* w) {
  const BlasTurn turn;
  const bool vectors = job == 'V';
  Scratch<Count> integers(static_cast<std::size_t>(vectors ? 3 + 5 * n : 1));
  return with_scratch<T>([&](T* work, Count size) {
    Count wanted = 0;
    return cxxlapack::syevd<Count>(job, 'U', count(n), a, stride(n), w, work, size,
                                   size < 0 ? &wanted : integers.data(),
                                   size < 0 ? Count{-1} : static_cast<Count>(integers.size()));
  });
}

template <class T>
std::int64_t gesdd(char job, std::int64_t m, std::int64_t n, T* a, T* s, T* u, T* vt) {
  const BlasTurn turn;
  const std::int64_t k = std::min(m, n);
  Scratch<Count> integers(static_cast<std::size_t>(8 * k));
  return with_scratch<T>([&](T* work, Count size) {
    return cxxlapack::gesdd<Count>(job, count(m), count(n), a, stride(m), s, u, stride(m), vt, stride(k),
                                   work, size, integers.data());
  });
}

template <class T>
void trsm(const Triangle& triangle, std::int64_t n, std::int64_t k, const T* a, T* b) {
  const BlasTurn turn;
  const auto order = CblasRowMajor;
  const auto upper = triangle.upper ? CblasUpper : CblasLower;
  const auto transpose = triangle.transpose ? CblasTrans : CblasNoTrans;
  const auto diagonal = triangle.unit_diagonal ? CblasUnit : CblasNonUnit;
  if constexpr (std::is_same_v<T, float>) {
    cblas_strsm(order, CblasLeft, upper, transpose, diagonal, count(n), count(k), 1, a, stride(n), b,
                stride(k));
  } else {
    cblas_dtrsm(order, CblasLeft, upper, transpose, diagonal, count(n), count(k), 1, a, stride(n), b,
                stride(k));
  }
}

template std::int64_t potrf(char, std::int64_t, float*);
template std::int64_t potrf(char, std::int64_t, double*);
template std::int64_t getrf(std::int64_t, std::int64_t, float*, std::int32_t*);
template std::int64_t getrf(std::int64_t, std::int64_t, double*, std::int32_t*);
template void getri(std::int64_t, float*, const std::int32_t*);
template void getri(std::int64_t, double*, const std::int32_t*);
template void gelqf(std::int64_t, std::int64_t, float*, float*);
template void gelqf(std::int64_t, std::int64_t, double*, double*);
template void orglq(std::int64_t, std::int64_t, float*, std::int64_t, const float*);
template void orglq(std::int64_t, std::int64_t, double*, std::int64_t, const double*);
template std::int64_t syevd(char, std::int64_t, float*, float*);
template std::int64_t syevd(char, std::int64_t, double*, double*);
template std::int64_t gesdd(char, std::int64_t, std::int64_t, float*, float*, float*, float*);
template std::int64_t gesdd(char, std::int64_t, std::int64_t, double*, double*, double*, double*);
template void trsm(const Triangle&, std::int64_t, std::int64_t, const float*, float*);
template void trsm(const Triangle&, std::int64_t, std::int64_t, const double*, double*);

}  // namespace xtgrad::v1::detail::lapack
