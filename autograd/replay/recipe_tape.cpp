#include "xtgrad/autograd/replay/recipe_tape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <typeinfo>
#include <utility>

#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Writes into each step what is read there for the last time.
void mark_last_uses(Recipe& recipe) {
  constexpr std::size_t never = ~std::size_t{0};
  std::vector<std::size_t> nodes(recipe.nodes, never);
  std::vector<std::size_t> values(recipe.values, never);
  for (std::size_t s = 0; s < recipe.steps.size(); ++s) {
    const RecipeStep& step = recipe.steps[s];
    for (const auto* operands : {&step.inputs, &step.outputs}) {
      for (const RecipeOperand& operand : *operands) {
        if (operand.node != RecipeOperand::none) nodes[operand.node] = s;
        if (operand.value != RecipeOperand::none) values[operand.value] = s;
      }
    }
  }
  for (const Recipe::Output& output : recipe.outputs) {
    if (output.node != RecipeOperand::none) nodes[output.node] = never;
    if (output.value != RecipeOperand::none) values[output.value] = never;
  }
  for (std::uint32_t i = 0; i < recipe.nodes; ++i) {
    if (nodes[i] != never) recipe.steps[nodes[i]].last_nodes.push_back(i);
  }
  for (std::uint32_t i = 0; i < recipe.values; ++i) {
    if (values[i] != never) recipe.steps[values[i]].last_values.push_back(i);
  }
}

Array copy_of(const Array& array) {
  Array copy = Array::uninitialized(array.shape, array.dtype);
  std::memcpy(copy.buffer.data(), array.buffer.data(), copy.buffer.bytes());
  return copy;
}

}  // namespace

RecipeTape::RecipeTape(Purpose purpose) : purpose_(purpose), scope_(*this) {
  for (const Watcher* w = outer(); w != nullptr && !modules_; w = w->outer()) {
    if (dynamic_cast<const RecipeTape*>(w) == nullptr) modules_.emplace(thread_state.module);
  }
}

RecipeTape::~RecipeTape() {
  for (const TapeNode& each : nodes_) {
    if (!each.external.defined()) release_ref(*each.node);
  }
}

RecipeTape* RecipeTape::around(const Watcher& watcher) {
  for (Watcher* w = watcher.outer(); w != nullptr; w = w->outer()) {
    if (auto* tape = dynamic_cast<RecipeTape*>(w)) return tape;
  }
  return nullptr;
}

RecipeTape::Index RecipeTape::make_value(std::uint64_t number) {
  const auto index = static_cast<Index>(values_.size());
  values_.emplace_back();
  value_index_[number] = index;
  return index;
}

void RecipeTape::push_step(RecipeStep step) {
  if (modules_) step.module = modules_->current();
  steps_.push_back(std::move(step));
}

/// A buffer that is not known was filled outside of the door, or before the tape began: it is held.
RecipeTape::Index RecipeTape::value_of(const Array& array) {
  const std::uint64_t number = array.buffer.number();
  if (const auto known = value_index_.find(number); known != value_index_.end()) return known->second;
  const Index index = make_value(number);
  values_[index].external = array;
  return index;
}

void RecipeTape::before_eval(const Primitive& primitive, Inputs in, Outputs out) {
  if (is_paused_) return;
  RecipeList<RecipeOperand> inputs;
  inputs.reserve(in.size());
  for (const Array* array : in) {
    const Index value = value_of(*array);
    inputs.push_back({.value = value, .spec = *array});
    // About to be written over, where the caller has given it away before the tape could hold it.
    Array& external = values_[value].external;
    for (std::size_t k = 0; k < out.size(); ++k) {
      if (out[k] == nullptr || external.buffer.get() != out[k]->buffer.get()) continue;
      if (primitive.alias_of(static_cast<int>(k)) < 0) external = copy_of(external);
    }
  }
  begun_.push_back(std::move(inputs));
}

void RecipeTape::after_eval(const Primitive& primitive, Inputs in, Outputs out) {
  if (is_paused_) return;
  RecipeStep step{.primitive = PrimitiveCopy(primitive), .inputs = std::move(begun_.back())};
  begun_.pop_back();
  for (std::size_t k = 0; k < out.size(); ++k) {
    if (out[k] == nullptr) {
      step.outputs.emplace_back();
      continue;
    }
    const int source = primitive.alias_of(static_cast<int>(k));
    const BufferRef& buffer = out[k]->buffer;
    const bool is_overwritten = source < 0 && std::any_of(in.begin(), in.end(), [&](const Array* array) {
                                  return array->buffer.get() == buffer.get();
                                });
    const Index value = source >= 0 ? step.inputs[static_cast<std::size_t>(source)].value
                                    : make_value(is_overwritten ? buffer.renew_number() : buffer.number());
    step.outputs.push_back({.value = value, .spec = *out[k]});
  }
  push_step(std::move(step));
}

