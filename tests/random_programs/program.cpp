#include "tests/random_programs/program.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tests/random_programs/prelude.h"

namespace xtgrad::random_programs {

Tensor run_step(const Step& step, std::span<const Tensor> values, Dtype dtype) {
  Call call{.axis = step.axis, .n = step.n, .k = step.k, .p = step.p, .shape = step.shape, .dtype = dtype};
  Tensor* const operands[] = {&call.a, &call.b, &call.c, &call.d};
  for (std::size_t i = 0; i < step.operands.size(); ++i) *operands[i] = values[step.operands[i]];
  return step.row->apply(call);
}

std::vector<Tensor> run(const Program& program, std::span<const Tensor> leaves, Dtype dtype,
                        const OnValue& on_value) {
  std::vector<Tensor> values(leaves.begin(), leaves.end());
  for (const Step& step : program.steps) {
    Tensor value = run_step(step, values, dtype);
    if (on_value && is_floating(value.dtype())) value = on_value(values.size(), value);
    values.push_back(std::move(value));
  }
  return values;
}

Tensor loss_of(const Program& program, std::span<const Tensor> values) {
  Tensor loss;
  for (const std::size_t output : program.outputs) {
    const Tensor term = weighted(values[output], static_cast<std::int64_t>(output));
    loss = loss.defined() ? loss + term : term;
  }
  return loss;
}

std::vector<Tensor> leaves_of(const Program& program, Dtype dtype, bool variables) {
  std::vector<Tensor> leaves;
  for (const Tensor& leaf : program.leaves) {
    const bool floating = is_floating(leaf.dtype());
    Tensor copy = floating ? leaf.to(dtype).detach() : leaf;
    if (floating && variables) copy.set_requires_grad(true);
    leaves.push_back(std::move(copy));
  }
  return leaves;
}

std::vector<Tensor> floating_of(std::span<const Tensor> tensors) {
  std::vector<Tensor> chosen;
  std::copy_if(tensors.begin(), tensors.end(), std::back_inserter(chosen),
               [](const Tensor& each) { return is_floating(each.dtype()); });
  return chosen;
}

Program pruned(const Program& program) {
  std::vector<bool> needed(program.values(), false);
  for (const std::size_t output : program.outputs) needed[output] = true;
  for (std::size_t i = program.steps.size(); i-- > 0;) {
    if (!needed[program.leaves.size() + i]) continue;
    for (const std::size_t operand : program.steps[i].operands) needed[operand] = true;
  }
  std::vector<std::size_t> number(program.values());
  Program result;
  std::size_t next = 0;
  for (std::size_t i = 0; i < program.values(); ++i) {
    if (!needed[i]) continue;
    number[i] = next++;
    if (i < program.leaves.size()) {
      result.leaves.push_back(program.leaves[i]);
      continue;
    }
    Step step = program.steps[i - program.leaves.size()];
    for (std::size_t& operand : step.operands) operand = number[operand];
    result.steps.push_back(std::move(step));
  }
  for (const std::size_t output : program.outputs) result.outputs.push_back(number[output]);
  return result;
}

}  // namespace xtgrad::random_programs
