#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Functions that a sweep calls when it comes to a tensor: to look at gradients, or to replace them.
//
// They run in backward(), grad(), pullbacks and Jacobians (once for each row), several on one tensor in the
// order in which they came. Where the sweep records (create_graph), what they compute is recorded, and has
// derivatives. They live as long as the tensor's place in the graph, a parameter's also when it gets a new
// value; a function that holds its own tensor keeps both alive until it is removed. What a function throws
// leaves the sweep, which then has stored no gradient, except that `on_accumulated` comes after all are. No
// thread may add or remove functions on a tensor while another sweeps a graph that it is in; a function
// itself may, and the sweep that calls it need not call what it adds.

namespace detail {
struct HookEntry;
struct HookList;
}  // namespace detail

/// A function that hangs on a tensor. Dropping this leaves it there.
class Hook {
 public:
  Hook() = default;

  /// Takes the function off its tensor; nothing if it is gone already.
  void remove();
  /// True while the function hangs on a tensor that is alive.
  [[nodiscard]] bool active() const;

  // For the library alone.
  Hook(const std::shared_ptr<detail::HookList>& list, const std::shared_ptr<detail::HookEntry>& entry)
      : list_(list), entry_(entry) {}

 private:
  std::weak_ptr<detail::HookList> list_;
  std::weak_ptr<detail::HookEntry> entry_;
};

/// Gets a gradient, complete and of the tensor's shape and dtype; gives another one of the same to take its
/// place, or an empty handle to leave it.
using GradientHook = Callable<Tensor(const Tensor& gradient)>;

/// Calls `f` on the gradient of `x` once a sweep has it complete: for a computed tensor before its rule runs,
/// for a leaf before it is added to its grad(). Throws GraphError if x wants no gradient; the sweep throws
/// ShapeError or DtypeError if f gives a gradient that does not fit x.
///
///   const Tensor h = tanh(matmul(x, w));
///   on_gradient(h, [](const Tensor& g) { return clamp(g, {.min = -1, .max = 1}); });
///   sum(square(h)).backward();  // w's gradient is that of the clamped one
Hook on_gradient(const Tensor& x, GradientHook f);

/// Gets a leaf's gradient as it stands after an addition.
using AccumulatedHook = Callable<void(const Tensor& gradient)>;

/// Calls `f` whenever backward() has added to the gradient of `leaf`, after the gradients of all leaves are
/// stored. Throws GraphError for a computed tensor, or if the leaf wants no gradient.
Hook on_accumulated(const Tensor& leaf, AccumulatedHook f);

/// A rule that has run.
struct RuleCall {
  std::string_view operation;   ///< such as "matmul"
  const Tensor& cotangent;      ///< of the output
  std::span<Tensor> gradients;  ///< of each input, empty where none is wanted; others may take their place
};

struct RuleHooks {
  /// Gets the cotangent, after the functions of `on_gradient`; what it gives instead is the rule's alone.
  GradientHook before = nullptr;
  Callable<void(const RuleCall& call)> after = nullptr;
};

/// Calls functions before and after the derivative rule of the operation that computed `y`. A rule that adds
/// to what its input has got already, such as slice's, runs twice where there is an `after`: once for the
/// function to see the gradient whole, and once more, for the sum, unless the function replaced it. So a
/// function that only looks changes no bit. Throws GraphError for a leaf, for a tensor without history, and
/// for one of several outputs, whose operation has one rule.
Hook on_rule(const Tensor& y, RuleHooks hooks);

}}  // namespace xtgrad::v1
