#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace xtgrad::inline v1::nn::detail {

/// A sample, and what is known of its squared distance to the query.
struct Candidate {
  double distance;  ///< squared: a lower bound, or the plain loop's sum once that is known
  std::int64_t index;
  bool is_summed;
};

/// How far the squared distance by a matrix product, |x|^2 + |q|^2 - 2 x.q, can lie from the plain loop's.
struct ProductError {
  /// For products of `features` terms in arithmetic with unit roundoff `unit` and least normal number
  /// `smallest`.
  ProductError(std::int64_t features, double unit, double smallest);

  double product;   ///< times |x| |q|
  double norms;     ///< times |x|^2 + |q|^2
  double constant;  ///< what underflow may lose
};

/// The k nearest samples of one query, among samples that come in any order: first with bounds on their
/// distances, and only where these do not decide, with the sums.
class NeighborSearch {
 public:
  explicit NeighborSearch(std::int64_t k);

  /// A sample with a squared distance above this is none of the k nearest.
  [[nodiscard]] double limit() const { return limit_; }
  /// Takes note of a sample whose squared distance lies within [lower, upper]. True if there are so many by
  /// now that `settle` must be called.
  [[nodiscard]] bool add(std::int64_t index, double lower, double upper);
  /// Sums the distances of all samples that are still in question by `sum(index)`, and keeps the k nearest.
  template <class Sum>
  void settle(Sum sum) {
    drop_far_ones();
    for (Candidate& candidate : candidates_) {
      if (!candidate.is_summed) candidate = {sum(candidate.index), candidate.index, true};
    }
    keep_nearest();
  }
  /// In order, after `settle`.
  [[nodiscard]] std::span<const Candidate> nearest() const { return candidates_; }

 private:
  void drop_far_ones();
  void keep_nearest();

  std::size_t k_;
  double limit_;
  std::vector<double> uppers_;  // a heap of the k smallest upper bounds
  std::vector<Candidate> candidates_;
};

}  // namespace xtgrad::v1::nn::detail
