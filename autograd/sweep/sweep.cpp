#include "xtgrad/autograd/sweep/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/core/hook_list.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/core/visit.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/sweep/hooked_sums.h"
#include "xtgrad/autograd/sweep/store_gradients.h"

namespace xtgrad::inline v1::detail {
namespace {

[[noreturn]] void throw_misfit(const Node& node, std::size_t i, const Array& gradient, const Array& input) {
  throw InternalError(fmt::format("{}: its rule gave input {} a gradient of {} {}, but the input is {} {}",
                                  node.primitive().name(), i, to_string(gradient.dtype),
                                  to_string(gradient.shape), to_string(input.dtype), to_string(input.shape)));
}

/// Drops what nobody wants, and checks the rest. Inlined by force: who else calls it is rare.
[[gnu::always_inline]] inline void keep_wanted(const Node& node, const Way* ways,
                                               std::span<Tensor> gradients) {
  const std::span<const Slot> slots = node.slots();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (!gradients[i].defined()) continue;
    if (is_wanted(slots[i], i, ways)) {
      const Array &gradient = array_of(gradients[i]), &input = node_of(*slots[i].node()).array;
      if (!(gradient.shape == input.shape) || gradient.dtype != input.dtype) {
        throw_misfit(node, i, gradient, input);
      }
    } else {
      gradients[i] = Tensor();
    }
  }
}

/// While it lives, watchers know that the node's rule runs.
class WatchedRule {
 public:
  WatchedRule(const Node& node, const Tensor& cotangent) : node_(node) {
    for (Watcher* w = thread_state.watcher; w != nullptr; w = w->outer()) w->before_rule(node, cotangent);
  }
  ~WatchedRule() {
    for (Watcher* w = thread_state.watcher; w != nullptr; w = w->outer()) w->leave_rule(node_);
  }
  WatchedRule(const WatchedRule&) = delete;
  WatchedRule& operator=(const WatchedRule&) = delete;

  void after(std::span<Tensor> gradients) const {
    for (Watcher* w = thread_state.watcher; w != nullptr; w = w->outer()) w->after_rule(node_, gradients);
  }
  void locate(Error& error) const {
    for (Watcher* w = thread_state.watcher; w != nullptr; w = w->outer()) w->locate(error);
  }

 private:
  const Node& node_;
};

/// The nodes that a sweep goes on to are rarely in the first-level cache; they arrive while the rule runs: a
/// fortieth of the time of a chain of small operations.
void prefetch_inputs(std::span<const Slot> slots) {
  constexpr std::size_t most = 2;
  constexpr std::size_t line = 64;
  for (std::size_t i = 0; i < slots.size() && i < most; ++i) {
    // As a number: an empty slot has no node, and behind a null pointer there is nothing to point to.
    const auto node = reinterpret_cast<std::uintptr_t>(slots[i].node());
    for (std::size_t k = 0; k < 3; ++k) __builtin_prefetch(reinterpret_cast<const void*>(node + k * line));
  }
}

}  // namespace

Sweep::Sweep(std::string_view function, bool keep_graph, bool create_graph)
    : function_(function), keep_graph_(keep_graph || create_graph), recording_(create_graph) {}

void Sweep::seed(const Tensor& output, Tensor cotangent) {
  seeds_.push_back({&node_of(output), std::move(cotangent)});
}

// The three that run for each node are inlined by force into each kind of sweep: to leaves there are no ways,
// and all that asks for them goes, a sixteenth of a chain's instructions.

