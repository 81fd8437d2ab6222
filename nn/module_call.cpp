#include "xtgrad/nn/module_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/nn/listing.h"
#include "xtgrad/nn/stack_room.h"

namespace xtgrad::inline v1::nn::detail {

namespace {

using xtgrad::detail::thread_state;
using xtgrad::detail::Watcher;

/// A module's call is the only scope there is.
const ModuleCall* innermost_call() { return static_cast<const ModuleCall*>(thread_state.module); }

// Out of line, so that nothing of them is on the way of a call that nobody watches.
[[gnu::noinline, gnu::cold]] void tell_begin(const ModuleCall& call) {
  for (Watcher* w = thread_state.watcher; w != nullptr; w = w->outer()) w->enter_module(call);
}
[[gnu::noinline, gnu::cold]] void tell_end(const ModuleCall& call) {
  for (Watcher* w = thread_state.watcher; w != nullptr; w = w->outer()) w->leave_module(call);
}

}  // namespace

ModuleCall::ModuleCall(ModuleBase& module)
    : ModuleScope(thread_state.module),
      module_(module),
      root_(outer() != nullptr ? static_cast<const ModuleCall*>(outer())->root_ : module) {
  check_stack_room("forward");
  thread_state.module = this;
  if (thread_state.is_watched()) [[unlikely]]
    tell_begin(*this);
}

ModuleCall::~ModuleCall() {
  thread_state.module = outer();
  if (thread_state.is_watched()) [[unlikely]]
    tell_end(*this);
}

const ModuleCall* ModuleCall::current() { return innermost_call(); }

ModuleBase& ModuleCall::root_for(ModuleBase& module) {
  const ModuleCall* call = innermost_call();
  return call != nullptr ? call->root_ : module;
}

xtgrad::detail::ModuleScope::Identity ModuleCall::identity() const {
  return {root_.model_id(), module_.model_id()};
}

xtgrad::detail::ModuleScope::Place ModuleCall::place() const {
  Place place{.model = root_.type_name(), .type = module_.type_name()};
  try {
    place.is_listed = find_path(root_, module_, place.path);
  } catch (const Error&) {
    // Whoever watches does not fail where `members` does.
  }
  return place;
}

void ModuleCall::name_in(Error& error) const noexcept {
  if (error.has_context()) return;
  try {
    const std::string type = module_.type_name();
    std::string path;
    find_path(root_, module_, path);
    const std::string_view message = error.what();
    if (message.starts_with(path.empty() ? type + ":" : fmt::format("{} ({}):", type, path))) {
      error.add_context("");
    } else if (path.empty()) {
      error.add_context(type);
    } else {
      error.add_context(message.starts_with(type + ":") ? path : fmt::format("{} ({})", path, type));
    }
  } catch (...) {
    // A path that cannot be found, since `members` is wrong or memory is out, is no reason to lose the error.
  }
}

}  // namespace xtgrad::v1::nn::detail
