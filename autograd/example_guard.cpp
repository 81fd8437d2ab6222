#include "xtgrad/autograd/example_guard.h"

#include <fmt/format.h>

#include <algorithm>

#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

std::vector<std::shared_ptr<const ExampleValues>> examples_being_listed() {
  std::vector<std::shared_ptr<const ExampleValues>> all;
  if (!thread_state.is_watched()) return all;
  for (const Watcher* watcher = thread_state.watcher; watcher != nullptr; watcher = watcher->outer()) {
    if (const auto* guard = dynamic_cast<const ExampleGuard*>(watcher)) all.push_back(guard->values());
  }
  return all;
}

ExampleGuard::ExampleGuard(std::string_view caller, Refusal refusal)
    : caller_(caller), refusal_(refusal), scope_(*this) {}

ExampleGuard::~ExampleGuard() = default;

void ExampleGuard::refuse(const std::string& message) {
  if (refusal_ == Refusal::throws) throw GraphError(message);
  if (noted_.empty()) noted_ = message;
}

void ExampleGuard::before_eval(const Primitive& primitive, Inputs in, Outputs) {
  const std::string_view name = primitive.name();
  if (name == "advance_counter") {
    refuse(
        fmt::format("{}: the function moves a counter on, which it would do once for all examples", caller_));
  } else if (name == "advance_stream" || name == "split_stream") {
    refuse(fmt::format(
        "{}: the function draws from a random stream, and all examples would get the draw of one: draw for "
        "the whole batch outside, and make the numbers an input",
        caller_));
  }
  const auto depends = [this](const Array* array) { return values_->contains(*array); };
  begun_.push_back({&primitive, std::ranges::any_of(in, depends)});
}

/// The tape has been told before, and has given a new number to what was written over.
void ExampleGuard::after_eval(const Primitive& primitive, Inputs, Outputs out) {
  // What had begun and is not the step at hand has failed.
  const bool depends = begun_.back().primitive == &primitive && begun_.back().depends;
  if (begun_.back().primitive != &primitive) {
    refuse(fmt::format("{}: an operation failed, and the function went on, which other examples may not do",
                       caller_));
  }
  begun_.pop_back();
  if (!depends) return;
  for (const Array* array : out) {
    if (array != nullptr) values_->numbers.insert(array->buffer.number());
  }
}

void ExampleGuard::note_leaf(const Node& node) {
  if (!node.requires_grad() || node.recorded() || node.leaf_state() == nullptr) return;
  if (own_leaves_.contains(&node) || leaves_.contains(&node)) return;
  leaves_.emplace(&node, Leaf{handle_on(const_cast<Node&>(node)), node.leaf_state()->gradient->last_sweep()});
}

void ExampleGuard::before_apply(std::span<const Tensor* const> operands) {
  for (const Tensor* operand : operands) {
    if (operand->defined()) note_leaf(node_of(*operand));
  }
}

void ExampleGuard::before_rule(const Node& node, const Tensor&) {
  if (node.has(Node::hooked_flag)) {
    refuse(fmt::format("{}: a function hangs on the result of {}, and would be called for one example alone",
                       caller_, operation_of(node)));
  }
  for (const Slot& slot : node.slots()) {
    if (!slot.empty() && slot.wants_gradient()) note_leaf(node_of(*slot.node()));
  }
}

void ExampleGuard::after_wish(const Tensor& leaf) { own_leaves_.try_emplace(leaf.node(), leaf); }

void ExampleGuard::before_read(const Array& array, std::string_view function) {
  if (!values_->contains(array)) return;
  refuse(fmt::format(
      "{}: {}() reads elements that differ from example to example as C++ numbers, and the function would go "
      "on with those of one: choose by where(), or return the tensor and read it outside",
      caller_, function));
}

void ExampleGuard::end() {
  values_->is_listed = true;
  if (!begun_.empty()) {
    refuse(fmt::format("{}: an operation failed, and the function went on, which other examples may not do",
                       caller_));
  }
  for (const auto& [key, leaf] : leaves_) {
    const GradientStore& gradient = *node_of(leaf.tensor).leaf_state()->gradient;
    if (gradient.last_sweep() == leaf.last_sweep) continue;
    refuse(fmt::format(
        "{}: backward() in the function adds to the gradient of {}, once and not for each example: use "
        "grad() "
        "or vjp(), and return what they give",
        caller_,
        gradient.name().empty() ? fmt::format("a leaf of shape {}", to_string(leaf.tensor.shape()))
                                : fmt::format("\"{}\"", gradient.name())));
  }
}

}  // namespace xtgrad::v1::detail
