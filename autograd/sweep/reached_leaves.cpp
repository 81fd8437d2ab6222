#include "xtgrad/autograd/sweep/reached_leaves.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "xtgrad/autograd/core/visit.h"
#include "xtgrad/autograd/sweep/node_queue.h"

namespace xtgrad::inline v1::detail {
namespace {

/// A reference on a node.
class NodeRef {
 public:
  NodeRef() = default;
  explicit NodeRef(Node& node) : node_(&node) { node.refs.increment(); }
  NodeRef(NodeRef&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  NodeRef& operator=(NodeRef&& other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~NodeRef() {
    if (node_ != nullptr) release_ref(*node_);
  }
  NodeRef(const NodeRef&) = delete;
  NodeRef& operator=(const NodeRef&) = delete;

 private:
  Node* node_ = nullptr;
};

}  // namespace

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
    if (waiting.find(node) == nullptr) waiting.insert(node, NodeRef(node));
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
