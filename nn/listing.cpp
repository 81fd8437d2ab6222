#include "xtgrad/nn/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/memory/process_locks.h"
#include "xtgrad/nn/module_call.h"

namespace xtgrad::inline v1::nn::detail {
namespace {

/// A longer path that ends in the name so far comes from further out in the model and says more; any other
/// name was given by someone and stays.
bool improves(const std::string& path, const std::string& name) {
  return name.empty() ||
         (path.size() > name.size() && path.ends_with(name) && path[path.size() - name.size() - 1] == '.');
}

class ListParameters : public Members {
 public:
  explicit ListParameters(std::uint64_t root) : root_(root) {}

  std::vector<NamedParameter> result;

 private:
  void on_parameter(const std::string& path, Parameter& parameter) override {
    const ParameterRef& cell = parameter.cell();
    if (!seen_.insert(cell.get()).second) return;
    cell->set_listed_by(root_);
    if (improves(path, cell->name())) cell->set_name(path);
    result.push_back({path, cell});
  }

  std::uint64_t root_;
  std::unordered_set<const ParameterCell*> seen_;
};

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

}  // namespace

std::vector<NamedParameter> list_parameters(ModuleBase& root) {
  // Listing names the parameters, and two threads may list one model at once, be it only by running it for
  // the first time. Recursive, for a model's `members` may ask its parts for their parameters.
  const std::lock_guard lock(xtgrad::detail::process_lock(xtgrad::detail::ProcessLock::listing));
  ListParameters list(root.model_id());
  list.visit(root);
  return std::move(list.result);
}

bool find_path(ModuleBase& root, const ModuleBase& module, std::string& path) {
  FindPath find(module);
  find.visit(root);
  path = find.path;
  return find.found;
}

void check_listed(const Parameter& parameter) {
  const ModuleCall* call = ModuleCall::current();
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
