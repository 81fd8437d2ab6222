#include "xtgrad/autograd/core/hook_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {
namespace {

using Entries = std::vector<std::shared_ptr<HookEntry>>;

/// A copy: a function may add and remove some, itself too.
Entries entries_of(const Node& node) {
  const LeafState* state = node.leaf_state();
  if (state == nullptr || state->gradient->hooks() == nullptr) return {};
  return state->gradient->hooks()->entries;
}

std::string label_of(const Node& node) {
  const LeafState* state = node.leaf_state();
  const std::string name = state == nullptr ? std::string() : state->gradient->name();
  if (!name.empty()) return fmt::format("\"{}\"", name);
  return node.recorded() ? fmt::format("a result of {}", operation_of(node)) : "a leaf";
}

/// `what` is what the function hangs on, or which gradient it replaced.
void check_fits(std::string_view function, const std::string& what, const Tensor& given, const Array& like) {
  const Array& array = array_of(given);
  if (!(array.shape == like.shape)) {
    throw ShapeError(fmt::format("{}: a function on {} gave a gradient of shape {}, it needs {}", function,
                                 what, to_string(array.shape), to_string(like.shape)));
  }
  if (array.dtype != like.dtype) {
    throw DtypeError(fmt::format("{}: a function on {} gave a gradient of {}, it needs {}", function, what,
                                 to_string(array.dtype), to_string(like.dtype)));
  }
}

void replace(std::string_view function, const Node& node, const GradientHook& f, Tensor& gradient) {
  Tensor other = f(gradient);
  if (!other.defined()) return;
  check_fits(function, label_of(node), other, node.array);
  gradient = std::move(other);
}

}  // namespace

void run_gradient_hooks(const Node& node, Tensor& gradient) {
  for (const auto& entry : entries_of(node)) {
    if (!entry->is_removed && entry->on_gradient) {
      replace("on_gradient", node, entry->on_gradient, gradient);
    }
  }
}

void run_accumulated_hooks(const Node& node) {
  if (node.recorded()) return;
  const Tensor gradient = node.leaf_state()->gradient->get();
  if (!gradient.defined()) return;  // another function has cleared it
  for (const auto& entry : entries_of(node)) {
    if (!entry->is_removed && entry->on_accumulated) entry->on_accumulated(gradient);
  }
}

bool has_after_rule_hooks(const Node& node) {
  const Entries entries = entries_of(node);
  return std::any_of(entries.begin(), entries.end(),
                     [](const auto& entry) { return !entry->is_removed && entry->on_rule.after != nullptr; });
}

void run_before_rule_hooks(const Node& node, Tensor& cotangent) {
  for (const auto& entry : entries_of(node)) {
    if (!entry->is_removed && entry->on_rule.before) {
      replace("on_rule", node, entry->on_rule.before, cotangent);
    }
  }
}

void run_after_rule_hooks(const Node& node, const Tensor& cotangent, std::span<Tensor> gradients) {
  const std::span<const Slot> slots = node.slots();
  for (const auto& entry : entries_of(node)) {
    if (entry->is_removed || !entry->on_rule.after) continue;
    entry->on_rule.after({node.primitive().name(), cotangent, gradients});
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      if (!gradients[i].defined() || slots[i].empty()) continue;
      check_fits("on_rule", fmt::format("{}, for input {},", label_of(node), i), gradients[i],
                 node_of(*slots[i].node()).array);
    }
  }
}

}  // namespace xtgrad::v1::detail
