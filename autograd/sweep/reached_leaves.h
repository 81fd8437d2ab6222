#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "xtgrad/autograd/core/leaf_state.h"

namespace xtgrad::inline v1::detail {

/// Where a sweep from a tensor, if it were made now, would store gradients: the stores of all leaves that it
/// would come to. Found without recursion, in time linear in the graph; what another sweep frees meanwhile is
/// left out.
class ReachedLeaves {
 public:
  explicit ReachedLeaves(const Tensor& root);
  ~ReachedLeaves();
  ReachedLeaves(const ReachedLeaves&) = delete;
  ReachedLeaves& operator=(const ReachedLeaves&) = delete;

  [[nodiscard]] bool contains(const GradientStore* store) const;

 private:
  ReachedLeaves() = default;
  // In order of their addresses; held, so that no other gets one of them.
  std::vector<GradientStore*> stores_;
};

/// Whether a sweep from the tensor would come to a leaf that wants a gradient, and that is none of these.
bool reaches_another_leaf(const Tensor& root, std::span<const Tensor> leaves);

}  // namespace xtgrad::v1::detail
