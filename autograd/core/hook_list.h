#pragma once

#include <memory>
#include <span>
#include <vector>

#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/hooks.h"

namespace xtgrad::inline v1::detail {

/// A function that was hung on a tensor: one of the three.
struct HookEntry {
  GradientHook on_gradient = nullptr;
  AccumulatedHook on_accumulated = nullptr;
  RuleHooks on_rule = {};
  bool is_removed = false;  // while the list was being gone through
};

/// All functions on a tensor, in the order in which they came. Lists are kept beside the gradient, so that a
/// parameter keeps them when it gets a new value; a node that has one says so by `hooked_flag`, which sweeps
/// look at.
struct HookList {
  std::vector<std::shared_ptr<HookEntry>> entries;
};

// What a sweep asks of a node with the flag. What a function replaces is checked: ShapeError or DtypeError.

/// Calls the functions of `on_gradient`, in turn, on the complete gradient.
void run_gradient_hooks(const Node& node, Tensor& gradient);
/// Calls those of `on_accumulated`, after a gradient was added to the leaf's.
void run_accumulated_hooks(const Node& node);
/// Calls the `before` functions of `on_rule`, in turn, on the cotangent that the rule will get.
void run_before_rule_hooks(const Node& node, Tensor& cotangent);
/// True if there is an `after` function of `on_rule`.
bool has_after_rule_hooks(const Node& node);
/// Calls the `after` functions on what the rule gave.
void run_after_rule_hooks(const Node& node, const Tensor& cotangent, std::span<Tensor> gradients);

}  // namespace xtgrad::v1::detail
