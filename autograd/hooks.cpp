#include "xtgrad/autograd/hooks.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "xtgrad/autograd/core/hook_list.h"
#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1 {
namespace detail {
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

namespace {

void check_wants_gradient(std::string_view function, const Node& node) {
  if (!node.requires_grad()) {
    throw GraphError(fmt::format("{}: this tensor does not require a gradient, so none will come", function));
  }
}

Hook add_hook(Node& node, HookEntry entry) {
  GradientStore& store = *leaf_state_of(node).gradient;
  if (store.hooks() == nullptr) store.set_hooks(std::make_shared<HookList>());
  auto shared = std::make_shared<HookEntry>(std::move(entry));
  store.hooks()->entries.push_back(shared);
  node.set(Node::hooked_flag);
  return {store.hooks(), shared};
}

}  // namespace
}  // namespace detail

void Hook::remove() {
  const std::shared_ptr<detail::HookEntry> entry = entry_.lock();
  const std::shared_ptr<detail::HookList> list = list_.lock();
  entry_.reset();
  list_.reset();
  if (entry == nullptr || list == nullptr) return;
  entry->is_removed = true;
  std::erase(list->entries, entry);
}

bool Hook::active() const { return !entry_.expired() && !list_.expired(); }

Hook on_gradient(const Tensor& x, GradientHook f) {
  detail::Node& node = detail::node_of(x);
  if (!f) throw ValueError("on_gradient: needs a function, got an empty std::function");
  detail::check_wants_gradient("on_gradient", node);
  return detail::add_hook(node, {.on_gradient = std::move(f)});
}

Hook on_accumulated(const Tensor& leaf, AccumulatedHook f) {
  detail::Node& node = detail::node_of(leaf);
  if (!f) throw ValueError("on_accumulated: needs a function, got an empty std::function");
  if (node.recorded()) {
    throw GraphError(fmt::format("on_accumulated: this tensor was computed by {}, and only leaves accumulate",
                                 detail::operation_of(node)));
  }
  detail::check_wants_gradient("on_accumulated", node);
  return detail::add_hook(node, {.on_accumulated = std::move(f)});
}

Hook on_rule(const Tensor& y, RuleHooks hooks) {
  detail::Node& node = detail::node_of(y);
  if (!hooks.before && !hooks.after) throw ValueError("on_rule: needs a function, got none");
  if (!node.recorded()) {
    throw GraphError("on_rule: this tensor was not computed by a recorded operation, so no rule will run");
  }
  if (const detail::Part* part = detail::part_at(node)) {
    throw GraphError(
        fmt::format("on_rule: this tensor is one of several outputs of {}, whose rule is not its "
                    "own; on_gradient sees its gradient",
                    part->operation()));
  }
  return detail::add_hook(node, {.on_rule = std::move(hooks)});
}

}  // namespace xtgrad::v1
