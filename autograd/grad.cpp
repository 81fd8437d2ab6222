#include "xtgrad/autograd/grad.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <unordered_set>
#include <utility>

#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/core/pending.h"
#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/core/rule_mutation.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

/// Sets the recording flag of this thread and puts it back.
class Recording {
 public:
  explicit Recording(bool on) : before_(thread_state.set_recording(on)) {}
  ~Recording() { thread_state.set_recording(before_); }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  bool before_;
};

void check_gradient(const Node& node, std::size_t i, const Tensor& gradient, const Node& input) {
  const Array& array = array_of(gradient);
  if (array.shape == input.array.shape && array.dtype == input.array.dtype) return;
  throw InternalError(fmt::format("{}: its rule gave input {} a gradient of {} {}, but the input is {} {}",
                                  node.primitive().name(), i, to_string(array.dtype), to_string(array.shape),
                                  to_string(input.array.dtype), to_string(input.array.shape)));
}

[[noreturn]] void throw_freed(const Node& node) {
  throw GraphError(fmt::format(
      "backward: the graph of {} was freed by an earlier sweep; pass {{.keep_graph = true}} to the "
      "first one to sweep it again",
      node.primitive().name()));
}

/// One pass over a graph, from outputs to inputs.
class Sweep {
 public:
  Sweep(bool keep_graph, bool create_graph)
      : keep_graph_(keep_graph || create_graph), recording_(create_graph) {}

  void seed(const Tensor& output, Tensor cotangent) {
    node_of(output).refs.increment();
    pending_.add(node_of(output), std::move(cotangent));
  }

  /// Limits the sweep to nodes on a way to an input; `take` is called with each node's complete cotangent.
  template <class Take>
  void run(const ReachedNodes* needed, Take take) {
    while (!pending_.empty()) {
      PendingCotangents::Entry entry = pending_.pop();
      const ReleaseOnExit release{*entry.node};
      take(*entry.node, entry.cotangent);
      if (entry.node->recorded()) pass(*entry.node, entry.cotangent, needed);
    }
  }

 private:
  struct ReleaseOnExit {
    Node& node;
    ~ReleaseOnExit() { release_ref(node); }
  };

  void pass(Node& node, const Tensor& cotangent, const ReachedNodes* needed) {
    if (node.has(Node::freed_flag)) {
      throw GraphError(
          fmt::format("backward: the graph of {} was freed by an earlier sweep; pass "
                      "{{.keep_graph = true}} to the first one to sweep it again",
                      node.primitive().name()));
    }
    const std::span<Slot> slots = node.slots();
    gradients_.resize(std::max(gradients_.size(), slots.size()));
    const std::span<Tensor> gradients(gradients_.data(), slots.size());
    VjpContext context(node, cotangent, gradients, needed);
    node.primitive().vjp(context);
    if (thread_state.mutation != nullptr) thread_state.mutation->apply(node.primitive().name(), gradients);
    for (std::size_t i = 0; i < slots.size(); ++i) {
      Tensor gradient = std::move(gradients[i]);
      if (!gradient.defined() || !context.wanted(i)) continue;
      Node& input = node_of(*slots[i].node());
      check_gradient(node, i, gradient, input);
      if (keep_graph_ || slots[i].keeps_value()) {
        input.refs.increment();
      } else {
        slots[i] = Slot();  // the edge's own reference goes on into the list
      }
      pending_.add(input, std::move(gradient));
    }
    if (!keep_graph_) free_graph_of(node);
  }

  PendingCotangents pending_;
  std::vector<Tensor, PoolAllocator<Tensor>> gradients_;  // of the node at hand
  bool keep_graph_;
  Recording recording_;
};

