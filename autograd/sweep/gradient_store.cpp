// How a gradient grows: GradientStore, declared where leaves are, adds by the library's own operations.
#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/index.h"
#include "xtgrad/autograd/sweep/accumulate.h"

namespace xtgrad::inline v1::detail {
namespace {

bool has_spec(const Tensor& gradient, const Array& leaf) {
  const Array& array = array_of(gradient);
  return array.dtype == leaf.dtype && array.shape == leaf.shape;
}

}  // namespace

void GradientStore::accumulate(Tensor gradient, std::uint64_t sweep) {
  const std::lock_guard lock(mutex_);
  note(sweep);
  accumulate_into(gradient_, std::move(gradient));
}

bool GradientStore::has_to_allocate() const {
  const std::lock_guard lock(mutex_);
  return gradient_.defined() && (thread_state.records() || !may_change(node_of(gradient_)));
}

GradientStore::Sum GradientStore::prepare(const Tensor& gradient) const {
  Sum sum;
  {
    const std::lock_guard lock(mutex_);
    // A watcher may throw once it has seen a sum, which must not be in the gradient by then.
    const bool in_place = !thread_state.records() && !thread_state.is_watched() && !is_shared();
    if (!gradient_.defined() || (in_place && may_change(node_of(gradient_)))) return sum;
    sum.base = gradient_;
  }
  sum.value = add(sum.base, gradient);
  return sum;
}

void GradientStore::accumulate(Tensor gradient, Sum prepared, std::uint64_t sweep) {
  const std::lock_guard lock(mutex_);
  note(sweep);
  if (prepared.base.defined() && prepared.base.node() == gradient_.node()) {
    gradient_ = std::move(prepared.value);
    return;
  }
  prepared = Sum();  // its handle would keep the gradient from being added to in place
  accumulate_into(gradient_, std::move(gradient));
}

bool GradientStore::may_add_placed(const Array& leaf) const {
  if (is_shared() || is_empty_.load(std::memory_order_relaxed) || thread_state.records()) return false;
  const std::lock_guard lock(mutex_);
  return gradient_.defined() && may_change(node_of(gradient_)) && has_spec(gradient_, leaf);
}

void GradientStore::accumulate(const PlacedGradient& gradient, const Array& leaf, std::uint64_t sweep) {
  const std::lock_guard lock(mutex_);
  note(sweep);
  if (gradient_.defined() && has_spec(gradient_, leaf)) {
    add_placed(gradient_, gradient);
    return;
  }
  Tensor whole = zeros(leaf.shape, {.dtype = leaf.dtype});
  add_placed(whole, gradient);
  accumulate_into(gradient_, std::move(whole));
}

}  // namespace xtgrad::v1::detail
