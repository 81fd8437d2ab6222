#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "xtgrad/autograd/core/lookup.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/core/sweep_log.h"
#include "xtgrad/autograd/memory/pool_allocator.h"
#include "xtgrad/autograd/memory/process_locks.h"

namespace xtgrad::inline v1::detail {

struct HookList;

/// Where a gradient accumulates, and the name it goes by. Several nodes may share one: a parameter that was
/// given a new value is a new leaf, but a loss recorded on the old leaf still adds to the parameter's
/// gradient.
class GradientStore : public FromPool {
 public:
  [[nodiscard]] Tensor get() const {
    const std::lock_guard lock(mutex_);
    return gradient_;
  }
  void set(Tensor gradient) {
    const std::lock_guard lock(mutex_);
    is_empty_.store(!gradient.defined(), std::memory_order_relaxed);
    gradient_.swap(gradient);
    if (gradient_.defined()) return;
    last_sweep_.store(0, std::memory_order_relaxed);
    if (log_ != nullptr) log_->clear();
  }
  [[nodiscard]] std::string name() const {
    const std::lock_guard lock(mutex_);
    return name_;
  }
  void set_name(std::string name) {
    const std::lock_guard lock(mutex_);
    name_.swap(name);
  }
  /// Adds in place only into a buffer that nobody else can see. `sweep` is the number of the `backward`.
  void accumulate(Tensor gradient, std::uint64_t sweep);
  /// The last `backward` that added to the gradient since it was cleared; 0 for none.
  [[nodiscard]] std::uint64_t last_sweep() const { return last_sweep_.load(std::memory_order_relaxed); }
  /// From now on all of them are kept in mind.
  void keep_log() {
    const std::lock_guard lock(mutex_);
    if (log_ == nullptr) log_ = std::make_unique<SweepLog>();
  }
  [[nodiscard]] SweepLog log() const {
    const std::lock_guard lock(mutex_);
    return log_ == nullptr ? SweepLog() : *log_;
  }

  /// True unless `accumulate` will need no memory: the first gradient is moved in, and a sum that nobody else
  /// can see is added to in place.
  [[nodiscard]] bool may_fail() const {
    return is_shared() || (!is_empty_.load(std::memory_order_relaxed) && has_to_allocate());
  }
  /// True if several leaves add to it, so that one sweep may do so more than once.
  [[nodiscard]] bool is_shared() const { return leaves_.load() > 1; }

  /// A sum computed ahead, so that storing it cannot fail.
  struct Sum {
    Tensor base;  // the gradient that it starts from; empty where there was no need to compute
    Tensor value;
  };
  /// The first half of `accumulate`: what it would have to allocate for, or may have to by then.
  [[nodiscard]] Sum prepare(const Tensor& gradient) const;
  /// The second half. Falls back to `accumulate` if the gradient is another one by now.
  void accumulate(Tensor gradient, Sum prepared, std::uint64_t sweep);

  /// True if there is a gradient, of the leaf's shape and dtype, to which one that is 0 but at some places
  /// can be added at these alone: nobody else can see it.
  [[nodiscard]] bool may_add_placed(const Array& leaf) const;
  /// Adds such a gradient, without memory if that still holds.
  void accumulate(const PlacedGradient& gradient, const Array& leaf, std::uint64_t sweep);

  /// Functions on the tensor; null for none. Set by the thread that alone can sweep.
  [[nodiscard]] const std::shared_ptr<HookList>& hooks() const { return hooks_; }
  void set_hooks(std::shared_ptr<HookList> hooks) { hooks_ = std::move(hooks); }

  /// Whether it takes no more, whatever the leaf wanted that a loss was recorded on: a parameter has been
  /// given a new value since, and was frozen then.
  [[nodiscard]] bool is_frozen() const { return is_frozen_.load(std::memory_order_relaxed); }
  void set_frozen(bool frozen) { is_frozen_.store(frozen, std::memory_order_relaxed); }

  void acquire() { refs_.increment(); }
  void release() {
    if (refs_.decrement() == 0) delete this;
  }
  void acquire_for_leaf() {
    acquire();
    leaves_.increment();
  }
  void release_by_leaf() {
    leaves_.decrement();
    release();
  }

 private:
  [[nodiscard]] bool has_to_allocate() const;
  void note(std::uint64_t sweep) {
    last_sweep_.store(sweep, std::memory_order_relaxed);
    is_empty_.store(false, std::memory_order_relaxed);
    if (log_ != nullptr) log_->add(sweep);
  }

  mutable ForkedMutex mutex_;  // two threads may sweep graphs that share a leaf
  RefCount refs_{1};
  RefCount leaves_{1};
  std::atomic<bool> is_empty_{true};  // what may be known of the gradient without the lock
  std::atomic<bool> is_frozen_{false};
  std::atomic<std::uint64_t> last_sweep_{0};
  std::unique_ptr<SweepLog> log_;  // of parameters alone
  Tensor gradient_;
  std::string name_;
  std::shared_ptr<HookList> hooks_;
};

/// What leaves, and the few computed tensors with a name or a kept gradient, have beyond a Node.
struct LeafState : FromPool {
  GradientStore* gradient;
  bool keeps_gradient = false;   // the sweep stores here: wanted leaves, and retain_grad
  const Node* origin = nullptr;  // of a recorded node, whose link leads here instead

  explicit LeafState(GradientStore* shared = nullptr) : gradient(shared) {
    if (gradient != nullptr) {
      gradient->acquire_for_leaf();
    } else {
      gradient = new GradientStore;
    }
  }
  ~LeafState() { gradient->release_by_leaf(); }
  LeafState(const LeafState&) = delete;
  LeafState& operator=(const LeafState&) = delete;
};

/// The state of a node, made on first use; only for threads that hold the only way to the node, or after the
/// leaf was made to want a gradient.
LeafState& leaf_state_of(Node& node);

/// Hangs the functions on one leaf on another, too, which has none.
void share_hooks(const Tensor& from, const Tensor& to);

/// A leaf that wants a gradient, over the elements of `value`. It has the name of `previous`, and its
/// gradient accumulates where that one's does; if `previous` is empty, both are its own. Parameters are made
/// of these.
Tensor make_leaf(const Tensor& value, const Tensor& previous);

}  // namespace xtgrad::v1::detail
