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
/// The next few stand in order, with their values at hand: in most graphs what a node hands on to comes soon.
/// The others are in a heap, their values in a table; so hundreds that wait to the end, as the parts of a
/// tensor that was unbound do, cost those that pass by nothing.
template <class T>
class NodeQueue {
 public:
  struct Entry {
    Node* node = nullptr;
    T value{};
  };

  [[nodiscard]] bool empty() const { return lone_.node == nullptr && near_count_ == 0 && heap_.empty(); }

  [[nodiscard]] T* find(const Node& node) {
    if (lone_.node != nullptr) return lone_.node == &node ? &lone_.value : nullptr;
    for (std::size_t i = near_count_; i-- > 0;) {
      if (near_[i].item.node == &node) return &near_[i].value;
    }
    return table_.find(node);
  }

  /// True if it holds for any node in waiting and its value.
  template <class Predicate>
  [[nodiscard]] bool any_of(Predicate holds) {
    if (lone_.node != nullptr) return holds(*lone_.node, lone_.value);
    return std::any_of(near_.begin(), near_.begin() + static_cast<std::ptrdiff_t>(near_count_),
                       [&](Near& next) { return holds(*next.item.node, next.value); }) ||
           std::any_of(heap_.begin(), heap_.end(),
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
    if (near_count_ != 0) return pop_near();
    std::pop_heap(heap_.begin(), heap_.end(), comes_later);
    return pop_last_of_heap();
  }

  /// Whichever takes the least work. What is left is in order.
  Entry pop_any() noexcept {
    if (lone_.node != nullptr) return {std::exchange(lone_.node, nullptr), std::move(lone_.value)};
    return near_count_ != 0 ? pop_near() : pop_last_of_heap();
  }

 private:
  struct Item {
    std::uint64_t id = 0;
    std::uint64_t arrival = 0;
    Node* node = nullptr;
  };
  struct Near {
    Item item;
    T value{};
  };
  static constexpr std::size_t most_near = 8;

  static bool comes_later(const Item& a, const Item& b) {
    return a.id != b.id ? a.id < b.id : a.arrival > b.arrival;
  }

  Entry pop_near() noexcept {
    Near& next = near_[--near_count_];
    return {next.item.node, std::move(next.value)};
  }
  Entry pop_last_of_heap() noexcept {
    Node* node = heap_.back().node;
    heap_.pop_back();
    return {node, table_.take(*node)};
  }

  [[gnu::noinline]] void insert_beside_others(Node& node, T&& value) {
    const std::size_t more = lone_.node == nullptr ? 1 : 2;
    table_.reserve(near_count_ + more);
    const std::size_t needed = heap_.size() + near_count_ + more;
    if (needed > heap_.capacity()) heap_.reserve(std::max<std::size_t>({16, heap_.capacity() * 2, needed}));
    if (lone_.node != nullptr) push(*std::exchange(lone_.node, nullptr), std::move(lone_.value));
    push(node, std::move(value));
  }

  void push(Node& node, T&& value) noexcept {
    const Item item{node.id, arrivals_++, &node};
    if (near_count_ == 0 ? !heap_.empty() && comes_later(item, heap_.front())
                         : comes_later(item, near_[0].item) && !may_join(item)) {
      push_heap(item, std::move(value));
      return;
    }
    if (near_count_ == most_near) spill();
    std::size_t place = near_count_++;
    for (; place > 0 && comes_later(item, near_[place - 1].item); --place)
      near_[place] = std::move(near_[place - 1]);
    near_[place] = {item, std::move(value)};
  }

  /// Whether what comes after all that are near still comes before the heap, and finds room.
  [[nodiscard]] bool may_join(const Item& item) const {
    return near_count_ < most_near && (heap_.empty() || comes_later(heap_.front(), item));
  }

  /// The last of the near ones goes into the heap.
  void spill() noexcept {
    push_heap(near_[0].item, std::move(near_[0].value));
    std::move(near_.begin() + 1, near_.begin() + static_cast<std::ptrdiff_t>(near_count_), near_.begin());
    --near_count_;
  }

  void push_heap(const Item& item, T&& value) noexcept {
    table_.insert(*item.node, std::move(value));
    heap_.push_back(item);
    std::push_heap(heap_.begin(), heap_.end(), comes_later);
  }

  Entry lone_;  // a node that waits alone stays out of the rest: along a chain that is every one
  std::array<Near, most_near> near_{};  // the next is the last; all come before those in the heap
  std::size_t near_count_ = 0;
  std::vector<Item, PoolAllocator<Item>> heap_;
  NodeTable<T> table_;
  std::uint64_t arrivals_ = 0;
};

}  // namespace xtgrad::v1::detail
