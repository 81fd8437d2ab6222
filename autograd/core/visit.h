#pragma once

#include <cstdint>

#include "xtgrad/autograd/core/node.h"

namespace xtgrad::inline v1::detail {

// Sweeps of several threads may meet at a node. Each enters before it looks at the slots, and leaves after
// its rule. One that will free the slots claims the node as it enters, and from then on no other gets in;
// those that are in already, to read, finish what they do, and the last to leave frees. So nobody waits for
// anybody.
//
// Visitors keep the slots, not the node: whoever enters holds a reference of its own besides. One that
// somebody else may come by too, as an edge of a node at which several are, is not enough: `enter` takes the
// only reference for the proof that nobody else is near.

/// False, and nothing has changed, if the node is claimed, or has more visitors than can be counted.
inline bool enter(Node& node, bool claim) noexcept {
  const auto added = static_cast<std::uint16_t>(Node::one_visitor + (claim ? Node::claimed_flag : 0));
  constexpr std::uint16_t full = 63 * Node::one_visitor;
  // A node to which nobody else has a reference needs no atomic instruction either: along a chain that is
  // every one that a sweep comes to which frees. Only parts are found without a reference; see core/parts.h.
  // The count comes first: flags from before the last other one left may lack its claim.
  const bool is_single_threaded = RefCount::single_threaded();
  const bool is_only = is_single_threaded || node.refs.load() == 1;
  std::uint16_t flags = node.flags.load(std::memory_order_relaxed);
  if (is_single_threaded || (is_only && (flags & Node::parts_flag) == 0)) {
    if ((flags & Node::claimed_flag) != 0 || flags >= full) return false;
    node.flags.store(static_cast<std::uint16_t>(flags + added), std::memory_order_relaxed);
    return true;
  }
  do {
    if ((flags & Node::claimed_flag) != 0 || flags >= full) return false;
  } while (!node.flags.compare_exchange_weak(flags, static_cast<std::uint16_t>(flags + added),
                                             std::memory_order_acq_rel, std::memory_order_relaxed));
  return true;
}

/// For a visitor that reads: claims the node after all, for a sweep to given inputs. False if another one
/// has.
inline bool claim(Node& node) noexcept {
  constexpr std::uint16_t both = Node::claimed_flag | Node::to_inputs_flag;
  if (RefCount::single_threaded()) {
    if (node.has(Node::claimed_flag)) return false;
    node.flags.store(static_cast<std::uint16_t>(node.flags.load(std::memory_order_relaxed) | both),
                     std::memory_order_relaxed);
    return true;
  }
  std::uint16_t flags = node.flags.load(std::memory_order_relaxed);
  do {
    if ((flags & Node::claimed_flag) != 0) return false;
  } while (!node.flags.compare_exchange_weak(flags, static_cast<std::uint16_t>(flags | both),
                                             std::memory_order_acq_rel, std::memory_order_relaxed));
  return true;
}

/// For the one that claimed it, if nothing has been taken.
inline void unclaim(Node& node) noexcept {
  node.flags.fetch_and(static_cast<std::uint16_t>(~(Node::claimed_flag | Node::to_inputs_flag)),
                       std::memory_order_acq_rel);
}

/// For the one that claimed it: true if no other visitor is left, and so none will come.
inline bool is_alone(const Node& node) noexcept {
  return node.flags.load(std::memory_order_acquire) / Node::one_visitor == 1;
}

/// Takes a visitor's leave.
inline void leave(Node& node) noexcept {
  std::uint16_t flags = node.flags.load(std::memory_order_acquire);
  do {
    if ((flags & Node::claimed_flag) != 0 && flags / Node::one_visitor == 1) {
      free_graph_of(node);
      return;
    }
    if (RefCount::single_threaded()) {
      node.flags.store(static_cast<std::uint16_t>(flags - Node::one_visitor), std::memory_order_relaxed);
      return;
    }
  } while (!node.flags.compare_exchange_weak(flags, static_cast<std::uint16_t>(flags - Node::one_visitor),
                                             std::memory_order_acq_rel, std::memory_order_acquire));
}

/// A stay at a node for the length of a scope. If it claimed the node and was not told that the node is
/// spent, the claim is given up at the end: a rule that fails leaves the node as it was.
class Visit {
 public:
  /// `entered` says whether the node let this sweep in.
  Visit(Node& node, bool claims) : node_(node), claims_(claims), entered_(enter(node, claims)) {}
  ~Visit() {
    if (!entered_) return;
    if (claims_) unclaim(node_);
    leave(node_);
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  [[nodiscard]] bool entered() const { return entered_; }
  /// Claims the node after all; false if another visitor has.
  [[nodiscard]] bool claim() { return claims_ = detail::claim(node_); }
  /// From here on the node's contents may be taken, if this visitor claimed it.
  void spend() { claims_ = false; }

 private:
  Node& node_;
  bool claims_;
  bool entered_;
};

}  // namespace xtgrad::v1::detail
