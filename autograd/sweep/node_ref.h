#pragma once

#include <utility>

#include "xtgrad/autograd/core/node.h"

namespace xtgrad::inline v1::detail {

/// One graph reference to a node, given back at the end.
class NodeRef {
 public:
  NodeRef() = default;
  explicit NodeRef(Node* owned) : node_(owned) {}
  NodeRef(NodeRef&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  NodeRef& operator=(NodeRef&& other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~NodeRef() {
    if (node_ != nullptr) release_ref(*node_);
  }

  [[nodiscard]] Node& operator*() const { return *node_; }
  [[nodiscard]] Node* operator->() const { return node_; }
  /// From here on it is the caller's to give back.
  [[nodiscard]] Node* release() { return std::exchange(node_, nullptr); }

 private:
  Node* node_ = nullptr;
};

}  // namespace xtgrad::v1::detail
