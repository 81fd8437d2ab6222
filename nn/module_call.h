#pragma once

#include "xtgrad/autograd/core/module_scope.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

class ModuleBase;

namespace detail {

/// A module whose forward is running; these form this thread's stack of calls.
class ModuleCall final : public xtgrad::detail::ModuleScope {
 public:
  explicit ModuleCall(ModuleBase& module);
  ~ModuleCall();
  ModuleCall(const ModuleCall&) = delete;
  ModuleCall& operator=(const ModuleCall&) = delete;

  /// The innermost call; nullptr if none is running.
  XTGRAD_LOCAL static const ModuleCall* current();
  /// The outermost module running, which is `module` itself if there is no other.
  static ModuleBase& root_for(ModuleBase& module);

  [[nodiscard]] ModuleBase& module() const { return module_; }
  /// The outermost module running: the model.
  [[nodiscard]] ModuleBase& root() const { return root_; }

  XTGRAD_LOCAL [[nodiscard]] Identity identity() const override;
  XTGRAD_LOCAL [[nodiscard]] Place place() const override;

  /// Puts the module's path into the message of an error that leaves its forward: "head (Linear): ...". Once
  /// for each error, so the innermost module is named; a message that names the module by itself stays.
  void name_in(Error& error) const noexcept;

 private:
  ModuleBase& module_;
  ModuleBase& root_;
};

}  // namespace detail
}}}  // namespace xtgrad::v1::nn
