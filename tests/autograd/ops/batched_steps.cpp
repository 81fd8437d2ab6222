#include "tests/autograd/ops/batched_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "tests/support/values.h"
#include "xtgrad/autograd/batch_loop.h"
#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"

namespace xtgrad::inline v1::testing {
namespace {

/// Those of the operands of `count` examples.
std::vector<detail::BatchInput> batch_of(const Examples& inputs, const Mix& mix, std::size_t count) {
  std::vector<detail::BatchInput> batch;
  for (std::size_t i = 0; i < mix.size(); ++i) {
    const Tensor& first = inputs[0][i];
    if (!mix[i]) {
      batch.push_back({first, false});
    } else if (count == 0) {
      Shape none{0};
      for (const std::int64_t size : first.shape()) none.push_back(size);
      batch.push_back({zeros(none, {.dtype = first.dtype()}), true});
    } else {
      std::vector<Tensor> each;
      for (std::size_t e = 0; e < count; ++e) each.push_back(inputs[e][i]);
      batch.push_back({stack(each), true});
    }
  }
  return batch;
}

/// Each output of single examples, stacked: by output, then by example.
std::vector<std::vector<Tensor>> one_by_one(const detail::Primitive& primitive, const Examples& inputs,
                                            const Mix& mix) {
  std::vector<std::vector<Tensor>> single;
  for (const std::vector<Tensor>& example : inputs) {
    std::vector<const Tensor*> pointers;
    for (std::size_t i = 0; i < mix.size(); ++i) pointers.push_back(&(mix[i] ? example : inputs[0])[i]);
    const std::vector<Tensor> outputs = detail::apply_all(primitive, pointers);
    single.resize(outputs.size());
    for (std::size_t k = 0; k < outputs.size(); ++k) single[k].push_back(outputs[k]);
  }
  return single;
}

/// The gradients in the batched and the shared operands of the same sum of the outputs.
std::vector<Tensor> gradients_of(const std::vector<Tensor>& outputs, std::span<const Tensor> wanted,
                                 std::uint64_t seed) {
  Random random(seed);
  std::vector<Tensor> of, cotangents;
  for (const Tensor& y : outputs) {
    const Tensor g = y.requires_grad() ? randn(y.shape(), random, {.dtype = y.dtype()}) : Tensor();
    if (!y.requires_grad()) continue;
    of.push_back(y);
    cotangents.push_back(g);
  }
  if (of.empty()) return {};
  return grad(of, wanted, {.cotangents = cotangents, .allow_unused = true});
}

double largest_of(const Tensor& x) { return x.numel() == 0 ? 0 : amax(abs(x)).item(); }

/// Where examples share an operand its gradient is a sum over them, and terms meet in another order. Terms
/// are products of what comes from outputs, as all gradients do, and of values: as many roundings of the
/// largest are the bound.
struct Rounding {
  std::int64_t terms = 8;
  double largest_value = 1;