void RecipeTape::add_step(const Primitive& primitive, std::span<const Tensor> inputs,
                          std::span<const Tensor> outputs) {
  RecipeStep step{.primitive = PrimitiveCopy(primitive)};
  for (const Tensor& input : inputs) {
    step.inputs.push_back({.value = value_of(array_of(input)), .spec = array_of(input)});
  }
  for (const Tensor& output : outputs) {
    const std::uint64_t number = array_of(output).buffer.number();
    const auto known = value_index_.find(number);  // if it is an input under another shape
    step.outputs.push_back({.value = known != value_index_.end() ? known->second : make_value(number),
                            .spec = array_of(output)});
  }
  push_step(std::move(step));
}

RecipeTape::Index RecipeTape::add_node(Node& node, Tensor external) {
  const auto index = static_cast<Index>(nodes_.size());
  nodes_.push_back({&node, std::move(external)});
  if (!nodes_.back().external.defined()) node.refs.increment();
  node_index_[&node] = index;
  return index;
}

/// A node that is not known was there before the tape began, or is a leaf.
RecipeTape::Index RecipeTape::node_at(const Slot& slot) {
  if (const auto known = node_index_.find(slot.node()); known != node_index_.end()) return known->second;
  Node& node = node_of(*slot.node());
  const Index added = add_node(node, handle_on(node));
  nodes_[added].is_own = own_leaves_.contains(&node);
  return added;
}

void RecipeTape::after_wish(const Tensor& leaf) {
  if (purpose_ == Purpose::other_elements && !is_paused_) own_leaves_.try_emplace(leaf.node(), leaf);
}

RecipeStep RecipeTape::step_with_own_rule(const Node& node) {
  RecipeStep step{.primitive = PrimitiveCopy(node.primitive()), .evaluates = false};
  for (const Slot& slot : node.slots()) {
    if (!slot.keeps_value()) {
      throw InternalError(
          fmt::format("{}: recorded without having been computed, and does not read all of "
                      "its inputs",
                      node.primitive().name()));
    }
    const Array& array = node_of(*slot.node()).array;
    step.inputs.push_back({.value = value_of(array), .spec = array});
  }
  step.outputs.push_back({.value = value_of(node.array), .spec = node.array});
  return step;
}

void RecipeTape::after_record(Node& node) {
  if (is_paused_) return;
  if (const Part* part = part_at(node)) return add_part(node, part->index());
  if (node.has(Node::parts_flag)) return add_parent(node);
  const auto belongs_to = [&](const RecipeStep& step) {
    const RecipeOperand& output = step.outputs[0];
    const Primitive& primitive = *step.primitive;
    const Primitive& recorded = node.primitive();
    return output.node == none && output.value == value_of(node.array) &&
           typeid(primitive) == typeid(recorded);
  };
  if (steps_.empty() || !belongs_to(steps_.back())) push_step(step_with_own_rule(node));
  RecipeStep& step = steps_.back();
  set_nodes(step.inputs, node);
  step.outputs[0].node = add_node(node, Tensor());
}

/// Of a step that has several outputs, whose nodes come next.
void RecipeTape::add_parent(Node& node) {
  RecipeStep& step = steps_.back();
  step.has_parts = true;
  set_nodes(step.inputs, node);
  nodes_[add_node(node, Tensor())].step = steps_.size() - 1;
}

void RecipeTape::add_part(Node& node, std::size_t index) {
  const TapeNode& parent = nodes_[node_at(node.slots()[0])];
  if (parent.external.defined()) {  // computed outside, and asked for by its rule
    add_node(node, handle_on(node));
    return;
  }
  RecipeOperand& output = steps_[parent.step].outputs[index];
  const Index added = add_node(node, Tensor());
  if (output.node == none) {
    output.node = added;
  } else {
    node_index_[&node] = output.node;  // a rule has asked for the output again: the same tensor
  }
}

void RecipeTape::set_nodes(std::span<RecipeOperand> inputs, const Node& node) {
  const std::span<const Slot> slots = node.slots();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i].wants_gradient()) inputs[i].node = node_at(slots[i]);
  }
}

