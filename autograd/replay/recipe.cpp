#include "xtgrad/autograd/replay/recipe.h"

#include <algorithm>
#include <utility>

#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {
namespace {

template <class T>
using Vector = std::vector<T, PoolAllocator<T>>;

/// One call of a recipe.
class Run {
 public:
  explicit Run(const Recipe& recipe) : nodes_(recipe.nodes), values_(recipe.values) {}

  void set(const Recipe::Input& input, const Tensor& tensor) {
    if (input.value != RecipeOperand::none) values_[input.value] = array_of(tensor).buffer;
    if (input.node != RecipeOperand::none) nodes_[input.node] = tensor;
  }

  void step(const RecipeStep& step) {
    take_inputs(step);
    results_.clear();
    results_.resize(step.outputs.size());
    if (step.has_parts && has_node(step)) {
      evaluate_parts(step);
    } else {
      Tensor result = step.evaluates ? evaluate(step) : with_own_rule(step);
      if (has_node(step)) nodes_[step.outputs[0].node] = std::move(result);
    }
    for (std::size_t k = 0; k < step.outputs.size(); ++k) {
      const std::uint32_t value = step.outputs[k].value;
      if (value != RecipeOperand::none) values_[value] = results_[k].buffer;
    }
    operands_.clear();  // so that what is dropped below is free before the next step
    results_.clear();
    for (const std::uint32_t node : step.last_nodes) nodes_[node] = Tensor();
    for (const std::uint32_t value : step.last_values) values_[value].drop();
  }

  [[nodiscard]] Tensor take(std::uint32_t node) { return std::move(nodes_[node]); }

 private:
  static bool has_node(const RecipeStep& step) {
    return std::any_of(step.outputs.begin(), step.outputs.end(),
                       [](const RecipeOperand& output) { return output.node != RecipeOperand::none; });
  }

  void evaluate_parts(const RecipeStep& step) {
    std::vector<Tensor> parts = apply_all(*step.primitive, pointers_);
    for (std::size_t k = 0; k < parts.size(); ++k) {
      results_[k] = array_of(parts[k]);
      if (step.outputs[k].node != RecipeOperand::none) nodes_[step.outputs[k].node] = std::move(parts[k]);
    }
  }

  void take_inputs(const RecipeStep& step) {
    operands_.clear();
    pointers_.clear();
    arrays_.clear();
    operands_.reserve(step.inputs.size());
    for (const RecipeOperand& input : step.inputs) {
      operands_.push_back(
          input.node != RecipeOperand::none
              ? nodes_[input.node]
              : make_constant(Array(input.spec.shape, input.spec.dtype, values_[input.value])));
    }
    for (const Tensor& operand : operands_) {
      pointers_.push_back(&operand);
      arrays_.push_back(&array_of(operand));
    }
  }

  Tensor evaluate(const RecipeStep& step) {
    const bool is_tensor = step.outputs[0].node != RecipeOperand::none;
    const Wishes wishes = is_tensor ? wishes_of(pointers_) : Wishes{};
    const bool records = wishes.first != nullptr;
    const auto outputs = static_cast<std::ptrdiff_t>(step.primitive->counts(specs()).outputs);
    wanted_.clear();
    for (std::size_t k = 0; k < results_.size(); ++k) {
      const bool is_output = static_cast<std::ptrdiff_t>(k) < outputs;
      const bool is_read = step.outputs[k].value != RecipeOperand::none;
      wanted_.push_back(is_output || is_read || records ? &results_[k] : nullptr);
    }
    compute_any(*step.primitive, arrays_, wanted_);
    return finish(step, wishes);
  }

  /// The function's own operations are other steps, which nobody records.
  Tensor with_own_rule(const RecipeStep& step) {
    const RecipeOperand& output = step.outputs[0];
    results_[0] = Array(output.spec.shape, output.spec.dtype, values_[output.value]);
    return finish(step, wishes_of(pointers_));
  }

  Tensor finish(const RecipeStep& step, const Wishes& wishes) {
    if (step.outputs[0].node == RecipeOperand::none) return {};
    if (wishes.first == nullptr) return make_constant(results_[0]);
    Vector<Array> auxiliaries(results_.begin() + 1, results_.end());
    return record<Primitive>(*step.primitive, Array(results_[0]), pointers_, wishes, auxiliaries);
  }

  InputSpecs specs() {
    specs_.assign(arrays_.begin(), arrays_.end());
    return specs_;
  }

  Vector<Tensor> nodes_;
  Vector<BufferRef> values_;
  // Of the step at hand.
  Vector<Tensor> operands_;
  Vector<const Tensor*> pointers_;
  Vector<const Array*> arrays_;
  Vector<const Spec*> specs_;
  Vector<Array> results_;
  Vector<Array*> wanted_;
};

}  // namespace

Tensor Recipe::run(std::span<const Tensor> tensors) const {
  Run run(*this);
  for (std::size_t i = 0; i < inputs.size(); ++i) run.set(inputs[i], tensors[i]);
  for (const RecipeStep& step : steps) run.step(step);
  return run.take(output);
}

}  // namespace xtgrad::v1::detail
