#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "xtgrad/autograd/sweep/node_table.h"

namespace xtgrad::inline v1::detail {

/// Nodes in waiting, each with a value: the largest id comes first, and of equal ids, which two threads may
/// give, the one that came first. Ids grow from inputs to outputs, so when a node comes, none of its
/// consumers is still waiting.
template <class T>
class NodeQueue {
 public:
  struct Entry {
    Node* node = nullptr;
    T value{};
  };

  [[nodiscard]] bool empty() const { return lone_.node == nullptr && heap_.empty(); }

  [[nodiscard]] T* find(const Node& node) {
    if (lone_.node == nullptr) return table_.find(node);
    return lone_.node == &node ? &lone_.value : nullptr;
  }

  /// True if it holds for any node in waiting and its value.
  template <class Predicate>
  [[nodiscard]] bool any_of(Predicate holds) {
    if (lone_.node != nullptr) return holds(*lone_.node, lone_.value);
    return std::any_of(heap_.begin(), heap_.end(),
                       [&](const Item& item) { return holds(*item.node, *table_.find(*item.node)); });
  }

  /// Adds a node that is not waiting yet; throws std::bad_alloc, and then nothing has changed.
  void insert(Node& node, T&& value) {
    if (!empty()) {
      insert_beside_others(node, std::move(value));
      return;
    }
    lone_.node = &node;
    lone_.value = std::move(value);
  }

  Entry pop() noexcept {
    if (lone_.node != nullptr) return {std::exchange(lone_.node, nullptr), std::move(lone_.value)};
    std::pop_heap(heap_.begin(), heap_.end(), comes_later);
    Node* node = heap_.back().node;
    heap_.pop_back();
    return {node, table_.take(*node)};
  }

  /// Whichever takes the least work. What is left is in order.
  Entry pop_any() noexcept {
    if (lone_.node != nullptr) return {std::exchange(lone_.node, nullptr), std::move(lone_.value)};
    Node* node = heap_.back().node;
    heap_.pop_back();
    return {node, table_.take(*node)};
  }

 private:
  struct Item {
    std::uint64_t id;
    std::uint64_t arrival;
    Node* node;
  };
  static bool comes_later(const Item& a, const Item& b) {
    return a.id != b.id ? a.id < b.id : a.arrival > b.arrival;
  }

  [[gnu::noinline]] void insert_beside_others(Node& node, T&& value) {
    const std::size_t more = lone_.node == nullptr ? 1 : 2;
    table_.reserve(more);
    if (heap_.size() + more > heap_.capacity())
      heap_.reserve(std::max<std::size_t>(16, heap_.capacity() * 2));
    if (lone_.node != nullptr) push(*std::exchange(lone_.node, nullptr), std::move(lone_.value));
    push(node, std::move(value));
  }

  void push(Node& node, T&& value) noexcept {
    table_.insert(node, std::move(value));
    heap_.push_back({node.id, arrivals_++, &node});
    std::push_heap(heap_.begin(), heap_.end(), comes_later);
  }

  Entry lone_;  // a node that waits alone stays out of heap and table: along a chain that is every one
  std::vector<Item, PoolAllocator<Item>> heap_;
  NodeTable<T> table_;
  std::uint64_t arrivals_ = 0;
};

}  // namespace xtgrad::v1::detail
