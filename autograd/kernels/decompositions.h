#pragma once

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/kernels/lapack.h"

namespace xtgrad::inline v1::detail {

// Equations and decompositions of each matrix of a batch, float32 or float64, by LAPACK. Shapes have been
// checked. What a matrix is refused for is thrown in its function's name, and names the matrix; results of
// those before it may have been written by then. A matrix with a NaN or an infinity has NaN all over in its
// results, for LAPACK says something else of those in each version.

/// x over T(a) x = b, where x is b already, and the leading dimensions of `a` broadcast to its own. Throws
/// ConvergenceError for a 0 on the diagonal.
void solve_triangular(const lapack::Triangle& triangle, const Array& a, Array& x);

/// Lower triangular l with l l' = (a + a')/2. Throws ValueError for a matrix that is not symmetric but for
/// rounding, or not positive definite.
void cholesky(const Array& a, Array& l);

// LU decompositions of row-major matrices are those of their transposes, a' = P L U, which lie column-major
// where the matrices were, with LAPACK's pivots, int32 [..., n]. So nothing is turned around on the way.

/// Decomposes each matrix. Throws ConvergenceError, in the function's name, for a singular one.
void lu_factor(std::string_view function, const Array& a, Array& lu, Array& pivots);
/// x over a x = b, or a' x = b, where x is b already.
void lu_solve_factored(const Array& lu, const Array& pivots, bool transpose, Array& x);
/// The inverse. That of a singular matrix is NaN all over if `allow_singular`, else as in lu_factor.
void inverse(const Array& a, bool allow_singular, Array& y);
/// The determinant.
void determinant(const Array& a, Array& det);
/// Its sign and the logarithm of its size.
void sign_and_log_of_determinant(const Array& a, Array& sign, Array& log);
/// a = p l u with a permutation matrix p [m, m], l [m, k] and u [k, n], k = min(m, n).
void lu_parts(const Array& a, Array& p, Array& l, Array& u);

/// The matrix of cofactors, the derivative of the determinant, by singular values: exact to rounding also
/// where the matrix is singular.
void cofactors(const Array& a, Array& c);
/// The derivative of the matrix of cofactors of `a` along `h`, likewise.
void cofactors_along(const Array& a, const Array& h, Array& c);

/// a = q r with q [m, k] and r [k, n], whose diagonal is not negative.
void qr(const Array& a, Array& q, Array& r);

/// Eigenvalues of (a + a')/2, ascending, and as columns the vectors, unless `vectors` is null. Throws as
/// cholesky for an asymmetry.
void eigh(std::string_view function, const Array& a, Array& values, Array* vectors);

/// a = u diag(s) vh, s descending; u and vh may both be null.
void svd(std::string_view function, const Array& a, Array* u, Array& s, Array* vh);

/// The pseudo-inverse [..., n, m], in which singular values up to `rcond` times the largest count as 0.
void pseudo_inverse(const Array& a, double rcond, Array& y);

/// The exponential of each matrix.
void matrix_exp(const Array& a, Array& y);

}  // namespace xtgrad::v1::detail
