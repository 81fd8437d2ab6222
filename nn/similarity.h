#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct CosineSimilarityOptions {
  std::int64_t axis = 1;  ///< along which the vectors lie; negative counts from the end
  double eps = 1e-8;      ///< least length that a vector counts as
};

/// Cosine of the angle between vectors along an axis, a . b / (max(|a|, eps) max(|b|, eps)), without that
/// axis. Both broadcast and have one dtype. A vector of zeros gives 0, and its length has the derivative 0.
/// Right also where products of elements would leave the dtype's range.
///
///   Tensor c = nn::cosine_similarity(randn({8, 16}), randn({1, 16}));  // [8]
///
/// Throws ValueError unless eps is positive and finite, ShapeError or DtypeError where the operands do not
/// fit.
[[nodiscard]] Tensor cosine_similarity(const Tensor& a, const Tensor& b,
                                       const CosineSimilarityOptions& options = {});

struct PairwiseDistanceOptions {
  double p = 2;          ///< of the p-norm; at least 1, infinity for the largest difference
  double eps = 1e-6;     ///< added to each difference, so that equal vectors are not at the norm's kink
  bool keepdim = false;  ///< keep the last dimension with size 1
};

/// The p-norm of a - b + eps along the last dimension, right wherever it is in the dtype's range. Both
/// broadcast and have one dtype. At a difference of zeros all derivatives are 0; where some are 0 and p is
/// below 2, the second ones are infinite. Of k infinite differences each has the gradient of k equal ones,
/// k^(1/p - 1) of its sign; finite ones beside them have 0 for p > 1. Throws ValueError for a p below 1 or an
/// eps out of range, ShapeError or DtypeError where the operands do not fit.
[[nodiscard]] Tensor pairwise_distance(const Tensor& a, const Tensor& b,
                                       const PairwiseDistanceOptions& options = {});

}}}  // namespace xtgrad::v1::nn
