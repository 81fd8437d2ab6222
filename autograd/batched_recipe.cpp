#include "xtgrad/autograd/batched_recipe.h"

#include <algorithm>
#include <utility>

#include "xtgrad/autograd/batch_loop.h"
#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::detail {
namespace {

BatchInput constant_of(const BatchInput& operand) { return {operand.tensor.detach(), operand.is_batched}; }

std::vector<const Tensor*> pointers_to(std::span<const Tensor> tensors) {
  std::vector<const Tensor*> pointers;
  for (const Tensor& tensor : tensors) pointers.push_back(&tensor);
  return pointers;
}

class BatchedRun {
 public:
  BatchedRun(const Recipe& recipe, std::int64_t size)
      : size_(size), nodes_(recipe.nodes), values_(recipe.values) {}

  void set(const Recipe::Input& input, const BatchInput& operand) {
    if (input.value != RecipeOperand::none) values_[input.value] = constant_of(operand);
    if (input.node != RecipeOperand::none) nodes_[input.node] = operand;
  }

  void step(const RecipeStep& step) {
    for (const RecipeOperand& input : step.inputs) operands_.push_back(operand_of(input));
    const bool is_batched = std::ranges::any_of(operands_, &BatchInput::is_batched);
    keep(step, is_batched ? batched(step, operands_) : single(step, operands_), is_batched);
    operands_.clear();  // so that what is dropped below is free before the next step
    for (const std::uint32_t node : step.last_nodes) nodes_[node] = {};
    for (const std::uint32_t value : step.last_values) values_[value] = {};
  }

  [[nodiscard]] BatchInput operand_of(const RecipeOperand& operand) const {
    if (operand.node != RecipeOperand::none) return nodes_[operand.node];
    const BatchInput& value = values_[operand.value];
    const std::span<const std::int64_t> sizes = sizes_of(value);
    if (std::ranges::equal(sizes, operand.spec.shape)) return value;
    return {reshape(value.tensor, value.is_batched ? batch_of(operand.spec.shape) : operand.spec.shape),
            value.is_batched};
  }

 private:
  /// Of an example.
  static std::span<const std::int64_t> sizes_of(const BatchInput& value) {
    const Shape& shape = value.tensor.shape();
    return std::span(shape.begin(), shape.end()).subspan(value.is_batched ? 1 : 0);
  }
  [[nodiscard]] Shape batch_of(const Shape& example) const {
    Shape shape{size_};
    for (const std::int64_t size : example) shape.push_back(size);
    return shape;
  }

  /// The outputs of a step whose operands are batched, and where a rule reads them, its auxiliaries.
  std::vector<Tensor> batched(const RecipeStep& step, const std::vector<BatchInput>& operands) const {
    if (!step.evaluates) return with_own_rule(step, operands);
    const Primitive& primitive = *step.primitive;
    const int source = step.outputs.size() == 1 ? primitive.alias_of(0) : -1;
    if (source >= 0) {
      const BatchInput& operand = operands[static_cast<std::size_t>(source)];
      if (operand.is_batched) return {reshape(operand.tensor, batch_of(step.outputs[0].spec.shape))};
    }
    return reads_auxiliaries(step) ? apply_batched_with_auxiliaries(primitive, operands)
                                   : apply_batched(primitive, operands);
  }

  [[nodiscard]] std::vector<Tensor> single(const RecipeStep& step,
                                           const std::vector<BatchInput>& operands) const {
    std::vector<Tensor> tensors;
    for (const BatchInput& operand : operands) tensors.push_back(operand.tensor);
    const std::vector<const Tensor*> pointers = pointers_to(tensors);
    if (!step.evaluates) return {recorded(step, operand_of(value_of(step)).tensor, pointers)};
    return reads_auxiliaries(step) ? apply_with_auxiliaries(*step.primitive, pointers)
                                   : apply_all(*step.primitive, pointers);
  }

  /// A function with a rule of its own: its value is there, computed by other steps. The rule is one for
  /// an example, and so is what is recorded.
  [[nodiscard]] std::vector<Tensor> with_own_rule(const RecipeStep& step,
                                                  std::span<const BatchInput> operands) const {
    const BatchInput value = operand_of(value_of(step));
    const bool is_wanted = std::ranges::any_of(
        operands, [](const BatchInput& operand) { return operand.tensor.requires_grad(); });
    if (!is_wanted || size_ == 0) {
      return {value.is_batched ? value.tensor : broadcast_to(value.tensor, batch_of(value.tensor.shape()))};
    }
    std::vector<Tensor> results;
    for (std::int64_t i = 0; i < size_; ++i) {
      std::vector<Tensor> example;
      for (const BatchInput& operand : operands) example.push_back(example_of(operand, i));
      results.push_back(recorded(step, example_of(value, i), pointers_to(example)));
    }
    return {stack(results)};
  }

  static Tensor recorded(const RecipeStep& step, const Tensor& value,
                         const std::vector<const Tensor*>& inputs) {
    const Wishes wishes = wishes_of(inputs);
    if (wishes.first == nullptr) return value;
    return record<Primitive>(*step.primitive, Array(array_of(value)), inputs, wishes);
  }

  /// The output of a step that does not evaluate, as other steps have made it.
  static RecipeOperand value_of(const RecipeStep& step) {
    return {.value = step.outputs[0].value, .spec = step.outputs[0].spec};
  }

  static bool reads_auxiliaries(const RecipeStep& step) {
    if (step.outputs.size() == 1) return false;
    std::vector<const Spec*> specs;
    for (const RecipeOperand& input : step.inputs) specs.push_back(&input.spec);
    const std::size_t outputs = step.primitive->counts(specs).outputs;
    for (std::size_t k = outputs; k < step.outputs.size(); ++k) {
      if (step.outputs[k].value != RecipeOperand::none) return true;
    }
    return false;
  }

  void keep(const RecipeStep& step, std::vector<Tensor> results, bool is_batched) {
    for (std::size_t k = 0; k < step.outputs.size() && k < results.size(); ++k) {
      const RecipeOperand& output = step.outputs[k];
      if (output.value != RecipeOperand::none && step.evaluates) {
        values_[output.value] = {results[k].requires_grad() ? results[k].detach() : results[k], is_batched};
      }
      if (output.node != RecipeOperand::none) nodes_[output.node] = {std::move(results[k]), is_batched};
    }
  }

  std::int64_t size_;
  std::vector<BatchInput> nodes_;
  std::vector<BatchInput> values_;
  std::vector<BatchInput> operands_;  // of the step at hand
};

}  // namespace

std::vector<BatchInput> run_batched(const Recipe& recipe, std::span<const BatchInput> inputs,
                                    std::int64_t size) {
  BatchedRun run(recipe, size);
  for (std::size_t i = 0; i < inputs.size(); ++i) run.set(recipe.inputs[i], inputs[i]);
  ReplayPlace place;
  for (const RecipeStep& step : recipe.steps) {
    place.go_to(step.module.get());
    try {
      run.step(step);
    } catch (Error& error) {
      place.locate(error);
      throw;
    }
  }
  std::vector<BatchInput> results;
  for (const Recipe::Output& output : recipe.outputs) {
    results.push_back(run.operand_of({.node = output.node, .value = output.value, .spec = output.spec}));
  }
  return results;
}

}  // namespace xtgrad::v1::detail
