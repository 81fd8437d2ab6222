#pragma once

#include <cstdint>

#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail {

/// A block of attention's scores: products of queries, one a row, and keys, one a column.
template <class T>
struct ScoreBlock {
  T* scores = nullptr;  // row i begins at i * stride
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t stride = 0;  // columns rounded up to whole 64 bytes, which all may be written
  T scale = 1;
  /// Of one kind at most: false where a column is hidden, or what is added. Element (i, j) lies at
  /// i * mask_row + j * mask_column; the latter is 0 or 1.
  const bool* allowed = nullptr;
  const T* added = nullptr;
  std::int64_t mask_row = 0;
  std::int64_t mask_column = 0;
  /// Row i sees the columns before i + visible, as far as there are any.
  std::int64_t visible = 0;
};

/// A softmax that sees its row piece by piece: the largest score so far, and the sum of exp(score - largest).
struct RunningSoftmax {
  double* largest = nullptr;  // one each a row; -inf where there is none yet
  double* sum = nullptr;
};

XTGRAD_KERNELS_BEGIN

/// scores = exp(scaled and masked score - largest), with the largest ones and sums brought up to date.
/// `results` [rows, width], which were summed with what was the largest before, are brought to the new one;
/// those of rows that had none are left as they are.
void add_to_softmax_float32(const ScoreBlock<float>& block, const RunningSoftmax& state, float* results,
                            std::int64_t width);
void add_to_softmax_float64(const ScoreBlock<double>& block, const RunningSoftmax& state, double* results,
                            std::int64_t width);

/// scores = p = exp(scaled and masked score - largest) / sum, of a softmax that has seen its rows; and
/// slopes = p (slopes - mean) scale, in which `slopes`, which lie as the scores, are the cotangents of p and
/// `means` [rows] their sums weighted with p. Null where they are not wanted. What is hidden has 0.
void softmax_slopes_float32(const ScoreBlock<float>& block, const RunningSoftmax& state, float* slopes,
                            const double* means);
void softmax_slopes_float64(const ScoreBlock<double>& block, const RunningSoftmax& state, double* slopes,
                            const double* means);

XTGRAD_KERNELS_END
XTGRAD_KERNEL(add_to_softmax_float32)
XTGRAD_KERNEL(add_to_softmax_float64)
XTGRAD_KERNEL(softmax_slopes_float32)
XTGRAD_KERNEL(softmax_slopes_float64)

}  // namespace xtgrad::v1::detail
