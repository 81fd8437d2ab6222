#pragma once

#include <memory>
#include <utility>

#include "xtgrad/autograd/sweep/accumulate.h"
#include "xtgrad/autograd/sweep/lookup_sum.h"
#include "xtgrad/autograd/sweep/node_queue.h"
#include "xtgrad/autograd/sweep/node_ref.h"
#include "xtgrad/autograd/sweep/node_table.h"

namespace xtgrad::inline v1::detail {

/// The to-do list of a sweep that goes without a plan: recorded nodes that have received a cotangent and wait
/// until all their consumers are done, and nodes whose gradient is to be stored at the end. Everything is
/// kept here and nothing in the nodes, so nested sweeps, and sweeps of two threads, do not meet.
class PendingCotangents {
 public:
  struct Entry {
    NodeRef node;
    Tensor cotangent;
  };

  PendingCotangents() = default;
  PendingCotangents(const PendingCotangents&) = delete;
  PendingCotangents& operator=(const PendingCotangents&) = delete;
  ~PendingCotangents() {
    while (!waiting_.empty()) pop();
    while (!complete_.empty()) pop_complete();
  }

  [[nodiscard]] bool empty() const { return waiting_.empty(); }

  /// What a node has got so far; null before the first.
  [[nodiscard]] Tensor* find(const Node& node) {
    Tensor* sum = peek(node);
    if (sum != nullptr && !sum->defined()) [[unlikely]]
      make_whole(node, *sum);
    return sum;
  }
  /// The same, but an empty handle where nothing but lookups has come to a leaf.
  [[nodiscard]] Tensor* peek(const Node& node) { return (node.recorded() ? waiting_ : complete_).find(node); }

  /// Adds a contribution to a node's cotangent, in place where nothing records and nobody else sees it. True
  /// if it is the node's first: the list then owns one of the node's references, which the caller gives it.
  [[nodiscard]] bool add(Node& node, Tensor&& cotangent) {
    const std::uint16_t flags = node.flags.load(std::memory_order_relaxed);
    flags_of_any_ |= flags;
    // A leaf has no rule to run, and in a heap of waiting nodes many leaves would be in everybody's way.
    NodeQueue<Tensor>& queue = (flags & Node::recorded_flag) != 0 ? waiting_ : complete_;
    if (Tensor* sum = queue.find(node)) {
      add_to(*sum, node, std::move(cotangent));
      return false;
    }
    queue.insert(node, std::move(cotangent));
    return true;
  }

  /// The lookups in such a leaf.
  [[nodiscard]] const LookupSum& lookups(const Node& leaf) const { return *deferred_->find(leaf); }
  /// Keeps the gradient of a lookup for the end, unless something else comes to the leaf. True as `add`.
  [[nodiscard]] bool defer(Node& leaf, Lookup&& lookup);
  [[nodiscard]] bool any_deferred() const { return deferred_ != nullptr; }
  LookupSum take_lookups(const Node& leaf) noexcept { return deferred_->take(leaf); }

  /// The next node to pass.
  Entry pop() noexcept { return entry(waiting_.pop()); }

  /// Says that the gradient of a recorded node, complete by now, is to be stored as a leaf's is.
  void add_complete(Node& node, Tensor cotangent) {
    complete_.insert(node, std::move(cotangent));
    node.refs.increment();
  }
  [[nodiscard]] bool none_complete() const { return complete_.empty(); }
  /// True if it holds for any node whose gradient is to be stored, and that gradient.
  template <class Predicate>
  [[nodiscard]] bool any_complete(Predicate holds) {
    return complete_.any_of(holds);
  }
  /// True if functions hang on any node that has been in the list.
  [[nodiscard]] bool any_hooked() const { return (flags_of_any_ & Node::hooked_flag) != 0; }
  /// The next node whose gradient is to be stored; leaves' are complete when nothing waits any more.
  Entry pop_complete() noexcept { return entry(complete_.pop()); }
  /// Any of them, where the order does not matter.
  Entry pop_any_complete() noexcept { return entry(complete_.pop_any()); }

 private:
  /// Of leaves; their entries among the complete are empty handles.
  struct Deferred : NodeTable<LookupSum>, FromPool {};

  void make_whole(const Node& leaf, Tensor& sum);
  /// Apart: along a chain no node gets a second contribution, and the loop is shorter without this.
  void add_to(Tensor& sum, const Node& node, Tensor term);
  static Entry entry(NodeQueue<Tensor>::Entry&& entry) {
    return {NodeRef(entry.node), std::move(entry.value)};
  }

  unsigned flags_of_any_ = 0;
  NodeQueue<Tensor> waiting_;
  NodeQueue<Tensor> complete_;
  std::unique_ptr<Deferred> deferred_;
};

}  // namespace xtgrad::v1::detail