/// The gradients of the node's inputs, empty where none is wanted.
[[gnu::always_inline]] inline std::span<Tensor> Sweep::run_rule(Node& node, Tensor& cotangent,
                                                                const Way* ways) {
  const std::span<const Slot> slots = node.slots();
  if (gradients_.size() < slots.size()) gradients_.resize(slots.size());
  const std::span<Tensor> gradients(gradients_.data(), slots.size());
  constexpr std::uint16_t rare = Node::hooked_flag | Node::parts_flag;
  if (thread_state.is_watched() || (node.flags.load(std::memory_order_relaxed) & rare) != 0) [[unlikely]] {
    // Nobody is told of parts: they only hand their cotangents on.
    if (part_at(node) == nullptr) {
      run_rule_observed(node, cotangent, gradients, ways);
      return gradients;
    }
  }
  prefetch_inputs(slots);
  VjpContext context(node, cotangent, gradients, ways, this);
  node.primitive().vjp(context);
  passed_ = true;
  keep_wanted(node, ways, gradients);
  return gradients;
}

[[gnu::always_inline]] inline void Sweep::hand_on(Node& node, std::span<Tensor> gradients, const Way* ways) {
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

/// Runs a node's rule and hands its gradients on. False, and nothing has changed, if a walk must say first
/// which of them are wanted. The rule may take the cotangent.
[[gnu::always_inline]] inline bool Sweep::pass(Node& node, Tensor& cotangent, const SweepInputs* inputs) {
  // Nothing is claimed before it is known that it will be freed: another sweep would be refused for nothing.
  Visit visit(node, !keep_graph_ && inputs == nullptr);
  if (!visit.entered()) throw_claimed(function_, node, passed_, !keep_graph_);
  if (inputs != nullptr) {
    if (!find_ways(node, *inputs)) return false;
    if (!keep_graph_ && !visit.claim()) throw_claimed(function_, node, passed_, true);
  }
  if (node.has(Node::hooked_flag)) [[unlikely]]
    run_gradient_hooks(node, cotangent);
  if (inputs == nullptr && kept_gradient(node) != nullptr) pending_.add_complete(node, cotangent);
  const Way* ways = inputs == nullptr ? nullptr : ways_.data();
  const std::span<Tensor> gradients = run_rule(node, cotangent, ways);
  visit.spend();
  hand_on(node, gradients, ways);
  return true;
}

void Sweep::to_leaves() {
  for (Seed& seed : seeds_) {
    if (pending_.add(*seed.node, std::move(seed.cotangent))) seed.node->refs.increment();
  }
  while (!pending_.empty()) {
    PendingCotangents::Entry entry = pending_.pop();
    pass(*entry.node, entry.cotangent, nullptr);
  }
  store_gradients(pending_);
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
    return std::span(cotangents_).first(inputs.count());
  }
  call_hooks_of_inputs(inputs, {});
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

bool Sweep::find_ways(const Node& node, const SweepInputs& inputs) {
  const std::span<const Slot> slots = node.slots();
  if (ways_.size() < slots.size()) ways_.resize(slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    ways_[i] = slots[i].wants_gradient() ? way_to(node_of(*slots[i].node()), inputs) : no_way;
    if (ways_[i] == unknown_way) return false;
  }
  return true;
}

/// What the inputs say, mostly without asking them: nodes in a row remember the same leaf.
inline Way Sweep::way_to(const Node& node, const SweepInputs& inputs) {
  const Node* const origin = node.recorded() ? node.origin() : nullptr;
  if (origin != nullptr && origin == reached_leaf_ && node.id >= inputs.lowest_id()) return some_way;
  const Way way = inputs.way_to(node);
  if (way == some_way) reached_leaf_ = origin;
  return way;
}

void Sweep::run_rule_observed(Node& node, Tensor cotangent, std::span<Tensor> gradients, const Way* ways) {
  if (!node.has(Node::hooked_flag)) {
    run_rule_watched(node, cotangent, gradients, ways, *this);
    return;
  }
  run_before_rule_hooks(node, cotangent);
  if (!has_after_rule_hooks(node)) {
    run_rule_watched(node, cotangent, gradients, ways, *this);
    return;
  }
  HookedSums sums(*this);
  run_rule_watched(node, cotangent, gradients, ways, sums);
  sums.keep(gradients);
  run_after_rule_hooks(node, cotangent, gradients);
  // A function may have set one that nobody asked for.
  keep_wanted(node, ways, gradients);
  if (!sums.show(gradients)) return;
  Vector<Tensor> again(gradients.size());
  run_rule_watched(node, cotangent, again, ways, sums);
  sums.drop_added(gradients, again);
}

/// The rule may not take the cotangent: functions look at it afterwards.
void Sweep::run_rule_watched(Node& node, const Tensor& cotangent, std::span<Tensor> gradients,
                             const Way* ways, CotangentSums& sums) {
  const bool several = node.has(Node::parts_flag);
  Tensor given = several ? Tensor() : cotangent;
  const PartCotangents* const parts = several ? &cotangents_of(cotangent) : nullptr;
  VjpContext context(node, given, gradients, ways, &sums, parts);
  {
    const WatchedRule watched(node, given);
    try {
      node.primitive().vjp(context);
      passed_ = true;
      watched.after(gradients);
    } catch (Error& error) {
      watched.locate(error);
      throw;
    }
  }
  keep_wanted(node, ways, gradients);
}

Tensor* Sweep::find(Node& node, std::size_t i, const Way* ways) {
  const Slot& slot = node.slots()[i];
  if (!slot.wants_gradient() || (ways != nullptr && ways[i] == no_way)) return nullptr;
  if (ways == nullptr || ways[i] == some_way) return pending_.find(node_of(*slot.node()));
  return cotangents_[ways[i]].defined() ? &cotangents_[ways[i]] : nullptr;
}

/// A lookup's gradient is kept as it is where only its own places are to be touched: in a leaf's gradient
/// that is there already, and that a sum would be added to in place.
LookupTarget Sweep::lookup_target(Node& node, std::size_t i, const Way* ways, std::size_t axis,
                                  const Shape& shape) {
  const Slot& slot = node.slots()[i];
  if (ways != nullptr || !is_wanted(slot, i, nullptr)) return {find(node, i, ways), false};
  const Node& input = node_of(*slot.node());
  Tensor* const sum = pending_.peek(input);
  if (sum != nullptr && sum->defined()) return {sum, false};
  if (!input.recorded() && input.array.numel() >= LookupSum::smallest_leaf) {
    const bool may_defer = sum != nullptr
                               ? pending_.lookups(input).takes(input.array, axis, shape)
                               : may_store_placed(input) && LookupSum().takes(input.array, axis, shape);
    if (may_defer) return {nullptr, true};
  }
  return {sum == nullptr ? nullptr : pending_.find(input), false};
}

void Sweep::defer(Node& node, std::size_t i, Lookup&& lookup) {
  Node& leaf = node_of(*node.slots()[i].node());
  if (pending_.defer(leaf, std::move(lookup))) leaf.refs.increment();
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
    const bool is_input = step.place < inputs.count();
    Tensor cotangent = is_input ? place : std::move(place);
    if (!cotangent.defined()) continue;
    if (step.node->has(Node::hooked_flag)) [[unlikely]] {
      run_gradient_hooks(*step.node, cotangent);
      if (is_input) place = cotangent;
    }
    const Way* ways = plan.ways(step);
    const std::span<Tensor> gradients = run_rule(*step.node, cotangent, ways);
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      if (gradients[i].defined()) accumulate_into(cotangents_[ways[i]], std::move(gradients[i]));
    }
    if (spent != nullptr) spent->spend(k);
  }
  call_hooks_of_inputs(inputs, steps);
}

/// Of those inputs that were no steps of the plan: leaves, and tensors whose own rule nobody asked for.
void Sweep::call_hooks_of_inputs(const SweepInputs& inputs, std::span<const SweepPlan::Step> steps) {
  for (const auto& [node, position] : inputs.hooked()) {
    const auto is_its = [at = position](const SweepPlan::Step& step) { return step.place == at; };
    Tensor& gradient = cotangents_[position];
    if (gradient.defined() && std::none_of(steps.begin(), steps.end(), is_its)) {
      run_gradient_hooks(*node, gradient);
    }
  }
}

}  // namespace xtgrad::v1::detail
