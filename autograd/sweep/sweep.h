#pragma once

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/recording.h"
#include "xtgrad/autograd/sweep/pending.h"
#include "xtgrad/autograd/sweep/sweep_plan.h"

namespace xtgrad::inline v1::detail {

/// One pass over a graph, from outputs to inputs. Give it the outputs' cotangents by `seed`, and call one of
/// the other functions.
///
/// A sweep that frees claims a node before its rule, and takes what the node kept after it. If anything
/// throws before, the node is whole; if later, it counts as freed, and another sweep is told so.
class Sweep : private CotangentSums {
 public:
  /// `function` is what the user called, for errors. Records on this thread, or not, while the sweep lives.
  Sweep(std::string_view function, bool keep_graph, bool create_graph);
  ~Sweep() = default;
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

  /// `output` must outlive the sweep, and want a gradient.
  void seed(const Tensor& output, Tensor cotangent);

  /// Adds to the gradients of leaves and of tensors that retain theirs, all of them at the end.
  void to_leaves();
  /// The gradient of each input, by position; an empty handle for one that no gradient reaches. Rules do no
  /// work for other tensors, and only what lies on a way to an input is freed.
  std::span<const Tensor> to_inputs(const SweepInputs& inputs);
  /// The same along a plan, whose roots are the outputs, with the seeds' cotangents left out or empty where
  /// there is none. For a sweep that keeps the graph.
  std::span<const Tensor> along(const SweepPlan& plan, const SweepInputs& inputs,
                                std::span<const Tensor> cotangents);

 private:
  template <class T>
  using Vector = std::vector<T, PoolAllocator<T>>;
  struct Seed {
    Node* node;
    Tensor cotangent;
  };

  Tensor* find(Node& node, std::size_t i, const Way* ways) override;
  void add(Tensor& sum, Tensor term) override { accumulate_into(sum, std::move(term)); }
  LookupTarget lookup_target(Node& node, std::size_t i, const Way* ways, std::size_t axis,
                             const Shape& shape) override;
  void defer(Node& node, std::size_t i, Lookup&& lookup) override;

  bool pass(Node& node, Tensor& cotangent, const SweepInputs* inputs);
  bool find_ways(const Node& node, const SweepInputs& inputs);
  Way way_to(const Node& node, const SweepInputs& inputs);
  std::span<Tensor> run_rule(Node& node, Tensor& cotangent, const Way* ways);
  void run_rule_observed(Node& node, Tensor cotangent, std::span<Tensor> gradients, const Way* ways);
  void run_rule_watched(Node& node, const Tensor& cotangent, std::span<Tensor> gradients, const Way* ways,
                        CotangentSums& sums);
  void hand_on(Node& node, std::span<Tensor> gradients, const Way* ways);
  bool start_without_plan(const SweepInputs& inputs);
  void go_on_by_plan(std::span<Seed> seeds, const SweepInputs& inputs);
  void follow(const SweepPlan& plan, const SweepInputs& inputs, SweepPlan* spent);
  void call_hooks_of_inputs(const SweepInputs& inputs, std::span<const SweepPlan::Step> steps);

  std::string_view function_;
  bool keep_graph_;
  bool passed_ = false;                 // a rule has run
  const Node* reached_leaf_ = nullptr;  // an input, which the last node that was asked for remembers
  Vector<Seed> seeds_;
  PendingCotangents pending_;
  Vector<Tensor> gradients_;   // of the node at hand
  Vector<Way> ways_;           // of the node at hand, in a sweep to inputs without a plan
  Vector<Tensor> cotangents_;  // by place
  RecordingScope recording_;
};

}  // namespace xtgrad::v1::detail
