#include "xtgrad/nn/on_forward.h"

#include <utility>

#include "xtgrad/nn/listing.h"
#include "xtgrad/nn/module.h"

namespace xtgrad::inline v1::nn {
namespace {

thread_local constinit OnForward* innermost_hook = nullptr;

/// The tensor of an argument or a result that is one tensor, maybe an empty handle.
Tensor single(std::span<const Tensor> tensors) { return tensors.empty() ? Tensor() : tensors[0]; }

}  // namespace

std::string ForwardCall::path() const {
  std::string path;
  detail::find_path(root, module, path);
  return path;
}

OnForward::OnForward(CallFunction function) : function_(std::move(function)), outer_(innermost_hook) {
  innermost_hook = this;
}

OnForward::OnForward(Function function)
    : OnForward(CallFunction([f = std::move(function)](const ForwardCall& call) {
        if (auto* module = dynamic_cast<Module*>(&call.module)) {
          f(*module, single(call.inputs), single(call.outputs));
        }
      })) {}

OnForward::~OnForward() { innermost_hook = outer_; }

bool OnForward::any() { return innermost_hook != nullptr; }

void OnForward::notify(const ForwardCall& call) {
  for (OnForward* hook = innermost_hook; hook != nullptr; hook = hook->outer_) hook->function_(call);
}

}  // namespace xtgrad::v1::nn
