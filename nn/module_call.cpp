#include "xtgrad/nn/module_call.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/nn/listing.h"

namespace xtgrad::inline v1::nn::detail {

thread_local constinit const ModuleCall* ModuleCall::current_ __attribute__((tls_model("initial-exec"))) =
    nullptr;

namespace {

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
  throw GraphError(
      fmt::format("{}: {}::forward uses a parameter of shape {} that members does not list, so no "
                  "optimizer would train it; {}, or freeze it with set_requires_grad(false)",
                  root, user, to_string(shape), todo));
}

}  // namespace

bool find_path(Module& root, const Module& module, std::string& path) {
  FindPath find(module);
  find.visit(root);
  path = find.path;
  return find.found;
}

void check_listed(const Parameter& parameter) {
  const ModuleCall* call = ModuleCall::current();
  if (call == nullptr || !is_recording() || !parameter.requires_grad()) return;
  const void* root = &call->root();
  if (parameter.slot()->listed_by() == root) return;
  list_parameters(call->root());
  if (parameter.slot()->listed_by() != root) throw_forgotten(*call, parameter.shape());
}

}  // namespace xtgrad::inline v1::nn::detail
