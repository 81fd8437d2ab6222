#include "xtgrad/autograd/sweep/reached_leaves.h"

#include <algorithm>
#include <functional>

#include "xtgrad/autograd/core/visit.h"
#include "xtgrad/autograd/sweep/node_queue.h"
#include "xtgrad/autograd/sweep/node_ref.h"

namespace xtgrad::inline v1::detail {

// It delegates so that the stores are let go again if the rest throws: the destructor then runs.
ReachedLeaves::ReachedLeaves(const Tensor& root) : ReachedLeaves() {
  walk(root);
  std::sort(stores_.begin(), stores_.end(), std::less<>());
}

ReachedLeaves::~ReachedLeaves() {
  for (GradientStore* store : stores_) store->release();
}

void ReachedLeaves::walk(const Tensor& root) {
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
      const LeafState* state = node->leaf_state();
      if (state == nullptr || !node->requires_grad()) continue;
      stores_.push_back(state->gradient);
      state->gradient->acquire();
      continue;
    }
    const Visit visit(*node, false);
    if (!visit.entered()) continue;
    for (const Slot& slot : node->slots()) {
      if (slot.wants_gradient()) add(node_of(*slot.node()));
    }
  }
}

bool ReachedLeaves::contains(const GradientStore* store) const {
  return std::binary_search(stores_.begin(), stores_.end(), store, std::less<>());
}

}  // namespace xtgrad::v1::detail
