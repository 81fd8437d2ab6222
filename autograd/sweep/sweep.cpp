#include "xtgrad/autograd/sweep/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/sweep/visit.h"

namespace xtgrad::inline v1::detail {
namespace {

void check_gradient(const Node& node, std::size_t i, const Tensor& gradient, const Node& input) {
  const Array& array = array_of(gradient);
  if (array.shape == input.array.shape && array.dtype == input.array.dtype) return;
  throw InternalError(fmt::format("{}: its rule gave input {} a gradient of {} {}, but the input is {} {}",
                                  node.primitive().name(), i, to_string(array.dtype), to_string(array.shape),
                                  to_string(input.array.dtype), to_string(input.array.shape)));
}

/// Numbers of the sweeps that store gradients, from 1.
std::uint64_t next_backward() {
  static constinit std::atomic<std::uint64_t> sweeps{0};
  return sweeps.fetch_add(1, std::memory_order_relaxed) + 1;
}

/// Where the gradient of a node is to be stored, if it is; a leaf may have been frozen since it was used.
GradientSlot* kept_gradient(const Node& node) {
  const LeafState* state = node.leaf_state();
  return state != nullptr && state->keeps_gradient && node.requires_grad() ? state->gradient : nullptr;
}

/// Nobody is told of parts: they only hand their cotangents on.
Watcher* watcher_of_rules(const Node& node) {
  return thread_state.watcher == nullptr || part_at(node) != nullptr ? nullptr : thread_state.watcher;
}

}  // namespace

Sweep::Sweep(std::string_view function, bool keep_graph, bool create_graph)
    : function_(function),
      keep_graph_(keep_graph || create_graph),
      recorded_before_(thread_state.set_recording(create_graph)) {}

Sweep::~Sweep() { thread_state.set_recording(recorded_before_); }

void Sweep::seed(const Tensor& output, Tensor cotangent) {
  seeds_.push_back({&node_of(output), std::move(cotangent)});
}

void Sweep::to_leaves() {
  for (Seed& seed : seeds_) {
    if (pending_.add(*seed.node, std::move(seed.cotangent))) seed.node->refs.increment();
  }
  while (!pending_.empty()) {
    const PendingCotangents::Entry entry = pending_.pop();
    if (kept_gradient(*entry.node) != nullptr) pending_.add_complete(*entry.node, entry.cotangent);
    pass(*entry.node, entry.cotangent, nullptr);
  }
  if (keep_graph_) {
    store_all_or_nothing();
  } else {
    store();
  }
}

std::span<const Tensor> Sweep::to_inputs(const SweepInputs& inputs) {
  cotangents_.resize(inputs.count());
  if (!start_without_plan(inputs)) {
    go_on_by_plan(seeds_, inputs);
    return std::span(cotangents_).first(inputs.count());
  }
  while (!pending_.empty()) {
    PendingCotangents::Entry entry = pending_.pop();
    if (pass(*entry.node, entry.cotangent, &inputs)) continue;
    Vector<PendingCotangents::Entry> rest;  // keeps the references
    rest.push_back(std::move(entry));
    while (!pending_.empty()) rest.push_back(pending_.pop());
    Vector<Seed> seeds;
    for (PendingCotangents::Entry& each : rest) seeds.push_back({&*each.node, std::move(each.cotangent)});
    go_on_by_plan(seeds, inputs);
  }
  return std::span(cotangents_).first(inputs.count());
}

std::span<const Tensor> Sweep::along(const SweepPlan& plan, const SweepInputs& inputs,
                                     std::span<const Tensor> cotangents) {
  cotangents_.resize(plan.places());
  for (std::size_t i = 0; i < cotangents.size(); ++i) {
    if (!cotangents[i].defined() || plan.root(i) == no_way) continue;
    accumulate_into(cotangents_[plan.root(i)], Tensor(cotangents[i]));
  }
  follow(plan, inputs, nullptr);
  return std::span(cotangents_).first(inputs.count());
}

/// Runs a node's rule and hands its gradients on. False, and nothing has changed, if a walk must say first
/// which of them are wanted.
bool Sweep::pass(Node& node, const Tensor& cotangent, const SweepInputs* inputs) {
  // Nothing is claimed before it is known that it will be freed: another sweep would be refused for nothing.
  Visit visit(node, !keep_graph_ && inputs == nullptr);
  if (!visit.entered()) throw_claimed(function_, node, passed_, !keep_graph_);
  if (inputs != nullptr) {
    if (!find_ways(node, *inputs)) return false;
    if (!keep_graph_ && !visit.claim()) throw_claimed(function_, node, passed_, true);
  }
  const Way* ways = inputs == nullptr ? nullptr : ways_.data();
  const std::span<Tensor> gradients = run_rule(node, cotangent, ways);
  visit.spend();
  hand_on(node, gradients, ways);
  return true;
}

bool Sweep::find_ways(const Node& node, const SweepInputs& inputs) {
  const std::span<const Slot> slots = node.slots();
  if (ways_.size() < slots.size()) ways_.resize(slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    ways_[i] = slots[i].wants_gradient() ? inputs.way_to(node_of(*slots[i].node())) : no_way;
    if (ways_[i] == unknown_way) return false;
  }
  return true;
}

/// The gradients of the node's inputs, empty where none is wanted.
std::span<Tensor> Sweep::run_rule(Node& node, const Tensor& cotangent, const Way* ways) {
  const std::span<const Slot> slots = node.slots();
  if (gradients_.size() < slots.size()) gradients_.resize(slots.size());
  const std::span<Tensor> gradients(gradients_.data(), slots.size());
  VjpContext context(node, cotangent, gradients, ways, this);
  Watcher* const watcher = watcher_of_rules(node);
  for (Watcher* w = watcher; w != nullptr; w = w->outer()) w->before_rule(node);
  node.primitive().vjp(context);
  passed_ = true;
  for (Watcher* w = watcher; w != nullptr; w = w->outer()) w->after_rule(node, gradients);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (!gradients[i].defined()) continue;
    if (context.wanted(i)) {
      check_gradient(node, i, gradients[i], node_of(*slots[i].node()));
    } else {
      gradients[i] = Tensor();
    }
  }
  return gradients;
}

