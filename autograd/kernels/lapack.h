#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace xtgrad::inline v1::detail::lapack {

// The one door to LAPACK, for T float or double. Matrices are LAPACK's, column-major and without gaps: what
// is row-major here is its transpose there, and kernels choose the routine whose transpose is what they want,
// so that nothing is copied to be turned around. Sizes have passed `check_countable`. Every call takes its
// turn (blas_turn.h), so that other threads get theirs between two matrices of a batch, and brings its own
// scratch. Where it is said that one returns a number, it is LAPACK's `info`.

/// Throws ShapeError, in the function's name, unless LAPACK's integers hold the sizes.
void check_countable(std::string_view function, std::initializer_list<std::int64_t> sizes);

/// Cholesky's factor of a [n, n] over the triangle 'U' or 'L' that is read; k if the leading minor of order k
/// is not positive.
template <class T>
std::int64_t potrf(char triangle, std::int64_t n, T* a);

/// P L U of a [m, n], over it; k if the pivot number k is 0.
template <class T>
std::int64_t getrf(std::int64_t m, std::int64_t n, T* a, std::int32_t* pivots);
/// The inverse over what getrf gave.
template <class T>
void getri(std::int64_t n, T* lu, const std::int32_t* pivots);

/// L Q of a [m, n], over it, as reflections with factors tau [min(m, n)].
template <class T>
void gelqf(std::int64_t m, std::int64_t n, T* a, T* tau);
/// The k rows of Q [k, n], over the reflections that lie in `a` with `ld` elements from column to column.
template <class T>
void orglq(std::int64_t k, std::int64_t n, T* a, std::int64_t ld, const T* tau);

/// Eigenvalues w [n], ascending, and with job 'V' vectors over a [n, n], of which the triangle 'U' is read;
/// above 0 where they were not found.
template <class T>
std::int64_t syevd(char job, std::int64_t n, T* a, T* w);

/// Singular values s [k], k = min(m, n), descending, and with job 'S' u [m, k] and vt [k, n], of a [m, n],
/// which is overwritten; above 0 where they were not found.
template <class T>
std::int64_t gesdd(char job, std::int64_t m, std::int64_t n, T* a, T* s, T* u, T* vt);

/// What a triangular matrix is, as it lies row-major.
struct Triangle {
  bool upper = false;
  bool transpose = false;      // it is used transposed
  bool unit_diagonal = false;  // the diagonal counts as ones, and is not read
};
/// x [n, k] over b, where T(a) x = b; a and b are row-major, unlike all others here. A 0 on the diagonal is
/// divided by.
template <class T>
void trsm(const Triangle& triangle, std::int64_t n, std::int64_t k, const T* a, T* b);

}  // namespace xtgrad::v1::detail::lapack
