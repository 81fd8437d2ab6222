#include "xtgrad/nn/adoption.h"

#include <utility>

#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/nn/orphans.h"

namespace xtgrad::inline v1::nn::detail {
namespace {

/// A reference on the place where the gradient of a parameter's leaf accumulates, and which keeps in mind
/// from where.
xtgrad::detail::GradientStore* hold_gradient(const Tensor& leaf) {
  xtgrad::detail::GradientStore* gradient = xtgrad::detail::node_of(leaf).leaf_state()->gradient;
  gradient->keep_log();  // may fail
  gradient->acquire();
  return gradient;
}

}  // namespace

std::uint64_t ModelId::assign() const {
  static constinit std::atomic<std::uint64_t> last{0};
  std::uint64_t id = 0;
  const std::uint64_t fresh = last.fetch_add(1, std::memory_order_relaxed) + 1;
  // Another thread may be first; then its number is the model's.
  return value_.compare_exchange_strong(id, fresh, std::memory_order_relaxed) ? fresh : id;
}

void ListedBy::insert(std::uint64_t model) {
  if (contains(model)) return;
  const std::size_t place = inserted_.load(std::memory_order_relaxed);
  ids_[place % capacity].store(model, std::memory_order_relaxed);
  inserted_.store(place + 1, std::memory_order_relaxed);
}

bool ListedBy::may_share_model_with(const ListedBy& other) const {
  if (inserted_.load(std::memory_order_relaxed) > capacity) return true;
  if (other.inserted_.load(std::memory_order_relaxed) > capacity) return true;
  for (const std::atomic<std::uint64_t>& id : ids_) {
    const std::uint64_t model = id.load(std::memory_order_relaxed);
    if (model != 0 && other.contains(model)) return true;
  }
  return false;
}

Adoption::Adoption(const ParameterCell& cell, const Tensor& leaf)
    : cell_(cell), gradient_(hold_gradient(leaf)) {
  Orphans::add(*this);
}

Adoption::~Adoption() {
  adopt();
  gradient_->release();
}

void Adoption::watch(const Tensor& leaf) {
  if (xtgrad::detail::node_of(leaf).leaf_state()->gradient == gradient_) return;
  auto* const next = hold_gradient(leaf);  // before anything changes: it may fail
  const bool orphan = !adopted_.load(std::memory_order_relaxed);
  if (orphan) Orphans::remove(*this);
  std::exchange(gradient_, next)->release();
  if (orphan) Orphans::add(*this);
}

void Adoption::leave_orphans() { Orphans::remove(*this); }

}  // namespace xtgrad::v1::nn::detail
