#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {

/// The sweep's to-do list: nodes that have received a cotangent and wait until all their consumers are done.
/// Ids grow from inputs to outputs, so the largest id is always ready. Everything is kept here and nothing in
/// the nodes, so that nested sweeps, and sweeps of two threads over shared leaves, do not meet.
class PendingCotangents {
 public:
  struct Entry {
    Node* node = nullptr;  // holds one graph reference
    Tensor cotangent;
  };

  PendingCotangents() = default;
  ~PendingCotangents();
  PendingCotangents(const PendingCotangents&) = delete;
  PendingCotangents& operator=(const PendingCotangents&) = delete;

  [[nodiscard]] bool empty() const { return only_.node == nullptr && heap_.empty(); }
  /// Adds a contribution to a node's cotangent, in place where nothing records and nobody else sees it. Takes
  /// over one of the node's graph references.
  void add(Node& node, Tensor cotangent);
  /// Takes the entry with the largest id; the caller gives the node's reference back.
  Entry pop();

 private:
  // Below this many entries a scan is faster than hashing; chains and most layers stay below.
  static constexpr std::size_t scan_limit = 12;

  struct HeapItem {
    std::uint64_t id;
    std::uint64_t
        order;  // of arrival: ids of two threads may be equal, and a run must not depend on addresses
    std::uint32_t entry;
  };
  static bool comes_later(const HeapItem& a, const HeapItem& b) {
    return a.id != b.id ? a.id < b.id : a.order > b.order;
  }

  Entry* find(const Node& node);
  void push(Entry entry);

  // An entry that is alone stays out of the heap: along a chain that is every one.
  Entry only_;

  template <class T>
  using Vector = std::vector<T, PoolAllocator<T>>;
  using Index = std::unordered_map<const Node*, std::uint32_t, std::hash<const Node*>, std::equal_to<>,
                                   PoolAllocator<std::pair<const Node* const, std::uint32_t>>>;

  Vector<HeapItem> heap_;
  Vector<Entry> entries_;
  Vector<std::uint32_t> free_entries_;
  Index index_;  // used above scan_limit alone
  bool indexed_ = false;
  std::uint64_t arrivals_ = 0;
};

/// `sum` with `term` added: in place if no other handle can see `sum`'s elements and nothing records.
Tensor accumulate(Tensor sum, const Tensor& term);

}  // namespace xtgrad::inline v1::detail
