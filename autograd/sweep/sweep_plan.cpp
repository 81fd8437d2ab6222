#include "xtgrad/autograd/sweep/sweep_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/core/visit.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/sweep/node_queue.h"
#include "xtgrad/autograd/sweep/node_ref.h"

namespace xtgrad::inline v1::detail {

void throw_claimed(std::string_view function, const Node& node, bool passed, bool frees) {
  const std::string_view what = !node.has(Node::freed_flag)      ? "is being freed by another sweep"
                                : node.has(Node::to_inputs_flag) ? "was freed by an earlier grad"
                                                                 : "was freed by an earlier backward";
  const std::string_view partial = !passed ? ""
                                   : frees ? ". The gradients found before are partial, and none was stored; "
                                             "the graph of the operations passed by then is freed"
                                           : ". The gradients found before are partial, and none was stored";
  throw GraphError(
      fmt::format("{}: the graph of {} {}; pass {{.keep_graph = true}} to the first one to sweep it again{}",
                  function, operation_of(node), what, partial));
}

SweepInputs::SweepInputs(std::span<const Tensor> inputs) {
  table_.reserve(inputs.size());
  positions_.reserve(inputs.size());
  unsigned flags = 0;  // of any
  for (const Tensor& input : inputs) {
    const Node& node = node_of(input);
    const Way* known = table_.find(node);
    positions_.push_back(known != nullptr ? *known : count_);
    if (known != nullptr) continue;
    table_.insert(node, count_++);
    lowest_id_ = std::min(lowest_id_, node.id);
    flags |= node.flags.load(std::memory_order_relaxed);
  }
  all_leaves_ = (flags & Node::recorded_flag) == 0;
  if ((flags & Node::hooked_flag) != 0) find_hooked(inputs);
}

void SweepInputs::find_hooked(std::span<const Tensor> inputs) {
  std::vector<bool> seen(count_);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Node& node = node_of(inputs[i]);
    if (seen[positions_[i]] || !node.has(Node::hooked_flag)) continue;
    seen[positions_[i]] = true;
    hooked_.push_back({&node, positions_[i]});
  }
}

Way SweepInputs::way_to(const Node& node) const {
  if (node.id < lowest_id_) return no_way;
  if (!node.recorded()) {
    const Way* position = find(node);
    return position == nullptr ? no_way : *position;
  }
  if (!all_leaves_) return unknown_way;
  const Node* origin = node.origin();
  return origin != nullptr && find(*origin) != nullptr ? some_way : unknown_way;
}

// It delegates so that what was entered is left again if the rest throws: the destructor then runs.
SweepPlan::SweepPlan(std::string_view function, std::span<Node* const> roots, const SweepInputs& inputs,
                     bool frees, bool passed)
    : SweepPlan() {
  walk(function, roots, inputs, frees, passed);
  drop_what_reaches_nothing(inputs.count());
  for (; frees && claimed_ < steps_.size(); ++claimed_) {
    Node& node = *steps_[claimed_].node;
    if (!claim(node)) throw_claimed(function, node, passed, frees);
  }
}

SweepPlan::~SweepPlan() {
  for (std::size_t step = steps_.size(); step-- > 0;) give_up(step);
}

void SweepPlan::walk(std::string_view function, std::span<Node* const> roots, const SweepInputs& inputs,
                     bool frees, bool passed) {
  NodeQueue<std::uint32_t> waiting;
  places_ = inputs.count();
  const auto way_to = [&](Node& node) {
    if (node.id < inputs.lowest_id()) return no_way;
    if (const std::uint32_t* place = waiting.find(node)) return *place;
    const Way* position = inputs.find(node);
    if (!node.recorded()) return position == nullptr ? no_way : *position;
    const std::uint32_t place = position == nullptr ? places_++ : *position;
    waiting.insert(node, std::uint32_t{place});
    return place;
  };
  roots_.reserve(roots.size());
  for (Node* root : roots) roots_.push_back(way_to(*root));
  while (!waiting.empty()) {
    const auto [node, place] = waiting.pop();
    const std::size_t first_way = ways_.size();
    ways_.resize(first_way + node->n_slots, no_way);
    steps_.push_back({nullptr, place, static_cast<std::uint32_t>(first_way)});
    // The edge by which the walk came is other sweeps' way too: to enter takes a reference of its own.
    node->refs.increment();
    NodeRef reference(node);
    if (!enter(*node, false)) {
      // Behind the lowest input nothing is asked for.
      if (node->id > inputs.lowest_id()) throw_claimed(function, *node, passed, frees);
      continue;
    }
    steps_.back().node = reference.release();
    const std::span<Slot> slots = node->slots();
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (slots[i].wants_gradient()) ways_[first_way + i] = way_to(node_of(*slots[i].node()));
    }
  }
}

void SweepPlan::drop_what_reaches_nothing(std::uint32_t inputs) {
  Vector<std::uint8_t> reaches(places_, 0);
  std::fill_n(reaches.begin(), inputs, std::uint8_t{1});
  // From the lowest id up: what a node leads to is known before the node comes.
  for (std::size_t k = steps_.size(); k-- > 0;) {
    const Step& step = steps_[k];
    if (step.node == nullptr) continue;
    bool any = false;
    for (std::size_t i = 0; i < step.node->n_slots; ++i) {
      Way& way = ways_[step.first_way + i];
      if (way != no_way && reaches[way] == 0) way = no_way;
      any = any || way != no_way;
    }
    if (any) {
      reaches[step.place] = 1;
    } else {
      give_up(k);
    }
  }
  std::erase_if(steps_, [](const Step& step) { return step.node == nullptr; });
  for (Way& root : roots_) {
    if (root != no_way && reaches[root] == 0) root = no_way;
  }
}

void SweepPlan::give_up(std::size_t step) noexcept {
  Node* node = std::exchange(steps_[step].node, nullptr);
  if (node == nullptr) return;
  if (step < claimed_) unclaim(*node);
  leave(*node);
  release_ref(*node);
}

void SweepPlan::spend(std::size_t step) noexcept {
  Node* node = std::exchange(steps_[step].node, nullptr);
  leave(*node);
  release_ref(*node);
}

}  // namespace xtgrad::v1::detail