/// The nodes from which at least one of `inputs` can be reached, found without recursion. Throws GraphError
/// for a freed node on the way: what was behind it is not known any more.
ReachedNodes nodes_on_the_way(std::span<const Tensor> outputs, std::span<const Tensor> inputs) {
  ReachedNodes needed;
  std::uint64_t lowest = ~std::uint64_t{0};
  for (const Tensor& input : inputs) {
    needed.insert(&node_of(input));
    lowest = std::min(lowest, node_of(input).id);
  }
  std::unordered_set<const Node*> seen;
  std::vector<const Node*> order;
  const auto visit = [&](const Node& node) {
    // An ancestor's id is smaller than its consumer's: below the lowest input there is nothing to find.
    if (node.id < lowest || !seen.insert(&node).second) return;
    if (node.has(Node::freed_flag) && !needed.contains(&node)) throw_freed(node);
    order.push_back(&node);
  };
  for (const Tensor& output : outputs) visit(node_of(output));
  for (std::size_t next = 0; next < order.size(); ++next) {
    for (const Slot& slot : order[next]->slots()) {
      if (slot.wants_gradient()) visit(node_of(*slot.node()));
    }
  }
  std::sort(order.begin(), order.end(), [](const Node* a, const Node* b) { return a->id < b->id; });
  for (const Node* node : order) {
    for (const Slot& slot : node->slots()) {
      if (slot.wants_gradient() && needed.contains(static_cast<const Node*>(slot.node())))
        needed.insert(node);
    }
  }
  return needed;
}

/// Which input a node is; several may be the same tensor. Sorted, so that a sweep over many nodes to many
/// inputs does not compare each with each.
class InputIndex {
 public:
  explicit InputIndex(std::span<const Tensor> inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) places_.push_back({inputs[i].node(), i});
    std::sort(places_.begin(), places_.end());
  }

  template <class F>
  void for_each_place(const Node& node, F&& f) const {
    const NodeCounts* key = &node;
    auto place = std::lower_bound(places_.begin(), places_.end(), std::pair(key, std::size_t{0}));
    for (; place != places_.end() && place->first == key; ++place) f(place->second);
  }

 private:
  std::vector<std::pair<const NodeCounts*, std::size_t>> places_;
};

Tensor seed_cotangent(std::string_view function, const Tensor& output, const std::vector<Tensor>& cotangents,
                      std::size_t i) {
  if (!output.requires_grad()) {
    throw GraphError(
        fmt::format("{}: output {} was not computed from a tensor that requires a gradient, or was "
                    "computed under NoGrad",
                    function, i));
  }
  if (i < cotangents.size() && cotangents[i].defined()) {
    const Tensor& given = cotangents[i];
    if (given.shape() != output.shape()) {
      throw ShapeError(fmt::format("{}: the cotangent of output {} has shape {}, the output has {}", function,
                                   i, to_string(given.shape()), to_string(output.shape())));
    }
    if (given.dtype() != output.dtype()) {
      throw DtypeError(fmt::format("{}: the cotangent of output {} is {}, the output is {}", function, i,
                                   to_string(given.dtype()), to_string(output.dtype())));
    }
    return given;
  }
  if (output.numel() != 1) {
    throw ShapeError(
        fmt::format("{}: output {} has shape {}, and only one element has an obvious cotangent; give "
                    "one of that shape, or reduce the output first",
                    function, i, to_string(output.shape())));
  }
  return ones_like(output);
}

void check_cotangent_count(std::string_view function, std::size_t outputs, const GradOptions& options) {
  if (!options.cotangents.empty() && options.cotangents.size() != outputs) {
    throw ValueError(
        fmt::format("{}: got {} cotangents for {} outputs", function, options.cotangents.size(), outputs));
  }
}

}  // namespace

bool VjpContext::wanted(std::size_t i) const {
  const Slot& slot = node_.slots()[i];
  if (!slot.wants_gradient()) return false;
  return needed_ == nullptr || needed_->contains(static_cast<const Node*>(slot.node()));
}

SavedValue VjpContext::input(std::size_t i) const {
  const Slot& slot = node_.slots()[i];
  if (!slot.keeps_value()) {
    throw InternalError(
        fmt::format("{}: its rule reads input {}, which it did not declare", node_.primitive().name(), i));
  }
  return SavedValue(node_of(*slot.node()));
}

