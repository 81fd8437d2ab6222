#include "xtgrad/autograd/core/compute.h"

#include <vector>

#include "xtgrad/autograd/core/ieee_arithmetic.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {

namespace {

/// A thread that takes subnormal numbers for 0 always comes the long way, on which that is turned off;
/// another does so once, unless it is watched.
void note_arithmetic(const IeeeArithmetic& arithmetic) {
  if (thread_state.watcher == nullptr && !arithmetic.changes())
    thread_state.mode &= static_cast<Mode>(~watched_mode);
}

/// Finds memory, evaluates and tells the watchers; shapes and dtypes are known.
void evaluate_any(const Primitive& primitive, Inputs in, Outputs out, InputSet given) {
  bool evaluates = false;
  for (std::size_t k = 0; k < out.size(); ++k) {
    if (out[k] == nullptr) continue;
    place_output(primitive, static_cast<int>(k), in, *out[k], given);
    evaluates = evaluates || primitive.alias_of(static_cast<int>(k)) < 0;
  }
  for (Watcher* w = thread_state.watcher; w != nullptr; w = w->outer()) w->before_eval(primitive, in, out);
  if (evaluates) primitive.eval(in, out);
  for (Watcher* w = thread_state.watcher; w != nullptr; w = w->outer()) w->after_eval(primitive, in, out);
}

}  // namespace

void compute_any(const Primitive& primitive, Inputs in, Outputs out, InputSet given) {
  const IeeeArithmetic arithmetic;
  note_arithmetic(arithmetic);
  in_name_of(primitive, [&] {
    std::vector<const Spec*, PoolAllocator<const Spec*>> in_specs(in.begin(), in.end());
    std::vector<Spec, PoolAllocator<Spec>> unwanted(out.size());
    std::vector<Spec*, PoolAllocator<Spec*>> out_specs(out.size());
    for (std::size_t k = 0; k < out.size(); ++k) out_specs[k] = out[k] != nullptr ? out[k] : &unwanted[k];
    primitive.infer(in_specs, out_specs);
    evaluate_any(primitive, in, out, given);
  });
}

void tell_operands(std::span<const Tensor* const> operands) {
  for (Watcher* w = thread_state.watcher; w != nullptr; w = w->outer()) w->before_apply(operands);
}

void tell_wish(const Tensor& leaf) {
  for (Watcher* w = thread_state.watcher; w != nullptr; w = w->outer()) w->after_wish(leaf);
}

void tell_reading(const Array& array, std::string_view function) {
  if (!thread_state.is_watched()) return;
  for (Watcher* w = thread_state.watcher; w != nullptr; w = w->outer()) w->before_read(array, function);
}

bool is_listed_for_others() {
  if (!thread_state.is_watched()) return false;
  for (const Watcher* w = thread_state.watcher; w != nullptr; w = w->outer()) {
    if (w->is_for_others()) return true;
  }
  return false;
}

WatchScope::WatchScope(Watcher& watcher) : watcher_(watcher) {
  watcher.outer_ = thread_state.watcher;
  thread_state.watcher = &watcher;
  thread_state.mode |= watched_mode;
}

WatchScope::~WatchScope() {
  // Not always the innermost: users' observers may end in any order.
  Watcher** at = &thread_state.watcher;
  while (*at != nullptr && *at != &watcher_) at = &(*at)->outer_;
  if (*at != nullptr) *at = watcher_.outer_;
  if (thread_state.watcher == nullptr) note_arithmetic(IeeeArithmetic());
}

}  // namespace xtgrad::v1::detail
