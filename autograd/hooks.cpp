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
namespace detail { namespace {

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

}}  // namespace detail

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
  if (!f) throw ValueError("on_gradient: needs a function, got an empty function");
  detail::check_wants_gradient("on_gradient", node);
  return detail::add_hook(node, {.on_gradient = std::move(f)});
}

Hook on_accumulated(const Tensor& leaf, AccumulatedHook f) {
  detail::Node& node = detail::node_of(leaf);
  if (!f) throw ValueError("on_accumulated: needs a function, got an empty function");
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