SavedValue VjpContext::output() const {
  if (!node_.has(Node::keeps_output_flag)) {
    throw InternalError(
        fmt::format("{}: its rule reads the output, which it did not declare", node_.primitive().name()));
  }
  return SavedValue(node_);
}

const Shape& VjpContext::shape(std::size_t i) const { return node_of(*node_.slots()[i].node()).array.shape; }

Dtype VjpContext::dtype(std::size_t i) const { return node_of(*node_.slots()[i].node()).array.dtype; }

}  // namespace detail

std::vector<Tensor> grad(std::span<const Tensor> outputs, std::span<const Tensor> inputs,
                         const GradOptions& options) {
  using namespace detail;
  check_cotangent_count("grad", outputs.size(), options);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].requires_grad()) {
      throw GraphError(
          fmt::format("grad: input {} does not require a gradient; call set_requires_grad() on it "
                      "before computing with it",
                      i));
    }
  }
  const ReachedNodes needed = nodes_on_the_way(outputs, inputs);
  std::vector<Tensor> gradients(inputs.size());
  {
    Sweep sweep(options.keep_graph, options.create_graph);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      Tensor cotangent = seed_cotangent("grad", outputs[i], options.cotangents, i);
      if (needed.contains(&node_of(outputs[i]))) sweep.seed(outputs[i], std::move(cotangent));
    }
    const InputIndex index(inputs);
    sweep.run(&needed, [&](const Node& node, const Tensor& cotangent) {
      index.for_each_place(node, [&](std::size_t i) { gradients[i] = cotangent; });
    });
  }
  for (std::size_t i = 0; i < inputs.size() && !options.allow_unused; ++i) {
    if (!gradients[i].defined()) {
      throw GraphError(
          fmt::format("grad: no gradient reaches input {}: no output was computed from it by a "
                      "differentiable way; pass {{.allow_unused = true}} for an empty handle instead",
                      i));
    }
  }
  return gradients;
}

std::vector<Tensor> grad(std::initializer_list<Tensor> outputs, std::initializer_list<Tensor> inputs,
                         const GradOptions& options) {
  return grad(std::span(outputs.begin(), outputs.size()), std::span(inputs.begin(), inputs.size()), options);
}

void backward(std::span<const Tensor> outputs, const GradOptions& options) {
  using namespace detail;
  static constinit std::atomic<std::uint64_t> sweeps{0};
  const std::uint64_t number = sweeps.fetch_add(1, std::memory_order_relaxed) + 1;
  check_cotangent_count("backward", outputs.size(), options);
  Sweep sweep(options.keep_graph, options.create_graph);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    sweep.seed(outputs[i], seed_cotangent("backward", outputs[i], options.cotangents, i));
  }
  sweep.run(nullptr, [number](const Node& node, Tensor& cotangent) {
    LeafState* state = node.leaf_state;
    if (state == nullptr || !state->keeps_gradient) return;
    // A leaf has no rule that still needs the cotangent, so its buffer can be given away.
    state->gradient->accumulate(node.recorded() ? cotangent : std::move(cotangent), number);
  });
}

void Tensor::backward(const BackwardOptions& options) const {
  GradOptions grad_options{.keep_graph = options.keep_graph, .create_graph = options.create_graph};
  if (options.gradient.defined()) grad_options.cotangents.push_back(options.gradient);
  xtgrad::backward(std::span(this, 1), grad_options);
}

void Tensor::backward() const { backward(BackwardOptions{}); }

bool is_recording() { return detail::thread_state.records(); }

NoGrad::NoGrad() : before_(detail::thread_state.set_recording(false)) {}
NoGrad::~NoGrad() { detail::thread_state.set_recording(before_); }
EnableGrad::EnableGrad() : before_(detail::thread_state.set_recording(true)) {}
EnableGrad::~EnableGrad() { detail::thread_state.set_recording(before_); }

}  // namespace xtgrad::inline v1
