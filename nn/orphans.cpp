#include "xtgrad/nn/orphans.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <string>

#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/memory/process_locks.h"
#include "xtgrad/autograd/sweep/reached_leaves.h"

namespace xtgrad::inline v1::nn::detail {
namespace {

// Without destructors that do anything: a static parameter may outlive everything else.
constinit xtgrad::detail::ProcessMutex& mutex =
    xtgrad::detail::process_mutexes[static_cast<std::size_t>(xtgrad::detail::ProcessLock::orphans)];
constinit Adoption* first_orphan = nullptr;

std::string describe(const ParameterCell& cell) {
  return cell.name().empty()
             ? fmt::format("a parameter of shape {}", to_string(cell.shape()))
             : fmt::format("a parameter of shape {} (\"{}\")", to_string(cell.shape()), cell.name());
}

/// A parameter that is held and that a `backward` reached together with the orphan; nullptr if there is none.
const ParameterCell* reached_with(const xtgrad::detail::SweepLog& sweeps,
                                  std::span<const ParameterRef> held) {
  for (const ParameterRef& parameter : held) {
    const xtgrad::detail::GradientStore& gradient = parameter->gradient_store();
    if (gradient.last_sweep() != 0 && gradient.log().meets(sweeps)) return parameter.get();
  }
  return nullptr;
}

bool listed_with_any(const ParameterCell& cell, std::span<const ParameterRef> held) {
  return std::any_of(held.begin(), held.end(), [&](const ParameterRef& parameter) {
    return cell.listed_by().may_share_model_with(parameter->listed_by());
  });
}

/// `relation` is what the loss has done, with both.
[[noreturn]] void throw_orphan(std::string_view function, const ParameterCell& orphan,
                               std::string_view relation, const ParameterCell& beside) {
  throw GraphError(fmt::format(
      "{}: {} {} the same loss as {}, but no optimizer holds it and no model that was "
      "asked for its parameters lists it, so nothing would train it; list it in the members of its model, "
      "give it to an optimizer, or freeze it with set_requires_grad(false)",
      function, describe(orphan), relation, describe(beside)));
}

}  // namespace

void Orphans::add(Adoption& orphan) {
  const std::lock_guard lock(mutex);
  orphan.adopted_.store(false, std::memory_order_relaxed);
  orphan.previous_ = nullptr;
  orphan.next_ = first_orphan;
  if (first_orphan != nullptr) first_orphan->previous_ = &orphan;
  first_orphan = &orphan;
}

void Orphans::remove(Adoption& orphan) {
  const std::lock_guard lock(mutex);
  unlink(orphan);
}

void Orphans::unlink(Adoption& orphan) {
  // Two threads may adopt one parameter at once.
  if (orphan.adopted_.exchange(true, std::memory_order_relaxed)) return;
  (orphan.previous_ == nullptr ? first_orphan : orphan.previous_->next_) = orphan.next_;
  if (orphan.next_ != nullptr) orphan.next_->previous_ = orphan.previous_;
}

bool Orphans::any_with_gradient() {
  const std::lock_guard lock(mutex);
  for (const Adoption* orphan = first_orphan; orphan != nullptr; orphan = orphan->next_) {
    if (orphan->gradient_->last_sweep() != 0) return true;
  }
  return false;
}

void Orphans::check(std::string_view function, std::span<const ParameterRef> held) {
  find(function, held, true);
}

bool Orphans::any() {
  const std::lock_guard lock(mutex);
  return first_orphan != nullptr;
}

void Orphans::check_reached(std::string_view function, const Tensor& loss,
                            std::span<const ParameterRef> held) {
  if (!any()) return;
  const xtgrad::detail::ReachedLeaves reached(loss);
  const auto beside = std::find_if(held.begin(), held.end(), [&](const ParameterRef& parameter) {
    return reached.contains(&parameter->gradient_store());
  });
  if (beside == held.end()) return;
  const std::lock_guard lock(mutex);
  Adoption* next = nullptr;
  for (Adoption* orphan = first_orphan; orphan != nullptr; orphan = next) {
    next = orphan->next_;
    // As in `find`: whose gradient the loss does not reach may be another thread's.
    if (!reached.contains(orphan->gradient_) || !orphan->cell_.requires_grad()) continue;
    if (!listed_with_any(orphan->cell_, held)) {
      throw_orphan(function, orphan->cell_, "is reached by", **beside);
    }
    unlink(*orphan);
  }
}

void Orphans::check_cleared(std::string_view function, std::span<const ParameterRef> listed) {
  find(function, listed, false);
}

void Orphans::find(std::string_view function, std::span<const ParameterRef> held, bool at_first_sight) {
  const std::lock_guard lock(mutex);
  Adoption* next = nullptr;
  for (Adoption* orphan = first_orphan; orphan != nullptr; orphan = next) {
    next = orphan->next_;
    if (orphan->gradient_->last_sweep() == 0) continue;
    const ParameterCell* beside = reached_with(orphan->gradient_->log(), held);
    // Only now may the parameter itself be looked at: it belongs to those who train here.
    if (beside == nullptr || !orphan->cell_.requires_grad()) continue;
    if (listed_with_any(orphan->cell_, held)) {
      unlink(*orphan);
    } else if (at_first_sight || orphan->is_noticed_) {
      throw_orphan(function, orphan->cell_, "got a gradient from", *beside);
    } else {
      orphan->is_noticed_ = true;
    }
  }
}

}  // namespace xtgrad::v1::nn::detail
