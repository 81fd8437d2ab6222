#include "xtgrad/autograd/batched_call.h"

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

#include "xtgrad/autograd/batch_loop.h"
#include "xtgrad/autograd/batched_recipe.h"
#include "xtgrad/autograd/core/copied.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/replay/recipe_tape.h"

namespace xtgrad::inline v1::detail {
namespace {

/// The elements of the first example, in memory of their own, by which they are known.
Tensor first_example(const BatchInput& input, std::int64_t size) {
  const NoGrad no_history;
  if (size > 0) return make_constant(copied(array_of(example_of(input, 0))));
  const Shape& batch = input.tensor.shape();
  return zeros(Shape(std::span(batch.begin() + 1, batch.end())), {.dtype = input.tensor.dtype()});
}

/// As f shall see it: with a history where the batch has one, and no leaf, as no entry of a batch is.
Tensor with_history(const Tensor& example, const Tensor& batch) {
  if (!is_recording() || !batch.requires_grad()) return example;
  return alias(example.detach().set_requires_grad());
}

struct Listed {
  std::shared_ptr<Recipe> recipe;
  std::vector<BatchInput> operands;  // of the recipe
  std::string refused = {};
};

Listed list_steps(std::string_view caller, const TensorFunction& f, std::span<const BatchInput> inputs,
                  std::int64_t size, ExampleGuard::Refusal refusal) {
  std::unordered_map<const Buffer*, const Tensor*> batch_of;  // by the buffer of its example
  std::vector<Tensor> examples;
  ExampleGuard guard(caller, refusal);
  for (const BatchInput& input : inputs) {
    examples.push_back(input.tensor);
    if (!input.is_batched) continue;
    const Tensor example = first_example(input, size);
    batch_of.emplace(array_of(example).buffer.get(), &input.tensor);
    guard.declare(example);
    examples.back() = with_history(example, input.tensor);
  }
  RecipeTape tape(RecipeTape::Purpose::other_elements);
  const RecipeTape::Pause pause(RecipeTape::around(tape));  // it sees what comes of the list
  const std::vector<Tensor> outputs = f(examples);
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (outputs[k].defined()) continue;
    throw GraphError(fmt::format("{}: the function returned an empty handle as output {}", caller, k));
  }
  guard.end();
  if (!guard.noted().empty()) return {nullptr, {}, guard.noted()};
  RecipeTape::Result result = tape.recipe_of(outputs);
  Listed listed{std::move(result.recipe), {}};
  for (Tensor& input : result.inputs) {
    const auto batch = batch_of.find(array_of(input).buffer.get());
    listed.operands.push_back(batch == batch_of.end() ? BatchInput{std::move(input), false}
                                                      : BatchInput{*batch->second, true});
  }
  return listed;
}

/// Results for no examples have no elements, but the history of all that wants a gradient, which is 0.
Tensor with_history_of(std::span<const BatchInput> operands, const BatchInput& output) {
  if (!is_floating(output.tensor.dtype()) || !is_recording()) return output.tensor;
  Tensor all = output.tensor;
  for (const BatchInput& operand : operands) {
    if (!operand.tensor.requires_grad()) continue;
    all = all + broadcast_to(sum(operand.tensor).to(all.dtype()), all.shape());
  }
  return all;
}

}  // namespace

BatchedCall call_batched(std::string_view caller, const TensorFunction& f, std::span<const BatchInput> inputs,
                         std::int64_t size, ExampleGuard::Refusal refusal) {
  const Listed listed = list_steps(caller, f, inputs, size, refusal);
  if (!listed.refused.empty()) return {{}, listed.refused};
  std::vector<BatchInput> outputs = run_batched(*listed.recipe, listed.operands, size);
  if (size > 0) return {std::move(outputs)};
  for (BatchInput& output : outputs) {
    if (output.is_batched) output.tensor = with_history_of(listed.operands, output);
  }
  return {std::move(outputs)};
}

}  // namespace xtgrad::v1::detail
