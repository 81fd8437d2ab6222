#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "xtgrad/autograd/sweep/node_table.h"

namespace xtgrad::inline v1::detail {

/// Nodes in waiting, each with a value: the largest id comes first, and of equal ids, which two threads may
/// give, the one that came first. Ids grow from inputs to outputs, so when a node comes, none of its
/// consumers is still waiting.
///
/// They stand in order, in a ring, where a node that comes goes to one of the first few places or to one of
/// the last: what a node hands on to comes soon, in most graphs, or, in a tree or a table of parts, after all
/// that wait already. So hundreds that wait to the end cost those that pass by nothing. What belongs between
/// is in a heap, its values in a table.
template <class T>
class NodeQueue {
 public:
  struct Entry {
    Node* node = nullptr;
    T value{};
  };

  NodeQueue() = default;
  NodeQueue(const NodeQueue&) = delete;
  NodeQueue& operator=(const NodeQueue&) = delete;
  ~NodeQueue() = default;

  [[nodiscard]] bool empty() const { return lone_.node == nullptr && count_ == 0 && heap_.empty(); }

  [[nodiscard]] T* find(const Node& node) {
    if (lone_.node != nullptr) return lone_.node == &node ? &lone_.value : nullptr;
    if (count_ <= few) {
      for (std::size_t i = 0; i < count_; ++i) {
        if (at(i).item.node == &node) return &at(i).value;
      }
    } else if (T* value = find_in_long_ring(node)) {
      return value;
    }
    return heap_.empty() ? nullptr : table_.find(node);
  }

  /// True if it holds for any node in waiting and its value.
  template <class Predicate>
  [[nodiscard]] bool any_of(Predicate holds) {
    if (lone_.node != nullptr) return holds(*lone_.node, lone_.value);
    for (std::size_t i = 0; i < count_; ++i) {
      if (holds(*at(i).item.node, at(i).value)) return true;
    }
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
    if (count_ != 0 && (heap_.empty() || comes_later(heap_.front(), at(0).item))) {
      Waiting& first = at(0);
      first_ = (first_ + 1) & mask_;
      --count_;
      return {first.item.node, std::move(first.value)};
    }
    std::pop_heap(heap_.begin(), heap_.end(), comes_later);
    return pop_last_of_heap();
  }

  /// Whichever takes the least work. What is left is in order.
  Entry pop_any() noexcept {
    if (lone_.node != nullptr) return {std::exchange(lone_.node, nullptr), std::move(lone_.value)};
    if (count_ == 0) return pop_last_of_heap();
    Waiting& last = at(--count_);
    return {last.item.node, std::move(last.value)};
  }

 private:
  struct Item {
    std::uint64_t id = 0;
    std::uint64_t arrival = 0;
    Node* node = nullptr;
  };
  struct Waiting {
    Item item;
    T value{};
  };
  /// Places at either end that are looked through one by one; of a ring of so many, all.
  static constexpr std::size_t few = 8;

  static bool comes_later(const Item& a, const Item& b) {
    return a.id != b.id ? a.id < b.id : a.arrival > b.arrival;
  }

  Waiting& at(std::size_t i) { return ring_[(first_ + i) & mask_]; }

  [[nodiscard]] T* find_in_long_ring(const Node& node) {
    const std::uint64_t id = node.id;
    if (id > at(0).item.id || id < at(count_ - 1).item.id) return nullptr;
    // The first place with no larger id: most that come are looked for near the end.
    std::size_t low = 0, high = count_ - 1;
    while (high > 0 && count_ - high < few && at(high - 1).item.id <= id) --high;
    if (high == 0 || at(high - 1).item.id > id) low = high;
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (at(middle).item.id > id) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    for (; low < count_ && at(low).item.id == id; ++low) {
      if (at(low).item.node == &node) return &at(low).value;
    }
    return nullptr;
  }

  Entry pop_last_of_heap() noexcept {
    Node* node = heap_.back().node;
    heap_.pop_back();
    return {node, table_.take(*node)};
  }

  [[gnu::noinline]] void insert_beside_others(Node& node, T&& value) {
    const std::size_t more = lone_.node == nullptr ? 1 : 2;
    if (count_ + more > mask_ + 1) grow();
    if (lone_.node != nullptr) {
      ring_[first_] = {{lone_.node->id, arrivals_++, lone_.node}, std::move(lone_.value)};
      lone_.node = nullptr;
      count_ = 1;
    }
    push(node, std::move(value));
  }

  void push(Node& node, T&& value) {
    const Item item{node.id, arrivals_, &node};
    std::size_t behind = 0;  // that come later
    while (behind < count_ && at(count_ - 1 - behind).item.id < item.id) {
      if (++behind > few) break;
    }
    if (behind <= few) {
      for (std::size_t i = count_; i > count_ - behind; --i) at(i) = std::move(at(i - 1));
      at(count_ - behind) = {item, std::move(value)};
      ++count_;
    } else {
      std::size_t before = 0;
      while (before <= few && at(before).item.id >= item.id) ++before;
      if (before > few) {
        push_heap(item, std::move(value));
      } else {
        first_ = (first_ - 1) & mask_;
        for (std::size_t i = 0; i < before; ++i) at(i) = std::move(at(i + 1));
        at(before) = {item, std::move(value)};
        ++count_;
      }
    }
    ++arrivals_;
  }

  void push_heap(const Item& item, T&& value) {
    table_.reserve(1);
    heap_.push_back(item);
    table_.insert(*item.node, std::move(value));
    std::push_heap(heap_.begin(), heap_.end(), comes_later);
  }

  void grow() {
    std::vector<Waiting, PoolAllocator<Waiting>> larger(2 * (mask_ + 1));
    for (std::size_t i = 0; i < count_; ++i) larger[i] = std::move(at(i));
    many_ = std::move(larger);
    ring_ = many_.data();
    mask_ = many_.size() - 1;
    first_ = 0;
  }

  Entry lone_;  // a node that waits alone stays out of the rest: along a chain that is every one
  std::array<Waiting, few> here_{};
  std::vector<Waiting, PoolAllocator<Waiting>> many_;  // in place of `here_`, once that was too small
  Waiting* ring_ = here_.data();
  std::size_t mask_ = few - 1;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::vector<Item, PoolAllocator<Item>> heap_;
  NodeTable<T> table_;
  std::uint64_t arrivals_ = 0;
};

}  // namespace xtgrad::v1::detail
