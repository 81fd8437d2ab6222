#include "tests/autograd/ops/batch_steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/support/values.h"
#include "xtgrad/autograd/batch_loop.h"
#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing {
namespace {

Tensor operand(const detail::Trace& trace, const detail::TracedOperand& operand) {
  return detail::make_constant(
      detail::Array(operand.spec.shape, operand.spec.dtype, trace.values[operand.value].buffer));
}

std::string compare_to_single(const detail::Primitive& primitive,
                              const std::array<std::vector<Tensor>, batch_examples>& inputs,
                              const std::vector<bool>& is_batched) {
  std::vector<detail::BatchInput> batch, empty;
  for (std::size_t i = 0; i < inputs[0].size(); ++i) {
    std::vector<Tensor> each;
    for (const std::vector<Tensor>& example : inputs) each.push_back(example[i]);
    const Tensor& first = each[0];
    batch.push_back({is_batched[i] ? stack(each) : first, is_batched[i]});
    Shape none{0};
    for (const std::int64_t size : first.shape()) none.push_back(size);
    empty.push_back({is_batched[i] ? zeros(none, {.dtype = first.dtype()}) : first, is_batched[i]});
  }
  std::vector<std::vector<Tensor>> single;  // by output
  for (const std::vector<Tensor>& example : inputs) {
    std::vector<const Tensor*> pointers;
    for (std::size_t i = 0; i < example.size(); ++i)
      pointers.push_back(&(is_batched[i] ? example : inputs[0])[i]);
    const std::vector<Tensor> outputs = detail::apply_all(primitive, pointers);
    single.resize(outputs.size());
    for (std::size_t k = 0; k < outputs.size(); ++k) single[k].push_back(outputs[k]);
  }
  const std::vector<Tensor> got = detail::apply_batched(primitive, batch);
  const std::vector<Tensor> none = detail::apply_batched(primitive, empty);
  if (got.size() != single.size() || none.size() != single.size()) return "another number of outputs";
  for (std::size_t k = 0; k < single.size(); ++k) {
    if (!same_bits(got[k], stack(single[k]))) return "other bits than one by one";
    Shape expected{0};
    for (const std::int64_t size : single[k][0].shape()) expected.push_back(size);
    if (none[k].shape() != expected || none[k].dtype() != single[k][0].dtype())
      return "of no examples: another shape";
  }
  return {};
}

}  // namespace

bool is_batchable(const detail::TracedStep& step) {
  const auto fits = [](const detail::TracedOperand& operand) {
    return operand.spec.shape.rank() < Shape::max_rank;
  };
  return !step.inputs.empty() && std::all_of(step.inputs.begin(), step.inputs.end(), fits) &&
         std::all_of(step.outputs.begin(), step.outputs.end(), fits);
}

std::string compare_batch_to_single(const ExampleTraces& traces, std::size_t s) {
  const detail::TracedStep& step = traces[0].steps[s];
  std::array<std::vector<Tensor>, batch_examples> inputs;
  for (std::size_t e = 0; e < batch_examples; ++e) {
    if (traces[e].steps.size() != traces[0].steps.size() ||
        !detail::same_primitive(*traces[e].steps[s].primitive, *step.primitive)) {
      return fmt::format("{}: the examples make other steps", step.primitive->name());
    }
    for (const detail::TracedOperand& input : traces[e].steps[s].inputs)
      inputs[e].push_back(operand(traces[e], input));
  }
  std::vector<bool> is_batched(step.inputs.size(), true);
  for (const bool first_alone : {false, true}) {
    if (first_alone) is_batched.assign(step.inputs.size(), false);
    is_batched[0] = true;
    const std::string found = compare_to_single(*step.primitive, inputs, is_batched);
    if (!found.empty()) return fmt::format("{}: {}", step.primitive->name(), found);
  }
  return {};
}

}  // namespace xtgrad::v1::testing
