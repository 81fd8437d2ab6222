// Diagonals and triangles of matrices.
#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct DiagonalOptions {
  std::int64_t offset = 0;  ///< 0 the main diagonal, positive ones above it, negative ones below
  std::int64_t axis1 = -2;  ///< along which the rows are
  std::int64_t axis2 = -1;  ///< along which the columns are
};
/// A diagonal of each matrix, as the last axis of a result without the matrices' own two; empty past the
/// corners. The matrices lie along the last two axes unless the options say otherwise.
[[nodiscard]] Tensor diagonal(const Tensor& x, const DiagonalOptions& options = {});
/// Square matrices that have the last axis of x as a diagonal, and 0 elsewhere, along two new axes of the
/// result. diagonal with the same options gives x back.
[[nodiscard]] Tensor diag_embed(const Tensor& x, const DiagonalOptions& options = {});
/// Of a vector the matrix with it as a diagonal, of a matrix that diagonal: diag_embed or diagonal.
[[nodiscard]] Tensor diag(const Tensor& x, std::int64_t offset = 0);
/// The sum of a diagonal of each matrix.
[[nodiscard]] Tensor trace(const Tensor& x, const DiagonalOptions& options = {});

/// The lower triangle of each matrix, along the last two axes, up to the diagonal of that offset; 0 above it.
[[nodiscard]] Tensor tril(const Tensor& x, std::int64_t offset = 0);
/// The upper triangle of each matrix, along the last two axes, from the diagonal of that offset on; 0 below.
[[nodiscard]] Tensor triu(const Tensor& x, std::int64_t offset = 0);

}}  // namespace xtgrad::v1
