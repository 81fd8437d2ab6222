#include "xtgrad/autograd/replay/recorded_module.h"

#include <utility>

#include "xtgrad/autograd/core/compute.h"

namespace xtgrad::inline v1::detail {
namespace {

bool is_within(const RecordedModule* module, const RecordedModule& outer) {
  for (; module != nullptr; module = module->around().get()) {
    if (module == &outer) return true;
  }
  return false;
}

/// From outside to inside, up to `end`, which is entered already.
void enter(const RecordedModule* module, const RecordedModule* end) {
  if (module == end) return;
  enter(module->around().get(), end);
  for (Watcher* w = thread_state.watcher; w != nullptr; w = w->outer()) w->enter_module(*module);
}

void leave(const RecordedModule& module) {
  for (Watcher* w = thread_state.watcher; w != nullptr; w = w->outer()) w->leave_module(module);
}

}  // namespace

RecordedModule::RecordedModule(const ModuleScope& running, std::shared_ptr<const RecordedModule> outer)
    : ModuleScope(outer.get()),
      identity_(running.identity()),
      place_(running.place()),
      around_(std::move(outer)) {}

std::shared_ptr<const RecordedModule> RecordedModules::current() { return recorded(thread_state.module); }

std::shared_ptr<const RecordedModule> RecordedModules::recorded(const ModuleScope* running) {
  if (running == outermost_) return nullptr;
  std::shared_ptr<const RecordedModule> outer = recorded(running->outer());
  for (const auto& known : all_) {
    if (known->identity() == running->identity() && known->around() == outer) return known;
  }
  return all_.emplace_back(std::make_shared<const RecordedModule>(*running, std::move(outer)));
}

void ReplayPlace::go_to(const RecordedModule* module) noexcept {
  while (at_ != nullptr && !is_within(module, *at_)) {
    leave(*at_);
    at_ = at_->around().get();
  }
  enter(module, at_);
  at_ = module;
}

void ReplayPlace::locate(Error& error) const {
  if (at_ == nullptr) return;
  for (Watcher* w = thread_state.watcher; w != nullptr; w = w->outer()) w->locate(error);
}

}  // namespace xtgrad::v1::detail
