#include "xtgrad/autograd/batched_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "xtgrad/autograd/batched_recipe.h"
#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/replay/recipe_tape.h"

namespace xtgrad::inline v1::detail {
namespace {

Shape example_shape(const Shape& batch) { return Shape(std::span(batch.begin() + 1, batch.end())); }

/// The first entry along axis 0, in memory of its own, by which it is known.
class FirstExample final : public ConstantPrimitive<FirstExample> {
 public:
  [[nodiscard]] std::string_view name() const override { return "first_example"; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    *out[0] = {.shape = example_shape(in[0]->shape), .dtype = in[0]->dtype};
  }
  void eval(Inputs in, Outputs out) const override {
    std::memcpy(out[0]->buffer.data(), in[0]->buffer.data(), bytes_of(out[0]->shape, out[0]->dtype));
  }
  [[nodiscard]] bool cannot_fail() const override { return true; }
};

Tensor first_example(const Tensor& batch, std::int64_t size) {
  if (size > 0) return apply_constant(FirstExample{}, batch);
  return zeros(example_shape(batch.shape()), {.dtype = batch.dtype()});
}

/// As f shall see it: with a history where the batch has one, and no leaf, as no entry of a batch is.
Tensor with_history(const Tensor& example, const Tensor& batch) {
  if (!is_recording() || !batch.requires_grad()) return example;
  return alias(example.detach().set_requires_grad());
}

/// Results for no examples have no elements, but the history of all that wants a gradient, which is 0.
Tensor with_history_of(std::span<const BatchInput> operands, const Tensor& output) {
  if (!is_floating(output.dtype()) || !is_recording()) return output;
  Tensor all = output;
  for (const BatchInput& operand : operands) {
    if (!operand.tensor.requires_grad()) continue;
    all = all + broadcast_to(sum(operand.tensor).to(all.dtype()), all.shape());
  }
  return all;
}

}  // namespace

BatchedCall::BatchedCall(std::string_view caller, const TensorFunction& f, std::span<const BatchInput> inputs,
                         std::int64_t size, ExampleGuard::Refusal refusal) {
  std::unordered_map<const Buffer*, std::size_t> input_of;  // by the buffer of its example
  std::vector<Tensor> examples;
  ExampleGuard guard(caller, refusal);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    examples.push_back(inputs[i].tensor);
    if (!inputs[i].is_batched) continue;
    const Tensor example = first_example(inputs[i].tensor, size);
    input_of.emplace(array_of(example).buffer.get(), i);
    guard.declare(example);
    examples.back() = with_history(example, inputs[i].tensor);
  }
  RecipeTape tape(RecipeTape::Purpose::other_elements);
  const RecipeTape::Pause pause(RecipeTape::around(tape));  // it sees what comes of the list
  const std::vector<Tensor> outputs = f(examples);
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (outputs[k].defined()) continue;
    throw GraphError(fmt::format("{}: the function returned an empty handle as output {}", caller, k));
  }
  guard.end();
  refused_ = guard.noted();
  if (!refused_.empty()) return;
  RecipeTape::Result result = tape.recipe_of(outputs);
  recipe_ = std::move(result.recipe);
  for (Tensor& input : result.inputs) {
    const auto known = input_of.find(array_of(input).buffer.get());
    if (known == input_of.end()) {
      if (guard.depends(input)) {
        refuse(refusal,
               fmt::format("{}: the function uses a tensor of shape {} that another function, called "
                           "inside for a batch, has computed of one example: let that one return it",
                           caller, to_string(input.shape())));
      }
      operands_.push_back({std::move(input)});
    } else {
      operands_.push_back({Tensor(), known->second});
    }
  }
  check_own_rules(caller, refusal);
  check_ranks(caller, refusal);
}

void BatchedCall::refuse(ExampleGuard::Refusal refusal, std::string message) {
  if (refusal == ExampleGuard::Refusal::throws) throw GraphError(message);
  if (refused_.empty()) refused_ = std::move(message);
}

/// A function with a rule of its own is recorded for each example of its operands, by one rule, which may
/// hold on to nothing that differs between them.
void BatchedCall::check_own_rules(std::string_view caller, ExampleGuard::Refusal refusal) {
  std::vector<bool> nodes(recipe_->nodes), values(recipe_->values);
  const auto mark = [&](std::uint32_t node, std::uint32_t value) {
    if (node != RecipeOperand::none) nodes[node] = true;
    if (value != RecipeOperand::none) values[value] = true;
  };
  for (std::size_t i = 0; i < operands_.size(); ++i) {
    if (!operands_[i].captured.defined()) mark(recipe_->inputs[i].node, recipe_->inputs[i].value);
  }
  for (const RecipeStep& step : recipe_->steps) {
    const bool is_batched = std::ranges::any_of(step.inputs, [&](const RecipeOperand& operand) {
      return operand.node != RecipeOperand::none ? nodes[operand.node] : values[operand.value];
    });
    if (!step.evaluates) {
      const std::uint32_t value = step.outputs[0].value;
      if (!is_batched && value != RecipeOperand::none && values[value]) {
        refuse(refusal,
               fmt::format("{}: {} is of tensors that are the same for all examples, and its function "
                           "uses one that is not: make that an input",
                           caller, step.primitive->name()));
      } else if (is_batched && refusal == ExampleGuard::Refusal::is_noted) {
        refuse(refusal, fmt::format("{}: {} may hold on to a row", caller, step.primitive->name()));
      }
    }
    if (!is_batched) continue;
    for (const RecipeOperand& output : step.outputs) {
      mark(output.node, step.evaluates ? output.value : RecipeOperand::none);
    }
  }
}

void BatchedCall::check_ranks(std::string_view caller, ExampleGuard::Refusal refusal) {
  for (const RecipeStep& step : recipe_->steps) {
    for (const auto* operands : {&step.inputs, &step.outputs}) {
      for (const RecipeOperand& operand : *operands) {
        const Shape& shape = operand.spec.shape;
        if (shape.rank() < Shape::max_rank) continue;
        refused_ = fmt::format(
            "{}: {} sees a tensor of shape {}; of a batch it would have {} dimensions, at most "
            "{} are possible",
            caller, step.primitive->name(), to_string(shape), shape.rank() + 1, Shape::max_rank);
        if (refusal == ExampleGuard::Refusal::throws) throw ShapeError(refused_);
        return;
      }
    }
  }
}

BatchedCall::Sizes BatchedCall::bytes_made() const {
  Sizes sizes;
  std::size_t all = 0, count = 0;
  for (const RecipeStep& step : recipe_->steps) {
    for (const RecipeOperand& output : step.outputs) {
      const std::size_t bytes = bytes_of(output.spec.shape, output.spec.dtype);
      sizes.largest = std::max(sizes.largest, bytes);
      all += bytes;
      ++count;
    }
  }
  if (count > 0) sizes.mean = all / count;
  return sizes;
}

std::vector<BatchInput> BatchedCall::run(std::span<const BatchInput> inputs, std::int64_t size) const {
  std::vector<BatchInput> operands;
  for (const Operand& operand : operands_) {
    operands.push_back(operand.captured.defined() ? BatchInput{operand.captured, false}
                                                  : inputs[operand.input]);
  }
  std::vector<BatchInput> outputs = run_batched(*recipe_, operands, size);
  if (size > 0) return outputs;
  for (BatchInput& output : outputs) {
    if (output.is_batched) output.tensor = with_history_of(operands, output.tensor);
  }
  return outputs;
}

}  // namespace xtgrad::v1::detail
