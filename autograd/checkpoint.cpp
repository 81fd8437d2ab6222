#include "xtgrad/autograd/checkpoint.h"

#include <cstring>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/replay/recipe_tape.h"
#include "xtgrad/autograd/sweep/sweep.h"

namespace xtgrad::inline v1 { namespace detail {
namespace {

/// The same tensor as another node. Gradients in it are of its uses from here on alone, where an input may
/// have been computed from another.
class Renamed final : public DifferentiablePrimitive<Renamed> {
 public:
  [[nodiscard]] std::string_view name() const override { return "renamed"; }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(Inputs, Outputs) const override {}
  [[nodiscard]] int alias_of(int) const override { return 0; }
  void vjp(VjpContext& context) const override { context.set(0, context.g()); }
};

/// The node of a checkpointed function: of all that it computed, this keeps the inputs alone, constants
/// included.
class Checkpoint final : public DifferentiablePrimitive<Checkpoint> {
 public:
  explicit Checkpoint(std::shared_ptr<const Recipe> recipe)
      : recipe_(std::move(recipe)), steps_(static_cast<std::int64_t>(recipe_->steps.size())) {}

  [[nodiscard]] std::string_view name() const override { return "checkpoint"; }
  void describe(Attributes& a) override { a("steps", steps_); }
  [[nodiscard]] bool takes_many_inputs() const override { return true; }
  [[nodiscard]] Reads reads(Wanted) const override { return ~output_bit; }
  [[nodiscard]] Counts counts(InputSpecs) const override { return {recipe_->outputs.size(), 0}; }
  void infer(InputSpecs, OutputSpecs out) const override {
    for (std::size_t k = 0; k < out.size(); ++k) *out[k] = recipe_->outputs[k].spec;
  }

  void eval(Inputs in, Outputs out) const override {
    const NoGrad no_grad;
    std::vector<Tensor> tensors;
    for (const Array* array : in) tensors.push_back(make_constant(*array));
    const std::vector<Tensor> results = recipe_->run(tensors);
    for (std::size_t k = 0; k < out.size(); ++k) {
      std::memcpy(out[k]->buffer.data(), array_of(results[k]).buffer.data(), out[k]->buffer.bytes());
    }
  }

  // Sums that inputs have got by now go on inside: gradients are added up in the order, and to the bits, of
  // the plain call.
  void vjp(VjpContext& context) const override {
    const bool create_graph = thread_state.records();
    std::vector<Tensor> tensors;
    std::vector<Tensor> variables;
    std::vector<std::size_t> places;
    std::vector<Tensor> outputs;
    {
      const EnableGrad record;
      for (std::size_t i = 0; i < context.inputs(); ++i) {
        tensors.push_back(variable(context, i, create_graph));
        if (!context.wanted(i)) continue;
        variables.push_back(tensors.back());
        places.push_back(i);
      }
      if (variables.empty()) return;  // all were frozen since
      outputs = recipe_->run(tensors);
    }
    tensors.clear();
    std::vector<Tensor> cotangents;
    std::vector<Tensor> reached;  // by a gradient
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      // One may depend on nothing but what was frozen since.
      if (!context.g(k).defined() || !outputs[k].requires_grad()) continue;
      cotangents.push_back(context.g(k));
      reached.push_back(std::move(outputs[k]));
    }
    outputs.clear();
    if (reached.empty()) return;
    std::vector<Tensor*> sums;
    for (const std::size_t place : places) sums.push_back(context.sum(place));
    std::vector<Tensor> gradients = sweep(reached, cotangents, variables, sums, create_graph);
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (sums[i] != nullptr) {
        *sums[i] = std::move(gradients[i]);
      } else {
        context.set(places[i], std::move(gradients[i]));
      }
    }
  }

 private:
  /// Input i as the steps shall see it. Where the graph of the gradient is wanted, it is still a part of the
  /// caller's.
  static Tensor variable(const VjpContext& context, std::size_t i, bool create_graph) {
    const SavedValue value = context.input(i);
    if (create_graph && value.requires_grad()) return apply(Renamed{}, Tensor(value));
    Tensor constant = make_constant(value.array());
    if (context.wanted(i)) constant.set_requires_grad();
    return constant;
  }

  /// The gradients of the variables, added to the sums where there are some, which are taken.
  static std::vector<Tensor> sweep(std::span<const Tensor> outputs, std::span<const Tensor> cotangents,
                                   std::span<const Tensor> variables, std::span<Tensor* const> sums,
                                   bool create_graph) {
    const SweepInputs inputs(variables);
    Sweep sweep("checkpoint", false, create_graph);
    for (std::size_t k = 0; k < outputs.size(); ++k) sweep.seed(outputs[k], cotangents[k]);
    for (std::size_t i = 0; i < variables.size(); ++i) {
      if (sums[i] != nullptr) sweep.seed(variables[i], std::move(*sums[i]));
    }
    const std::span<const Tensor> found = sweep.to_inputs(inputs);
    return {found.begin(), found.end()};
  }

  std::shared_ptr<const Recipe> recipe_;
  std::int64_t steps_;
};

}  // namespace

void checkpoint_call(const Callable<std::vector<Tensor*>()>& f) {
  std::vector<Tensor*> results;
  std::vector<Tensor> outputs;  // those that f recorded, each once
  std::unordered_map<const NodeCounts*, std::size_t> positions;
  std::optional<RecipeTape::Result> listed;
  RecipeTape* outer = nullptr;
  if (thread_state.records()) {
    RecipeTape tape;
    outer = RecipeTape::around(tape);
    const RecipeTape::Pause pause(outer);
    results = f();
    for (const Tensor* y : results) {
      if (tape.has_recorded(*y) && positions.emplace(y->node(), outputs.size()).second) outputs.push_back(*y);
    }
    if (!outputs.empty()) listed = tape.recipe_of(outputs);
  } else {
    results = f();
  }
  if (results.empty()) throw GraphError("checkpoint: the function returned no tensor, or an empty handle");
  // What f did not compute is another's, such as an argument that it has returned: the result is a tensor of
  // its own.
  for (Tensor* y : results) {
    if (y->defined() && !positions.contains(y->node()) && node_of(*y).values.load() > 1) *y = alias(*y);
  }
  if (!listed) return;
  const Checkpoint primitive(std::move(listed->recipe));
  std::vector<const Tensor*> inputs;
  for (const Tensor& input : listed->inputs) inputs.push_back(&input);
  Computed computed{.wishes = wishes_of(inputs), .outputs = outputs.size(), .arrays = {}};
  if (computed.wishes.first == nullptr) return;  // f has frozen what it used
  if (outer != nullptr) outer->add_step(primitive, listed->inputs, outputs);
  for (const Tensor& y : outputs) computed.arrays.push_back(array_of(y));
  const std::vector<Tensor> recorded = record_all(primitive, std::move(computed), inputs);
  for (Tensor* y : results) {
    if (const auto at = positions.find(y->node()); at != positions.end()) *y = recorded[at->second];
  }
}

}  // namespace detail
}  // namespace xtgrad::v1
