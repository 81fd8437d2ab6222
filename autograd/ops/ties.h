#pragma once

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

// Where eigenvalues are equal, every basis of their space is one of eigenvectors, and which one comes out is
// chance: the vectors have no derivative, but what does not depend on the choice has one. A rule leaves out
// what the vectors of equal values would have to say of each other, which is 0 then. That is right to first
// order alone. Singular values are the same, and where vectors are more than values, a value of 0 is equal to
// those that have no place in the list.

/// Values that rounding does not tell apart count as equal: those that are `size` epsilons of the largest
/// apart. A bool
/// [..., n, n] of w [..., n], false on the diagonal.
Tensor tied_pairs(const Tensor& w, std::int64_t size);

/// 1 / (w_j - w_i) in row i and column j of w [..., n]; 0 for those tied, 1 on the diagonal.
Tensor inverse_gaps(const Tensor& w, const Tensor& tied);

/// 1 / (w_j^2 - w_i^2) likewise, but 0 on the diagonal.
Tensor inverse_square_gaps(const Tensor& w, const Tensor& tied);

/// 1 / w, but 0 for those that are tied with 0.
Tensor inverse_values(const Tensor& w, std::int64_t size);

/// x [..., m, n] with vectors in its columns, for the use of rules: derivatives in those of tied values are
/// NaN. `zero` says that 0 is one of the values that they may be tied with.
Tensor guarded_vectors(const Tensor& x, const Tensor& w, std::int64_t size, bool zero = false);

}  // namespace xtgrad::v1::detail