  void add(const Tensor& value) {
    terms += value.numel();
    if (is_floating(value.dtype())) largest_value = std::max(largest_value, largest_of(value));
  }
  [[nodiscard]] std::string compare(std::span<const Tensor> got, std::span<const Tensor> want) const {
    double largest = 1;  // that of the cotangents, about
    for (const Tensor& one : want) largest = std::max(largest, one.defined() ? largest_of(one) : 0);
    for (std::size_t i = 0; i < got.size(); ++i) {
      if (got[i].defined() != want[i].defined()) return "a gradient is missing";
      if (!got[i].defined() || same_bits(got[i], want[i])) continue;
      const double epsilon = got[i].dtype() == float32 ? 0x1p-23 : 0x1p-52;
      // False where either is NaN or infinite, and the other not.
      const bool fits =
          largest_of(got[i] - want[i]) <= static_cast<double>(terms) * epsilon * largest * largest_value;
      if (!fits) return "another gradient than one by one";
    }
    return {};
  }
};

}  // namespace

Tensor operand(const detail::Trace& trace, const detail::TracedOperand& operand) {
  return detail::make_constant(
      detail::Array(operand.spec.shape, operand.spec.dtype, trace.values[operand.value].buffer));
}

std::vector<Mix> mixes_of(std::size_t operands) {
  std::vector<Mix> mixes{Mix(operands, true)};
  for (std::size_t i = 0; operands > 1 && i < (operands > 8 ? 1 : operands); ++i) {
    mixes.emplace_back(operands, false).at(i) = true;
    mixes.emplace_back(operands, true).at(i) = false;
  }
  if (operands == 2) mixes.erase(mixes.begin() + 3, mixes.end());  // each alone is the other one not
  return mixes;
}

std::string compare_to_single(const detail::Primitive& primitive, const Examples& inputs, const Mix& mix,
                              bool& ran) {
  const std::vector<std::vector<Tensor>> single = one_by_one(primitive, inputs, mix);
  const std::vector<detail::BatchInput> batch = batch_of(inputs, mix, batch_examples);
  detail::BatchContext context(batch_examples, batch);
  ran = primitive.batch(context);
  const std::vector<Tensor> got = ran ? context.take_results() : detail::apply_batched(primitive, batch);
  const std::vector<Tensor> one = detail::apply_batched(primitive, batch_of(inputs, mix, 1));
  const std::vector<Tensor> none = detail::apply_batched(primitive, batch_of(inputs, mix, 0));
  if (got.size() != single.size() || one.size() != single.size() || none.size() != single.size())
    return "another number of outputs";
  for (std::size_t k = 0; k < single.size(); ++k) {
    if (got[k].dtype() != single[k][0].dtype()) return "another dtype";
    if (!same_bits(got[k], stack(single[k]))) return "other bits than one by one";
    if (!same_bits(one[k], stack(std::span(single[k]).first(1)))) return "of one example: other bits";
    Shape expected{0};
    for (const std::int64_t size : single[k][0].shape()) expected.push_back(size);
    if (none[k].shape() != expected || none[k].dtype() != single[k][0].dtype())
      return "of no examples: another shape";
  }
  return {};
}

std::string compare_gradients(const detail::Primitive& primitive, const Examples& inputs, const Mix& mix) {
  std::vector<detail::BatchInput> batch = batch_of(inputs, mix, batch_examples);
  std::vector<Tensor> wanted;
  Rounding rounding;
  for (detail::BatchInput& input : batch) {
    rounding.add(input.tensor);
    if (!is_floating(input.tensor.dtype())) continue;
    input.tensor = input.tensor.detach();
    input.tensor.set_requires_grad(true);
    wanted.push_back(input.tensor);
  }
  if (wanted.empty()) return {};
  std::vector<std::vector<Tensor>> single;
  for (std::size_t e = 0; e < batch_examples; ++e) {
    std::vector<Tensor> example;
    std::vector<const Tensor*> pointers;
    for (const auto& [tensor, is_batched] : batch)
      example.push_back(is_batched ? select(tensor, 0, static_cast<std::int64_t>(e)) : tensor);
    for (const Tensor& operand : example) pointers.push_back(&operand);
    const std::vector<Tensor> outputs = detail::apply_all(primitive, pointers);
    single.resize(outputs.size());
    for (std::size_t k = 0; k < outputs.size(); ++k) single[k].push_back(outputs[k]);
  }
  std::vector<Tensor> expected;
  for (const std::vector<Tensor>& each : single) expected.push_back(stack(each));
  const std::vector<Tensor> outputs = detail::apply_batched(primitive, batch);
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (outputs[k].requires_grad() != expected[k].requires_grad()) return "an output has another history";
    rounding.add(outputs[k]);
  }
  return rounding.compare(gradients_of(outputs, wanted, 7), gradients_of(expected, wanted, 7));
}

bool is_batchable(const detail::TracedStep& step) {
  const auto has_room = [](const detail::TracedOperand& operand) {
    return operand.spec.shape.rank() < Shape::max_rank;
  };
  return !step.inputs.empty() && std::all_of(step.inputs.begin(), step.inputs.end(), has_room) &&
         std::all_of(step.outputs.begin(), step.outputs.end(), has_room);
}

std::string compare_batch_to_single(const ExampleTraces& traces, std::size_t s) {
  const detail::Primitive& primitive = *traces[0].steps[s].primitive;
  Examples inputs;
  for (std::size_t e = 0; e < batch_examples; ++e) {
    if (traces[e].steps.size() != traces[0].steps.size() ||
        !detail::same_primitive(*traces[e].steps[s].primitive, primitive)) {
      return fmt::format("{}: the examples make other steps", primitive.name());
    }
    for (const detail::TracedOperand& input : traces[e].steps[s].inputs)
      inputs[e].push_back(operand(traces[e], input));
  }
  Mix all(inputs[0].size(), true), first_alone(inputs[0].size(), false);
  first_alone[0] = true;
  for (const Mix& mix : {all, first_alone}) {
    bool ran = false;
    const std::string found = compare_to_single(primitive, inputs, mix, ran);
    if (!found.empty()) return fmt::format("{}: {}", primitive.name(), found);
  }
  return {};
}

}  // namespace xtgrad::testing
