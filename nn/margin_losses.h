#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/reduction.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

// Losses that ask for a margin, and are content once it is there: max(0, margin - what there is), whose
// derivative at 0 is 0. Each throws ValueError for a margin that is not finite or an option out of range, and
// ShapeError or DtypeError where shapes or dtypes do not fit.

struct HingeLossOptions {
  double margin = 1;   ///< by which the target's score should exceed each other
  int p = 1;           ///< 1, or 2 for squared terms
  Tensor weight = {};  ///< [classes], a factor for items of each class; ones if empty
  Reduction reduction = Reduction::mean;
};

/// The support vector machine's loss for several classes: for scores x [classes] or [n, classes] and the
/// classes y, int64 or int32 [] or [n], item i is w[y_i] / classes times the sum over j != y_i of
/// max(0, x_j - x[y_i] + margin)^p. The mean divides by the number of items. (Crammer and Singer, 2001, in
/// the form of Weston and Watkins, 1999.)
///
///   Tensor loss = nn::hinge_loss(model(x), labels);
[[nodiscard]] Tensor hinge_loss(const Tensor& scores, const Tensor& target,
                                const HingeLossOptions& options = {});

struct HingeEmbeddingLossOptions {
  double margin = 1;
  Reduction reduction = Reduction::mean;
};

/// Of distances x: x itself where the target is 1 (alike), max(0, margin - x) where it is -1. The target has
/// the distances' shape and their dtype, or int64. Throws ValueError for other targets.
[[nodiscard]] Tensor hinge_embedding_loss(const Tensor& distances, const Tensor& target,
                                          const HingeEmbeddingLossOptions& options = {});

struct MarginRankingLossOptions {
  double margin = 0;
  Reduction reduction = Reduction::mean;
};

/// max(0, -y (first - second) + margin): the first should be ranked higher where the target y is 1, the
/// second where it is -1. All have one shape; the target the scores' dtype, or int64. Throws ValueError for
/// other targets.
[[nodiscard]] Tensor margin_ranking_loss(const Tensor& first, const Tensor& second, const Tensor& target,
                                         const MarginRankingLossOptions& options = {});

struct TripletMarginLossOptions {
  double margin = 1;
  double p = 2;       ///< of the norm, at least 1; infinity for the largest difference
  double eps = 1e-6;  ///< added to each difference
  bool swap = false;  ///< take the distance from the positive to the negative where it is the smaller
  Reduction reduction = Reduction::mean;
};

/// max(0, d(anchor, positive) - d(anchor, negative) + margin) with the pairwise_distance d along the last
/// dimension. All three have one shape. Swapping is of Balntas and others, "Learning local feature
/// descriptors with triplets", 2016.
///
///   Tensor loss = nn::triplet_margin_loss(model(a), model(like_a), model(unlike_a), {.margin = 0.5});
[[nodiscard]] Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                                         const TripletMarginLossOptions& options = {});

struct CosineEmbeddingLossOptions {
  double margin = 0;  ///< cosine that two unlike vectors may have; in [-1, 1]
  Reduction reduction = Reduction::mean;
};

/// With c the cosine_similarity of two vectors: 1 - c where the target is 1 (alike), max(0, c - margin) where
/// it is -1. Vectors are [features] or [n, features]; the target is [] or [n], of their dtype, or int64.
/// Throws ValueError for other targets.
[[nodiscard]] Tensor cosine_embedding_loss(const Tensor& first, const Tensor& second, const Tensor& target,
                                           const CosineEmbeddingLossOptions& options = {});

}}}  // namespace xtgrad::v1::nn
