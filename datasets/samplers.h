#pragma once

#include <cstdint>
#include <optional>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/datasets/sampler.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

struct WeightedSamplerOptions {
  std::optional<std::int64_t> draws = std::nullopt;  ///< samples an epoch; as many as there are, if absent
  bool replacement = true;                           ///< a sample may come several times in an epoch
};
/// Draws sample i with a probability proportional to weights[i]. `weights` are [n], of any dtype of numbers,
/// finite and not negative; a sample of weight 0 never comes. Without replacement each draw is one among the
/// samples that are left. Throws ShapeError or DtypeError for other weights; ValueError for a weight out of
/// range, for draws where all weights are 0, and without replacement for more draws than there are samples
/// of positive weight.
///
///   datasets::Loader loader(train, {.sampler = datasets::weighted_sampler(
///                                       datasets::class_balancing_weights(train.labels()))});
[[nodiscard]] Sampler weighted_sampler(const Tensor& weights, const WeightedSamplerOptions& options = {});

/// For each sample one over the number of samples of its class: with them `weighted_sampler` draws all
/// classes equally often. int64 or int32 labels [n], not negative, to float64 [n]. Throws ShapeError,
/// DtypeError or ValueError for others.
[[nodiscard]] Tensor class_balancing_weights(const Tensor& labels);

struct StratifiedSamplerOptions {
  /// Each batch has as many samples of each class that there is, in place of the data's proportions: the
  /// samples of small classes come several times in an epoch, not all of large ones once.
  bool balanced = false;
  /// Samples an epoch; as many as there are, if absent. Others than that only if `balanced`.
  std::optional<std::int64_t> draws = std::nullopt;
};
/// Batches that have of each class its share, rounded up or down: a class that is a tenth of the data has 3
/// or 4 samples in a batch of 32. Samples are shuffled within their classes and within a batch. In
/// proportion, every sample comes once an epoch; `balanced`, a class comes again, in another order, when all
/// of its samples have been there. int64 or int32 labels [n], not negative. Throws ShapeError, DtypeError or
/// ValueError for others, and for options that do not go together.
///
///   datasets::Loader loader(train, {.sampler = datasets::stratified_sampler(train.labels())});
[[nodiscard]] Sampler stratified_sampler(const Tensor& labels, const StratifiedSamplerOptions& options = {});

}}}  // namespace xtgrad::v1::datasets