/// Going back from the result: whether a step is needed, as what, and what it needs.
bool RecipeTape::decide(RecipeStep& step) {
  for (RecipeOperand& output : step.outputs) {
    if (output.node != none && !nodes_[output.node].is_needed) output.node = none;
  }
  const bool is_tensor = step.makes_nodes();
  bool is_needed = is_tensor;
  for (RecipeOperand& output : step.outputs) {
    if (output.value == none || !values_[output.value].is_read) continue;
    const bool is_alias = std::any_of(step.inputs.begin(), step.inputs.end(),
                                      [&](const RecipeOperand& in) { return in.value == output.value; });
    is_needed = is_needed || (step.evaluates && !is_alias);
  }
  if (!is_needed) return false;
  for (RecipeOperand& output : step.outputs) {
    if (output.value != none && !values_[output.value].is_read && step.evaluates) output.value = none;
  }
  if (!step.evaluates) values_[step.outputs[0].value].is_read = true;
  for (RecipeOperand& input : step.inputs) {
    if (is_tensor && input.node != none && !nodes_[input.node].is_own) {
      nodes_[input.node].is_needed = true;
      input.value = none;
    } else {
      values_[input.value].is_read = true;
      input.node = none;
    }
  }
  return true;
}

void RecipeTape::collect_inputs(Result& result) {
  std::unordered_map<const Buffer*, std::size_t> by_buffer;
  for (Index i = 0; i < nodes_.size(); ++i) {
    const TapeNode& each = nodes_[i];
    if (!each.is_needed || !each.external.defined()) continue;
    by_buffer.try_emplace(each.node->array.buffer.get(), result.inputs.size());
    result.recipe->inputs.push_back({.node = i});
    result.inputs.push_back(each.external);
  }
  for (Index i = 0; i < values_.size(); ++i) {
    Value& value = values_[i];
    if (!value.is_read || !value.external.buffer) continue;
    const auto same = by_buffer.find(value.external.buffer.get());
    if (same != by_buffer.end() && result.recipe->inputs[same->second].value == none) {
      result.recipe->inputs[same->second].value = i;
    } else {
      result.recipe->inputs.push_back({.value = i});
      result.inputs.push_back(make_constant(std::move(value.external)));
    }
  }
}

bool RecipeTape::has_recorded(const Tensor& y) const {
  const auto at = node_index_.find(y.node());
  return at != node_index_.end() && !nodes_[at->second].external.defined();
}

/// What hangs on a tensor that will be another one.
void RecipeTape::refuse_what_would_be_lost() const {
  const bool is_again = purpose_ == Purpose::the_same_again;
  const char* const caller = is_again ? "checkpoint" : "vmap";
  const char* const whom = is_again ? "the backward" : "all examples";
  for (const TapeNode& each : nodes_) {
    const LeafState* state = each.external.defined() ? nullptr : each.node->leaf_state();
    if (!each.is_needed || state == nullptr) continue;
    if (each.node->has(Node::hooked_flag)) {
      throw GraphError(
          fmt::format("{}: hooks inside the function: the result of {} is computed again for {}, as another "
                      "tensor, so its functions would not be called",
                      caller, operation_of(*each.node), whom));
    }
    if (!state->keeps_gradient) continue;
    throw GraphError(
        fmt::format("{}: retain_grad() inside the function: the result of {} is computed again for {}, as "
                    "another tensor, so its gradient would be lost",
                    caller, operation_of(*each.node), whom));
  }
}

/// A tensor without history is its elements.
Recipe::Output RecipeTape::output_of(const Tensor& output) {
  const auto known = node_index_.find(output.node());
  Index node = known == node_index_.end() ? none : known->second;
  const bool is_own = own_leaves_.contains(output.node());
  if (node == none && output.requires_grad() && !is_own) node = add_node(node_of(output), output);
  if (node == none || is_own) {
    const Index value = value_of(array_of(output));
    values_[value].is_read = true;
    return {.value = value, .spec = array_of(output)};
  }
  nodes_[node].is_needed = true;
  return {.node = node, .spec = array_of(output)};
}

RecipeTape::Result RecipeTape::recipe_of(std::span<const Tensor> outputs) {
  Result result{std::make_shared<Recipe>(), {}};
  Recipe& recipe = *result.recipe;
  for (const Tensor& output : outputs) recipe.outputs.push_back(output_of(output));
  for (std::size_t s = steps_.size(); s-- > 0;) {
    if (decide(steps_[s])) recipe.steps.push_back(std::move(steps_[s]));
  }
  std::reverse(recipe.steps.begin(), recipe.steps.end());
  refuse_what_would_be_lost();
  recipe.nodes = static_cast<Index>(nodes_.size());
  recipe.values = static_cast<Index>(values_.size());
  collect_inputs(result);
  mark_last_uses(recipe);
  return result;
}

}  // namespace xtgrad::v1::detail
