// Linear algebra: equations, decompositions and functions of matrices.
#pragma once

#include <cstdint>
#include <optional>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Matrices are the last two dimensions, all others are a batch of them, which may be empty, as a matrix may.
// What one is refused for names it: "cholesky: the matrix [3] of the batch is not positive definite: leading
// minor of order 2". A matrix with a NaN or an infinity has NaN all over in its results, unless a line says
// otherwise. All take float32 and float64; docs/operations/linear_algebra.md has the formulas.

struct SolveTriangularOptions {
  bool upper = false;          ///< read the upper triangle of a; else the lower one
  bool transpose = false;      ///< solve with a transposed
  bool unit_diagonal = false;  ///< take the diagonal for ones; it is not read
};
/// x of a x = b for a triangular a [..., n, n] and b [..., n, k], or b [n]; of a one triangle is read.
/// Leading dimensions broadcast. Throws ConvergenceError for a 0 on the diagonal.
[[nodiscard]] Tensor solve_triangular(const Tensor& a, const Tensor& b,
                                      const SolveTriangularOptions& options = {});

/// The lower triangular l with a positive diagonal and l l' = a, for a symmetric positive definite a; a
/// function of (a + a')/2, so the gradient is symmetric. Throws ValueError for another matrix.
[[nodiscard]] Tensor cholesky(const Tensor& a);
/// x of a x = b for a = l l', l from `cholesky` and b [..., n, k], or b [n]; leading dimensions broadcast.
[[nodiscard]] Tensor cholesky_solve(const Tensor& l, const Tensor& b);

/// x of a x = b for a square a and b [..., n, k], or b [n], by an LU decomposition, which derivatives use
/// again. Leading dimensions broadcast. Throws ConvergenceError for a singular matrix.
[[nodiscard]] Tensor solve(const Tensor& a, const Tensor& b);
/// The inverse matrix; `solve` is faster and more exact than a product with it. Throws ConvergenceError for a
/// singular matrix.
[[nodiscard]] Tensor inverse(const Tensor& a);
/// The determinant; 1 of an empty matrix. First and second derivatives are exact where it is 0, too.
[[nodiscard]] Tensor det(const Tensor& a);
struct Slogdet {
  Tensor sign;    ///< 1, -1, or 0 of a singular matrix
  Tensor logabs;  ///< log |det a|; -inf of a singular matrix
};
/// Sign and logarithm of the determinant, which itself may leave the range; the gradient at a singular matrix
/// is NaN.
[[nodiscard]] Slogdet slogdet(const Tensor& a);
struct Lu {
  Tensor p;  ///< [..., m, m], a permutation
  Tensor l;  ///< [..., m, k], lower triangular with ones on the diagonal; k = min(m, n)
  Tensor u;  ///< [..., k, n], upper triangular
};
/// a = p l u for a [..., m, n], with the largest pivot of each column. The gradient needs the first k columns
/// of p'a to have an inverse.
[[nodiscard]] Lu lu(const Tensor& a);

struct Qr {
  Tensor q;  ///< [..., m, k], orthonormal columns; k = min(m, n)
  Tensor r;  ///< [..., k, n], upper triangular, its diagonal not negative
};
/// a = q r for a [..., m, n]. The gradient needs the first k columns of a to be independent.
[[nodiscard]] Qr qr(const Tensor& a);

struct Eigh {
  Tensor values;   ///< [..., n], ascending
  Tensor vectors;  ///< [..., n, n], in columns; the largest component of each is positive
};
/// Eigenvalues and vectors of a symmetric a, a function of (a + a')/2. Where eigenvalues are equal, first
/// derivatives are right for losses that treat their vectors alike, and second ones are NaN. Throws
/// ValueError for an asymmetry.
[[nodiscard]] Eigh eigh(const Tensor& a);
/// The eigenvalues alone, as of `eigh`.
[[nodiscard]] Tensor eigvalsh(const Tensor& a);

struct Svd {
  Tensor u;   ///< [..., m, k], orthonormal columns, the largest component of each positive; k = min(m, n)
  Tensor s;   ///< [..., k], descending
  Tensor vh;  ///< [..., k, n], orthonormal rows
};
/// a = u diag(s) vh for a [..., m, n]. Derivatives where singular values are equal, or 0 in a matrix that is
/// not square, are as those of `eigh`.
[[nodiscard]] Svd svd(const Tensor& a);
/// The singular values alone, as of `svd`.
[[nodiscard]] Tensor svdvals(const Tensor& a);
struct PinvOptions {
  /// Singular values up to this share of the largest count as 0; max(m, n) epsilons of the dtype if absent.
  std::optional<double> rcond = std::nullopt;
};
/// The pseudo-inverse [..., n, m] of a [..., m, n]. Derivatives are those at constant rank.
[[nodiscard]] Tensor pinv(const Tensor& a, const PinvOptions& options = {});
/// The x of least norm among those for which each column of a x - b has the least norm, for a [..., m, n] and
/// b [..., m, k], or b [m]; derivatives and `rcond` as of `pinv`.
[[nodiscard]] Tensor lstsq(const Tensor& a, const Tensor& b, const PinvOptions& options = {});

enum class MatrixNorm {
  frobenius,  ///< the root of the sum of squares
  nuclear,    ///< the sum of the singular values
  spectral,   ///< the largest singular value, the 2-norm
  one,        ///< the largest sum of sizes of a column
  infinity    ///< the largest sum of sizes of a row
};
/// A norm of each matrix; 0 of an empty one. Its gradient at a zero matrix is 0 for the Frobenius norm.
[[nodiscard]] Tensor matrix_norm(const Tensor& a, MatrixNorm norm = MatrixNorm::frobenius);

/// The product of n matrices a, the identity for n = 0, of -n inverses below.
[[nodiscard]] Tensor matrix_power(const Tensor& a, std::int64_t n);
/// The exponential of a square matrix, the sum of a^k / k!.
[[nodiscard]] Tensor matrix_exp(const Tensor& a);

}}  // namespace xtgrad::v1
