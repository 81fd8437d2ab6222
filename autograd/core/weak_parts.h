#pragma once

#include <cstddef>
#include <vector>

#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/memory/pool_allocator.h"
#include "xtgrad/autograd/memory/process_locks.h"

namespace xtgrad::inline v1::detail {

/// The nodes of an operation's outputs, for its own rule, without a reference on them: they have one on the
/// operation. A rule that is recorded must use the caller's node of an output that it reads, while there is
/// one, or derivatives in that output would miss the rule's share.
///
/// Here alone a reference is taken by somebody who has none yet. So whoever lets go of what may be the last
/// one asks here, under the lock, whether it was.
class WeakParts {
 public:
  explicit WeakParts(std::size_t count) : nodes_(count) {}

  /// Before any other thread knows the node. Its value is kept as long as it lives, or until a sweep frees
  /// its graph.
  void set(std::size_t k, Node& node);
  /// Output k; an empty handle if its node is gone, or a sweep frees or has freed its graph.
  [[nodiscard]] Tensor find(std::size_t k);
  /// Its last reference was let go of, unless `find` got another one before: then false, and the node lives.
  bool forget(std::size_t k) noexcept;

 private:
  ForkedMutex mutex_;
  std::vector<Node*, PoolAllocator<Node*>> nodes_;  // null where there is none
};

}  // namespace xtgrad::v1::detail
