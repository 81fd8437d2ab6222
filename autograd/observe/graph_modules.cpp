#include "xtgrad/autograd/observe/graph_modules.h"

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/observe/module_ledger.h"

namespace xtgrad::inline v1 {

class GraphModules::Watch final : public detail::Watcher {
 public:
  Watch() : scope_(*this) {}

  [[nodiscard]] const std::string& path_of(const detail::Node& node) const {
    return ledger_.module_of(ledger_.context_of(node)).path;
  }

 private:
  void before_eval(const detail::Primitive&, detail::Inputs, detail::Outputs) override {}
  void after_eval(const detail::Primitive&, detail::Inputs, detail::Outputs) override {}
  void before_rule(const detail::Node& node, const Tensor&) override { ledger_.enter(node); }
  void leave_rule(const detail::Node& node) noexcept override { ledger_.leave(&node); }
  void enter_module(const detail::ModuleScope& module) noexcept override { ledger_.enter(module); }
  void leave_module(const detail::ModuleScope& module) noexcept override { ledger_.leave(&module); }
  void locate(Error& error) const override { ledger_.locate(error); }

  detail::ModuleLedger ledger_;
  detail::WatchScope scope_;
};

GraphModules::GraphModules() : watch_(std::make_unique<Watch>()) {}
GraphModules::~GraphModules() = default;

std::string GraphModules::path_of(const detail::NodeCounts& node) const {
  const auto& whole = static_cast<const detail::Node&>(node);
  return whole.recorded() ? watch_->path_of(whole) : std::string();
}

}  // namespace xtgrad::v1
