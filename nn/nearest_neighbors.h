#pragma once

#include <cstdint>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/options.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// The nearest samples of each query, the nearest first; of samples at the same distance the one with the
/// lower index is nearer.
struct Neighbors {
  Tensor indices;    ///< int64 [queries, k]: the samples' rows
  Tensor distances;  ///< float64 [queries, k]: Euclidean
};

/// Classifies by the samples that lie nearest (Cover and Hart, "Nearest neighbor pattern classification",
/// 1967). There is nothing to train: it keeps the samples, or handles on them.
///
///   nn::NearestNeighbors classifier(images, labels);              // uint8 or floating [n, ...], int64 [n]
///   Tensor predicted = classifier.predict(queries, 5);            // int64 [queries]
///   nn::Neighbors nearest = classifier.neighbors(queries, 15);    // once, and then a vote for each k
///   for (std::int64_t k : {1, 5, 15}) predicted = classifier.vote(nearest, k);
///
/// Rows may be anything: pixels, or what any module or function makes of them, such as a net's hidden layer,
/// computed in evaluation mode, since they are read as they are:
///
///   nn::Sequential model{nn::Sequential{nn::Linear{16, 64}, nn::ReLU{}}, nn::Linear{64, 10}};
///   nn::NearestNeighbors by_features(model[0](flatten(images, 1)), labels);  // once it is trained
///
/// Distances are those of the plain loop in double, to the bit, sqrt(sum over i of (x_i - q_i)^2), one term
/// after the other, each rounded before it is added; and so are neighbours and ties: a matrix product for
/// each block only picks candidates, by a bound on its rounding errors. Memory beside the samples is bounded:
/// a block of products for a block of queries, and k and some thousand candidates for each of these, of which
/// there are the fewer at a time the larger k is.
///
/// As in that loop a square below 1e-323 is 0: samples of float64 that are nearer to a query than some 1e-154
/// lose digits of their distances, and below 1e-162 they are at the distance 0. Those of float32 never are.
class NearestNeighbors {
 public:
  /// Samples [n, ...] of float32, float64 or uint8 with labels int64 or int32 [n]. Throws ShapeError for no
  /// samples or other shapes, DtypeError for other dtypes, ValueError for a label that is negative or an
  /// element that is not finite.
  NearestNeighbors(const Tensor& samples, const Tensor& labels);

  /// Throws ShapeError or DtypeError for queries [m, ...] whose rows are not as the samples', ValueError for
  /// k outside [1, n], for an element that is not finite, and for one of the k nearest whose squared distance
  /// is not, of float64 beyond 1e154: which of such is nearer cannot be told. There may be no queries.
  [[nodiscard]] Neighbors neighbors(const Tensor& queries, std::int64_t k) const;

  /// The label that most of the k nearest have, int64 [m]; of labels that equally many have, the one whose
  /// nearest member is nearest. Throws as `neighbors`.
  [[nodiscard]] Tensor predict(const Tensor& queries, std::int64_t k = 1) const;
  /// The same among the first k of neighbours that were found already. Throws ValueError for k outside
  /// [1, their number] and for an index that is no sample's.
  [[nodiscard]] Tensor vote(const Neighbors& nearest, std::int64_t k) const;

  /// How many samples there are.
  [[nodiscard]] std::int64_t size() const { return labels_.size(0); }

 private:
  Tensor samples_;  // [n, features]
  Tensor labels_;
  Shape sample_shape_;
  // Of each sample, in double.
  std::vector<double> squared_norms_;
  std::vector<double> norms_;
};

}}}  // namespace xtgrad::v1::nn
