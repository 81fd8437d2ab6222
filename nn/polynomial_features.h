#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// All monomials of degree 1 to `degree` in the columns of x [n, features], which a linear layer makes a
/// polynomial of: [n, (features + degree)! / (features! degree!) - 1], ordered by degree, and within a degree
/// by their factors. No column of ones: a layer has a bias. Made of products, so it has derivatives of every
/// order.
///
///   Tensor p = nn::polynomial_features(tensor({{2, 3}}), 2);  // {{2, 3, 4, 6, 9}}: a, b, aa, ab, bb
///
/// Throws ShapeError unless x is a matrix, DtypeError unless it is floating, ValueError for a degree below 1
/// or more than a million columns.
[[nodiscard]] Tensor polynomial_features(const Tensor& x, std::int64_t degree);

}}}  // namespace xtgrad::v1::nn