Tensor* Sweep::find(Node& node, std::size_t i, const Way* ways) {
  if (ways == nullptr || ways[i] == some_way) return pending_.find(node_of(*node.slots()[i].node()));
  return cotangents_[ways[i]].defined() ? &cotangents_[ways[i]] : nullptr;
}

void Sweep::hand_on(Node& node, std::span<Tensor> gradients, const Way* ways) {
  const std::span<Slot> slots = node.slots();
  const bool may_cut = !keep_graph_ && is_alone(node);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (!gradients[i].defined()) continue;
    if (ways != nullptr && ways[i] != some_way) {
      accumulate_into(cotangents_[ways[i]], std::move(gradients[i]));
      continue;
    }
    Node& input = node_of(*slots[i].node());
    if (!pending_.add(input, std::move(gradients[i]))) continue;
    if (may_cut && !slots[i].keeps_value()) {
      slots[i] = Slot();  // the edge's own reference goes on into the list
    } else {
      input.refs.increment();
    }
  }
}

/// Seeds the list of pending cotangents, unless a walk must say first which outputs lead to an input.
bool Sweep::start_without_plan(const SweepInputs& inputs) {
  ways_.resize(seeds_.size());
  for (std::size_t i = 0; i < seeds_.size(); ++i) {
    ways_[i] = inputs.way_to(*seeds_[i].node);
    if (ways_[i] == unknown_way) return false;
  }
  for (std::size_t i = 0; i < seeds_.size(); ++i) {
    Seed& seed = seeds_[i];
    if (ways_[i] == no_way) continue;
    if (ways_[i] != some_way) {
      accumulate_into(cotangents_[ways_[i]], std::move(seed.cotangent));
    } else if (pending_.add(*seed.node, std::move(seed.cotangent))) {
      seed.node->refs.increment();
    }
  }
  return true;
}

void Sweep::go_on_by_plan(std::span<Seed> seeds, const SweepInputs& inputs) {
  Vector<Node*> roots;
  roots.reserve(seeds.size());
  for (const Seed& seed : seeds) roots.push_back(seed.node);
  SweepPlan plan(function_, roots, inputs, !keep_graph_, passed_);
  cotangents_.resize(plan.places());
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    if (plan.root(i) != no_way) accumulate_into(cotangents_[plan.root(i)], std::move(seeds[i].cotangent));
  }
  follow(plan, inputs, keep_graph_ ? nullptr : &plan);
}

void Sweep::follow(const SweepPlan& plan, const SweepInputs& inputs, SweepPlan* spent) {
  const std::span<const SweepPlan::Step> steps = plan.steps();
  for (std::size_t k = 0; k < steps.size(); ++k) {
    const SweepPlan::Step& step = steps[k];
    Tensor& place = cotangents_[step.place];
    // An input's stays where it is, for the caller.
    const Tensor cotangent = step.place < inputs.count() ? place : std::move(place);
    if (!cotangent.defined()) continue;
    const Way* ways = plan.ways(step);
    const std::span<Tensor> gradients = run_rule(*step.node, cotangent, ways);
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      if (gradients[i].defined()) accumulate_into(cotangents_[ways[i]], std::move(gradients[i]));
    }
    if (spent != nullptr) spent->spend(k);
  }
}

void Sweep::store() {
  const std::uint64_t number = next_backward();
  while (!pending_.none_complete()) {
    PendingCotangents::Entry entry = pending_.pop_complete();
    if (GradientSlot* slot = kept_gradient(*entry.node)) slot->accumulate(std::move(entry.cotangent), number);
  }
}

/// A kept graph may be swept again after a failure, and then no gradient may have been stored twice: what
/// could fail comes before the first is.
void Sweep::store_all_or_nothing() {
  const std::uint64_t number = next_backward();
  struct Stored {
    PendingCotangents::Entry entry;
    GradientSlot::Sum sum;
  };
  Vector<Stored> all;
  while (!pending_.none_complete()) {
    PendingCotangents::Entry entry = pending_.pop_complete();
    GradientSlot* slot = kept_gradient(*entry.node);
    if (slot == nullptr) continue;
    GradientSlot::Sum sum = slot->prepare(entry.cotangent);
    all.push_back({std::move(entry), std::move(sum)});
  }
  for (Stored& each : all) {
    if (GradientSlot* slot = kept_gradient(*each.entry.node))
      slot->accumulate(std::move(each.entry.cotangent), std::move(each.sum), number);
  }
}

}  // namespace xtgrad::v1::detail
