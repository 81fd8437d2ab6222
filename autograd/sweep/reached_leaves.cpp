#include "xtgrad/autograd/sweep/reached_leaves.h"

#include <algorithm>
#include <functional>

#include "xtgrad/autograd/core/visit.h"
#include "xtgrad/autograd/sweep/node_queue.h"
#include "xtgrad/autograd/sweep/node_ref.h"

namespace xtgrad::inline v1::detail {

namespace {

/// Calls f(Node&) for each leaf that a sweep from the tensor would come to.
template <class F>
void for_each_leaf(const Tensor& root, const F& f) {
  NodeQueue<NodeRef> waiting;
  const auto add = [&](Node& node) {
    if (waiting.find(node) != nullptr) return;
    node.refs.increment();
    waiting.insert(node, NodeRef(&node));
  };
  add(node_of(root));
  while (!waiting.empty()) {
    const auto [node, reference] = waiting.pop();
    if (!node->recorded()) {
      if (node->requires_grad()) f(*node);
      continue;
    }
    const Visit visit(*node, false);
    if (!visit.entered()) continue;
    for (const Slot& slot : node->slots()) {
      if (slot.wants_gradient()) add(node_of(*slot.node()));
    }
  }
}

}  // namespace

// It delegates so that the stores are let go again if the rest throws: the destructor then runs.
ReachedLeaves::ReachedLeaves(const Tensor& root) : ReachedLeaves() {
  for_each_leaf(root, [this](Node& leaf) {
    const LeafState* state = leaf.leaf_state();
    if (state == nullptr) return;
    stores_.push_back(state->gradient);
    state->gradient->acquire();
  });
  std::sort(stores_.begin(), stores_.end(), std::less<>());
}

ReachedLeaves::~ReachedLeaves() {
  for (GradientStore* store : stores_) store->release();
}

bool ReachedLeaves::contains(const GradientStore* store) const {
  return std::binary_search(stores_.begin(), stores_.end(), store, std::less<>());
}

bool reaches_another_leaf(const Tensor& root, std::span<const Tensor> leaves) {
  bool reaches = false;
  for_each_leaf(root, [&](const Node& node) {
    reaches = reaches ||
              std::none_of(leaves.begin(), leaves.end(), [&](const Tensor& l) { return l.node() == &node; });
  });
  return reaches;
}

}  // namespace xtgrad::v1::detail
