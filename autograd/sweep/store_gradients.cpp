#include "xtgrad/autograd/sweep/store_gradients.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/hook_list.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Numbers of the sweeps that store gradients, from 1.
std::uint64_t next_backward() {
  static constinit std::atomic<std::uint64_t> sweeps{0};
  return sweeps.fetch_add(1, std::memory_order_relaxed) + 1;
}

/// Whether a gradient that the sweep has a handle on is another's, too: a given cotangent, another leaf's
/// gradient, what a function has kept or given.
bool is_seen(const Tensor& gradient) { return gradient.defined() && node_of(gradient).values.load() > 1; }

/// A handle of its own on the same elements, so that a name or a function given to one is not the other's.
Tensor own(const Tensor& gradient) { return gradient.requires_grad() ? alias(gradient) : gradient.detach(); }

/// Sums that need memory are made ahead, and functions, which may throw, are called before the first is
/// stored.
void store_prepared(PendingCotangents& pending) {
  struct Stored {
    PendingCotangents::Entry entry;
    GradientStore* store;
    GradientStore::Sum sum;
    PlacedGradient placed;  // of lookups, in the place of a cotangent
  };
  std::vector<Stored, PoolAllocator<Stored>> all;
  const bool calls_hooks = pending.any_hooked();
  // Of leaves that share a gradient, the first stores the sum.
  const auto first_with = [&all](const GradientStore& store) -> Stored* {
    if (!store.is_shared()) return nullptr;
    const auto is_its = [&](const Stored& each) { return each.store == &store; };
    const auto first = std::find_if(all.begin(), all.end(), is_its);
    return first == all.end() ? nullptr : &*first;
  };
  while (!pending.none_complete()) {
    PendingCotangents::Entry entry = pending.pop_complete();
    GradientStore* store = kept_gradient(*entry.node);
    if (store == nullptr) continue;
    if (!entry.cotangent.defined()) {
      const LookupSum lookups = pending.take_lookups(*entry.node);
      PlacedGradient placed;
      if (may_store_placed(*entry.node)) placed = lookups.placed(entry.node->array);
      if (placed.values.defined()) {
        all.push_back({std::move(entry), store, {}, std::move(placed)});
        continue;
      }
      entry.cotangent = lookups.whole(entry.node->array);
    }
    if (calls_hooks && !entry.node->recorded()) run_gradient_hooks(*entry.node, entry.cotangent);
    GradientStore::Sum sum;
    if (Stored* first = first_with(*store)) {
      accumulate(first->entry.cotangent, entry.cotangent);
      if (first->sum.value.defined()) accumulate(first->sum.value, entry.cotangent);
      entry.cotangent = Tensor();
    } else {
      if (is_seen(entry.cotangent)) entry.cotangent = own(entry.cotangent);
      sum = store->prepare(entry.cotangent);
    }
    all.push_back({std::move(entry), store, std::move(sum), {}});
  }
  const std::uint64_t number = next_backward();
  for (Stored& each : all) {
    if (kept_gradient(*each.entry.node) == nullptr) continue;
    if (each.placed.values.defined()) {
      each.store->accumulate(each.placed, each.entry.node->array, number);
    } else if (each.entry.cotangent.defined()) {
      each.store->accumulate(std::move(each.entry.cotangent), std::move(each.sum), number);
    }
  }
  for (std::size_t i = 0; calls_hooks && i < all.size(); ++i) run_accumulated_hooks(*all[i].entry.node);
}

}  // namespace

bool may_store_placed(const Node& leaf) {
  if (leaf.has(Node::hooked_flag) || thread_state.is_watched()) return false;
  const GradientStore* store = kept_gradient(leaf);
  return store != nullptr && store->may_add_placed(leaf.array);
}

void store_gradients(PendingCotangents& pending) {
  const auto may_fail = [](const Node& node, const Tensor& gradient) {
    const GradientStore* store = kept_gradient(node);
    return store != nullptr && (store->may_fail() || is_seen(gradient));
  };
  if (pending.any_hooked() || pending.any_deferred() || thread_state.is_watched() ||
      pending.any_complete(may_fail)) {
    store_prepared(pending);
    return;
  }
  const std::uint64_t number = next_backward();
  while (!pending.none_complete()) {
    PendingCotangents::Entry entry = pending.pop_any_complete();
    if (GradientStore* store = kept_gradient(*entry.node))
      store->accumulate(std::move(entry.cotangent), number);
  }
}

}  // namespace xtgrad::v1::detail
