#include "xtgrad/autograd/sweep/pending.h"

namespace xtgrad::inline v1::detail {

bool PendingCotangents::defer(Node& leaf, Lookup&& lookup) {
  flags_of_any_ |= leaf.flags.load(std::memory_order_relaxed);
  if (deferred_ == nullptr) deferred_ = std::make_unique<Deferred>();
  if (LookupSum* sum = deferred_->find(leaf)) {
    sum->add(std::move(lookup));
    return false;
  }
  LookupSum first;
  first.add(std::move(lookup));
  deferred_->reserve(1);
  complete_.insert(leaf, Tensor());
  deferred_->insert(leaf, std::move(first));
  return true;
}

// By value: who gives a term is left without it, as whoever reads the place next relies on.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
void PendingCotangents::add_to(Tensor& sum, const Node& node, Tensor term) {
  if (!sum.defined()) make_whole(node, sum);
  accumulate(sum, term);
}

void PendingCotangents::make_whole(const Node& leaf, Tensor& sum) {
  sum = deferred_->find(leaf)->whole(leaf.array);
  deferred_->take(leaf);
}

}  // namespace xtgrad::v1::detail
