#include "xtgrad/nn/neighbor_search.h"

#include <algorithm>
#include <limits>

namespace xtgrad::inline v1::nn::detail {

// Higham, "Accuracy and stability of numerical algorithms" (2002), section 3.1: in whatever order a scalar
// product of n terms is summed, fused or not, its error is at most n u / (1 - n u) |x| |q|; n u |x| |q| does
// for any n (Jeannerod and Rump, "Improved error bounds for inner products", 2013). The norms, and the plain
// loop itself, are sums in double of n + 1 roundings each; eight times that covers both, and the roundings of
// the bounds.
ProductError::ProductError(std::int64_t features, double unit, double smallest) {
  const auto n = static_cast<double>(features);
  product = 2 * n * unit / std::max(1 - n * unit, 0.5);
  norms = 8 * (n + 8) * std::numeric_limits<double>::epsilon();
  constant = 8 * n * smallest;
}

NeighborSearch::NeighborSearch(std::int64_t k)
    : k_(static_cast<std::size_t>(k)), limit_(std::numeric_limits<double>::infinity()) {}

bool NeighborSearch::add(std::int64_t index, double lower, double upper) {
  constexpr std::size_t least = 2048;  // candidates, so that sorting them costs little beside their sums
  candidates_.push_back({lower, index, false});
  if (uppers_.size() < k_) {
    uppers_.push_back(upper);
    std::push_heap(uppers_.begin(), uppers_.end());
  } else if (upper < uppers_.front()) {
    std::pop_heap(uppers_.begin(), uppers_.end());
    uppers_.back() = upper;
    std::push_heap(uppers_.begin(), uppers_.end());
  }
  if (uppers_.size() == k_) limit_ = std::min(limit_, uppers_.front());
  if (candidates_.size() < k_ + least) return false;
  drop_far_ones();
  return candidates_.size() >= k_ + least / 2;
}

void NeighborSearch::drop_far_ones() {
  std::erase_if(candidates_, [this](const Candidate& candidate) { return candidate.distance > limit_; });
}

void NeighborSearch::keep_nearest() {
  const auto nearer = [](const Candidate& a, const Candidate& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.index < b.index;
  };
  const std::size_t kept = std::min(k_, candidates_.size());
  std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(kept),
                    candidates_.end(), nearer);
  candidates_.resize(kept);
  if (kept == k_) limit_ = std::min(limit_, candidates_.back().distance);
}

}  // namespace xtgrad::v1::nn::detail
