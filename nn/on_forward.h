#pragma once

#include <memory>
#include <span>
#include <string>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module_base.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// A forward that has just ended, for the functions of `OnForward`; valid while they run.
struct ForwardCall {
  ModuleBase& module;
  ModuleBase& root;                 ///< the outermost module running
  std::span<const Tensor> inputs;   ///< the tensors among the arguments, in order
  std::span<const Tensor> outputs;  ///< the tensors in the result

  /// Where the module is in the root, such as "decoder.attention"; empty for the root itself, and for a
  /// module that it does not list. Found on request, by a walk over the root's members.
  [[nodiscard]] std::string path() const;
};

/// Calls a function after the forward of every module that runs on this thread while in scope: for looking at
/// hidden layers. The innermost scope is called first. Scopes may end in any order, and a function may end
/// its own; they end on the thread where they began.
///
///   std::vector<std::string> seen;
///   nn::OnForward look([&](const nn::ForwardCall& call) { seen.push_back(call.path()); });
///
/// A function of three arguments sees modules of one tensor to one tensor alone:
///
///   std::vector<Tensor> hidden;
///   nn::OnForward look([&](nn::Module&, const Tensor&, const Tensor& output) { hidden.push_back(output); });
class OnForward {
 public:
  using CallFunction = Callable<void(const ForwardCall& call)>;
  using Function = Callable<void(Module& module, const Tensor& input, const Tensor& output)>;

  [[nodiscard("a scope ends with its statement unless it has a name")]] explicit OnForward(
      CallFunction function);
  [[nodiscard("a scope ends with its statement unless it has a name")]] explicit OnForward(Function function);
  ~OnForward();
  OnForward(const OnForward&) = delete;
  OnForward& operator=(const OnForward&) = delete;

  // For the library alone: whether any is in scope on this thread, and the call of all of them.
  [[nodiscard]] static bool any();
  static void notify(const ForwardCall& call);

 private:
  struct Entry;
  [[nodiscard]] static std::shared_ptr<Entry>& innermost();

  std::shared_ptr<Entry> entry_;
};

}}}  // namespace xtgrad::v1::nn
