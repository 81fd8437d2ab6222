#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {

/// A value for each of some nodes: open addressing with linear probing, in memory from the pool. Nothing asks
/// for the order of its contents, so no result depends on addresses.
template <class T>
class NodeTable {
 public:
  [[nodiscard]] T* find(const Node& node) {
    if (size_ == 0) return nullptr;
    Cell& cell = cells_[place_of(node)];
    return cell.node == nullptr ? nullptr : &cell.value;
  }
  [[nodiscard]] const T* find(const Node& node) const { return const_cast<NodeTable*>(this)->find(node); }

  /// Room for `more` further nodes; throws std::bad_alloc, and then nothing has changed.
  void reserve(std::size_t more) {
    const std::size_t needed = (size_ + more) * 2;
    if (needed > cells_.size()) rehash(std::bit_ceil(needed < 16 ? 16 : needed));
  }

  /// For a node that is not in the table, which has room for it.
  void insert(const Node& node, T value) noexcept {
    Cell& cell = cells_[place_of(node)];
    cell.node = &node;
    cell.value = std::move(value);
    ++size_;
  }

  /// Removes a node that is in the table.
  T take(const Node& node) noexcept {
    std::size_t hole = place_of(node);
    T value = std::move(cells_[hole].value);
    for (std::size_t next = after(hole); cells_[next].node != nullptr; next = after(next)) {
      // The hole may be filled from here unless a search for this node would start behind it.
      const std::size_t home = home_of(*cells_[next].node);
      if (((next - home) & mask()) < ((next - hole) & mask())) continue;
      cells_[hole] = std::move(cells_[next]);
      hole = next;
    }
    cells_[hole] = Cell();
    --size_;
    return value;
  }

 private:
  struct Cell {
    const Node* node = nullptr;
    T value{};
  };
  using Cells = std::vector<Cell, PoolAllocator<Cell>>;

  [[nodiscard]] std::size_t mask() const { return cells_.size() - 1; }
  [[nodiscard]] std::size_t after(std::size_t place) const { return (place + 1) & mask(); }
  [[nodiscard]] std::size_t home_of(const Node& node) const {
    // Fibonacci hashing: the upper bits of the product depend on all bits of the address.
    return static_cast<std::size_t>(reinterpret_cast<std::uintptr_t>(&node) * 0x9E3779B97F4A7C15U >> shift_);
  }
  /// Where the node is, or where it would go.
  [[nodiscard]] std::size_t place_of(const Node& node) const {
    std::size_t place = home_of(node);
    while (cells_[place].node != nullptr && cells_[place].node != &node) place = after(place);
    return place;
  }

  void rehash(std::size_t capacity) {
    Cells old(capacity);
    old.swap(cells_);
    shift_ = 64 - std::countr_zero(capacity);
    for (Cell& cell : old) {
      if (cell.node != nullptr) cells_[place_of(*cell.node)] = std::move(cell);
    }
  }

  Cells cells_;  // none, or a power of two
  std::size_t size_ = 0;
  int shift_ = 64;
};

}  // namespace xtgrad::v1::detail
