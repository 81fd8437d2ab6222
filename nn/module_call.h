#pragma once

#include <string>

namespace xtgrad::inline v1::nn {

class Module;
class Parameter;

namespace detail {

/// A module whose forward is running; these form this thread's stack of calls.
class ModuleCall {
 public:
  explicit ModuleCall(Module& module)
      : module_(module), outer_(current_), root_(outer_ ? outer_->root_ : module) {
    current_ = this;
  }
  ~ModuleCall() { current_ = outer_; }
  ModuleCall(const ModuleCall&) = delete;
  ModuleCall& operator=(const ModuleCall&) = delete;

  /// The innermost call; nullptr if none is running.
  static const ModuleCall* current() { return current_; }

  [[nodiscard]] Module& module() const { return module_; }
  /// The outermost module running: the model.
  [[nodiscard]] Module& root() const { return root_; }

 private:
  static thread_local constinit const ModuleCall* current_ __attribute__((tls_model("initial-exec")));

  Module& module_;
  const ModuleCall* outer_;
  Module& root_;
};

/// Throws GraphError if a model is running and recording, and does not list `parameter`, which wants a
/// gradient. Cheap once the model has listed it.
void check_listed(const Parameter& parameter);

/// The path of `module` in `root`; "" for the root itself.
bool find_path(Module& root, const Module& module, std::string& path);

}  // namespace detail
}  // namespace xtgrad::inline v1::nn
