#include "xtgrad/autograd/core/pending.h"

#include <algorithm>
#include <utility>

#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/kernels/add_into.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::detail {

PendingCotangents::~PendingCotangents() {
  if (only_.node != nullptr) release_ref(*only_.node);
  for (const HeapItem& item : heap_) release_ref(*entries_[item.entry].node);
}

PendingCotangents::Entry* PendingCotangents::find(const Node& node) {
  if (only_.node == &node) return &only_;
  if (indexed_) {
    const auto found = index_.find(&node);
    return found == index_.end() ? nullptr : &entries_[found->second];
  }
  for (const HeapItem& item : heap_) {
    if (entries_[item.entry].node == &node) return &entries_[item.entry];
  }
  return nullptr;
}

void PendingCotangents::add(Node& node, Tensor cotangent) {
  if (Entry* entry = find(node)) {
    release_ref(node);
    entry->cotangent = accumulate(std::move(entry->cotangent), cotangent);
    return;
  }
  if (empty()) {
    only_ = {&node, std::move(cotangent)};
    return;
  }
  if (only_.node != nullptr) push(std::exchange(only_, Entry{}));
  push({&node, std::move(cotangent)});
}

void PendingCotangents::push(Entry entry) {
  const Node* node = entry.node;
  std::uint32_t slot = 0;
  if (free_entries_.empty()) {
    slot = static_cast<std::uint32_t>(entries_.size());
    entries_.push_back(std::move(entry));
  } else {
    slot = free_entries_.back();
    free_entries_.pop_back();
    entries_[slot] = std::move(entry);
  }
  heap_.push_back({node->id, arrivals_++, slot});
  std::push_heap(heap_.begin(), heap_.end(), comes_later);
  if (indexed_) {
    index_.emplace(node, slot);
  } else if (heap_.size() > scan_limit) {
    for (const HeapItem& item : heap_) index_.emplace(entries_[item.entry].node, item.entry);
    indexed_ = true;
  }
}

PendingCotangents::Entry PendingCotangents::pop() {
  if (only_.node != nullptr) return std::exchange(only_, Entry{});
  std::pop_heap(heap_.begin(), heap_.end(), comes_later);
  const std::uint32_t slot = heap_.back().entry;
  heap_.pop_back();
  free_entries_.push_back(slot);
  Entry entry{entries_[slot].node, std::move(entries_[slot].cotangent)};
  if (indexed_) {
    index_.erase(entry.node);
    if (heap_.empty()) indexed_ = false;
  }
  return entry;
}

Tensor accumulate(Tensor sum, const Tensor& term) {
  Node& node = node_of(sum);
  const bool only_owner = node.values.load() == 1 && node.array.buffer.unique() && !node.recorded();
  if (!only_owner || thread_state.records()) return add(sum, term);
  add_into(node.array, array_of(term));
  return sum;
}

void GradientSlot::accumulate(Tensor gradient, std::uint64_t sweep) {
  const std::lock_guard lock(mutex_);
  last_sweep_.store(sweep, std::memory_order_relaxed);
  gradient_ = gradient_.defined() ? detail::accumulate(std::move(gradient_), gradient) : std::move(gradient);
}

}  // namespace xtgrad::inline v1::detail
