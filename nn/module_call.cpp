#include "xtgrad/nn/module_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/nn/listing.h"

namespace xtgrad::inline v1::nn::detail {

namespace {

using xtgrad::detail::thread_state;
using xtgrad::detail::Watcher;

/// A module's call is the only scope there is.
const ModuleCall* innermost_call() { return static_cast<const ModuleCall*>(thread_state.module); }

class FindPath : public Members {
 public:
  explicit FindPath(const Stateful& wanted) : wanted_(wanted) {}

  bool found = false;
  std::string path;

 private:
  void on_object(const std::string& here, Stateful& object) override {
    if (found || &object != &wanted_) return;
    found = true;
    path = here;
  }

  const Stateful& wanted_;
};

[[noreturn]] void throw_forgotten(const ModuleCall& call, const Shape& shape) {
  const std::string root = call.root().type_name();
  const std::string user = call.module().type_name();
  std::string path;
  // If the model lists the module, that module's members is at fault; else the module itself was forgotten.
  const bool module_listed = find_path(call.root(), call.module(), path);
  const std::string todo = module_listed
                               ? fmt::format("list it in {}::members", user)
                               : fmt::format("list this {} in the members of the module that holds it", user);
  GraphError error(
      fmt::format("{}: {}::forward uses a parameter of shape {} that members does not list, so no "
                  "optimizer would train it; {}, or freeze it with set_requires_grad(false)",
                  root, user, to_string(shape), todo));
  error.add_context("");  // it names all there is to name
  throw error;
}

/// What the model lists. An error in its `members` is not one of the forward that happens to be running.
std::vector<NamedParameter> list_of(ModuleBase& root) {
  try {
    return list_parameters(root);
  } catch (Error& error) {
    error.add_context("");
    throw;
  }
}

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

bool find_path(ModuleBase& root, const ModuleBase& module, std::string& path) {
  FindPath find(module);
  find.visit(root);
  path = find.path;
  return find.found;
}

void check_listed(const Parameter& parameter) {
  const ModuleCall* call = innermost_call();
  if (call == nullptr || !is_recording() || !parameter.requires_grad()) return;
  if (parameter.cell()->listed_by().contains(call->root().model_id())) return;
  const std::vector<NamedParameter> list = list_of(call->root());
  // Not before now: listing may tie the parameter, which replaces its cell.
  const ParameterCell* cell = parameter.cell().get();
  const bool listed = std::any_of(list.begin(), list.end(),
                                  [&](const NamedParameter& named) { return named.parameter.get() == cell; });
  if (!listed) throw_forgotten(*call, parameter.shape());
}

}  // namespace xtgrad::v1::nn::detail
