#pragma once

#include <string_view>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

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

}  // namespace xtgrad::v1::detail
