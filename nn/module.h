#pragma once

#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module_base.h"
#include "xtgrad/nn/module_call.h"
#include "xtgrad/nn/on_forward.h"
#include "xtgrad/nn/signature.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// A module by the signature of its forward. See autograd/tensors_in.h for the types it may have, among them
/// one's own structs of tensors; they are told apart when the class is compiled, by one sentence.
///
///   struct Cell : nn::ModuleOf<std::pair<Tensor, Tensor>(const Tensor&, const Tensor&)> {
///     nn::Linear in{3, 4};
///     nn::Linear back{4, 4};
///     void members(nn::Members& m) override { m("in", in); m("back", back); }
///     std::pair<Tensor, Tensor> forward(const Tensor& x, const Tensor& h) override {
///       Tensor next = tanh(in(x) + back(h));
///       return {relu(next), next};
///     }
///   };
///   Cell cell;
///   auto [y, h] = cell(randn({8, 3}), zeros({8, 4}));
template <class Signature>
class ModuleOf {
  static_assert(!std::is_same_v<Signature, Signature>,
                "nn::ModuleOf is given the signature of forward, as in "
                "nn::ModuleOf<Tensor(const Tensor&, const Tensor&)>");
};

/// A part of a model, or all of it, of one tensor to one tensor.
///
///   struct Classifier : nn::Module {
///     nn::Linear hidden{4, 16};
///     nn::Linear head{16, 3};
///     void members(nn::Members& m) override { m("hidden", hidden); m("head", head); }
///     Tensor forward(const Tensor& x) override { return head(relu(hidden(x))); }
///   };
///   Classifier model;
///   Tensor scores = model(randn({8, 4}));  // [8, 3]
using Module = ModuleOf<Tensor(const Tensor&)>;

namespace detail {

/// Names that a class derived from a module has for its base.
template <class Signature>
class BaseNames {};
template <>
class BaseNames<Tensor(const Tensor&)> {
 protected:
  using Module = ModuleOf<Tensor(const Tensor&)>;
};

}  // namespace detail

template <class R, class... Args>
class ModuleOf<R(Args...)> : public ModuleBase, public detail::BaseNames<R(Args...)> {
  static_assert(
      detail::is_result<R>,
      "nn::ModuleOf: forward must return a Tensor, an optional, pair, tuple, array or vector of tensors, "
      "or a struct with a function tensors_of; see xtgrad/autograd/tensors_in.h");
  static_assert(
      (detail::is_argument<Args> && ...),
      "nn::ModuleOf: every argument of forward must be a Tensor, a number, an enum, a string, an "
      "optional, pair, tuple, array or vector of them, or a struct with a function tensors_of, by value "
      "or by const reference; see xtgrad/autograd/tensors_in.h");

 public:
  /// The arguments as values, for whoever keeps them, such as a gradient check.
  using Inputs = std::tuple<std::remove_cvref_t<Args>...>;

  /// What the module computes; called through `operator()`, never directly.
  virtual R forward(Args... args) = 0;

  /// Runs `forward`. Throws GraphError if, while recording, it uses a parameter that wants a gradient and
  /// that the outermost module running does not list: no optimizer would train it. An Error that forward
  /// throws goes on with the module's path in its message.
  R operator()(Args... args);

  /// A table of the parts: path, type, output shapes, number of parameters of its own; then totals. Runs
  /// `forward` once without recording; buffers, random streams and counters are put back.
  [[nodiscard]] std::string summary(Args... args);

 protected:
  ModuleOf() = default;
  ModuleOf(const ModuleOf&) = default;
  ModuleOf(ModuleOf&&) noexcept = default;
  ModuleOf& operator=(const ModuleOf&) = default;
  ModuleOf& operator=(ModuleOf&&) noexcept = default;

 private:
  // Names here and in the bases hide the library's functions in a forward that calls them unqualified: none
  // is that of one.
  R call_forward(Args... args);
};

// Behind the class and not in it: what is defined there is inline, and then an optimizing compiler puts all
// of it into each call of a model, `extern template` or not.

template <class R, class... Args>
R ModuleOf<R(Args...)>::operator()(Args... args) {
  if (!OnForward::any()) return call_forward(std::forward<Args>(args)...);
  const auto inputs = detail::tensors_in(args...);  // before forward, which may move them away
  ModuleBase& root = detail::ModuleCall::root_for(*this);
  R result = call_forward(std::forward<Args>(args)...);
  const auto outputs = detail::tensors_in(result);
  OnForward::notify({*this, root, inputs, outputs});
  return result;
}

template <class R, class... Args>
std::string ModuleOf<R(Args...)>::summary(Args... args) {
  return summary_of([&] { static_cast<void>((*this)(std::forward<Args>(args)...)); });
}

template <class R, class... Args>
R ModuleOf<R(Args...)>::call_forward(Args... args) {
  const detail::ModuleCall call(*this);
  try {
    return forward(std::forward<Args>(args)...);
  } catch (Error& error) {
    call.name_in(error);
    throw;
  }
}

extern template class ModuleOf<Tensor(const Tensor&)>;

}}}  // namespace xtgrad::v1::nn
