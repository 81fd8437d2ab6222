#include "xtgrad/nn/on_forward.h"

#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/listing.h"
#include "xtgrad/nn/module.h"

namespace xtgrad::inline v1::nn {

struct OnForward::Entry {
  CallFunction function;
  std::shared_ptr<Entry> outer;
  bool has_ended = false;
};

namespace {

thread_local constinit int scopes = 0;

/// The tensor of an argument or a result that is one tensor, maybe an empty handle.
Tensor single(std::span<const Tensor> tensors) { return tensors.empty() ? Tensor() : tensors[0]; }

}  // namespace

// In a function, so that a call which nobody looks at does not touch what has a destructor.
std::shared_ptr<OnForward::Entry>& OnForward::innermost() {
  thread_local std::shared_ptr<Entry> entry;
  return entry;
}

std::string ForwardCall::path() const {
  std::string path;
  detail::find_path(root, module, path);
  return path;
}

OnForward::OnForward(CallFunction function)
    : entry_(std::make_shared<Entry>(Entry{std::move(function), innermost()})) {
  if (!entry_->function) throw ValueError("OnForward: the function is empty");
  innermost() = entry_;
  ++scopes;
}

OnForward::OnForward(Function function)
    : OnForward(function == nullptr ? CallFunction()
                                    : CallFunction([f = std::move(function)](const ForwardCall& call) {
                                        if (auto* module = dynamic_cast<Module*>(&call.module)) {
                                          f(*module, single(call.inputs), single(call.outputs));
                                        }
                                      })) {}

OnForward::~OnForward() {
  entry_->has_ended = true;
  std::shared_ptr<Entry>* at = &innermost();
  while (*at != nullptr && *at != entry_) at = &(*at)->outer;
  if (*at == nullptr) return;
  // A copy: `notify` may be at this entry, and goes on from it.
  *at = std::shared_ptr<Entry>(entry_->outer);
  --scopes;
}

bool OnForward::any() { return scopes != 0; }

void OnForward::notify(const ForwardCall& call) {
  // Holds what it calls: a function may end its own scope, or others.
  for (std::shared_ptr<Entry> at = innermost(); at != nullptr; at = at->outer) {
    if (!at->has_ended) at->function(call);
  }
}

}  // namespace xtgrad::v1::nn
