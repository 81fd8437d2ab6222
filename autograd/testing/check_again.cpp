// The check of the door: what an operation and its rules compute can be run again: whole, tile by tile, and
// over its inputs.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "xtgrad/autograd/core/trace.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/step_list.h"
#include "xtgrad/autograd/testing/subject.h"

namespace xtgrad::inline v1::detail::checks {
namespace {

bool same_bytes(const BufferRef& a, const BufferRef& b, std::size_t bytes) {
  return bytes == 0 || std::memcmp(a.data(), b.data(), bytes) == 0;
}

/// Steps that can be run tile by tile, by a kernel bound to their dtype, have the same bits so.
void check_tile(Subject& subject, const Trace& trace, const TracedStep& step) {
  std::vector<const Spec*> specs;
  for (const TracedOperand& input : step.inputs) specs.push_back(&input.spec);
  const TileKernel kernel = specs.empty() ? nullptr : step.primitive->bind(specs);
  if (kernel == nullptr) return;
  const TracedOperand& output = step.outputs[0];
  const std::int64_t n = output.spec.shape.numel();
  std::vector<const void*> in;
  InputSet repeated = 0;
  bool fits = n > 0;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const bool is_one = specs[i]->shape.numel() == 1 && n != 1;
    fits = fits && (is_one || specs[i]->shape == output.spec.shape);
    if (is_one) repeated |= InputSet{1} << i;
    in.push_back(trace.values[step.inputs[i].value].buffer.data());
  }
  if (!fits) return;
  const TracedValue& made = trace.values[output.value];
  const BufferRef buffer = BufferRef::allocate(made.bytes);
  std::memset(buffer.data(), 0xFF, made.bytes);
  void* const out = buffer.data();
  kernel(*step.primitive, n, in.data(), repeated, &out);
  if (!same_bytes(buffer, made.buffer, made.bytes)) {
    subject.fail(fmt::format("{}: a tile has other bits than the whole", step.primitive->name()));
  }
}

/// The step with output `k` over the elements of input `i`, which nobody else sees.
void check_taken_over(Subject& subject, const Trace& trace, const TracedStep& step, std::size_t k,
                      std::size_t i) {
  const TracedValue& made = trace.values[step.outputs[k].value];
  const BufferRef taken = BufferRef::allocate(made.bytes);
  const BufferRef& input = trace.values[step.inputs[i].value].buffer;
  if (made.bytes > 0) std::memcpy(taken.data(), input.data(), made.bytes);
  std::vector<Array> arrays;
  for (std::size_t n = 0; n < step.inputs.size(); ++n) {
    const TracedOperand& operand = step.inputs[n];
    arrays.emplace_back(operand.spec.shape, operand.spec.dtype,
                        n == i ? taken : trace.values[operand.value].buffer);
  }
  for (std::size_t n = 0; n < step.outputs.size(); ++n) {
    const TracedOperand& operand = step.outputs[n];
    if (operand.value == TracedOperand::none) {
      arrays.emplace_back();
    } else {
      arrays.emplace_back(operand.spec.shape, operand.spec.dtype,
                          n == k ? taken : BufferRef::allocate(trace.values[operand.value].bytes));
    }
  }
  std::vector<const Array*> in;
  std::vector<Array*> out;
  for (std::size_t n = 0; n < arrays.size(); ++n) {
    const bool is_input = n < step.inputs.size();
    if (is_input) in.push_back(&arrays[n]);
    if (!is_input)
      out.push_back(step.outputs[n - in.size()].value == TracedOperand::none ? nullptr : &arrays[n]);
  }
  step.primitive->eval(in, out);
  if (same_bytes(taken, made.buffer, made.bytes)) return;
  subject.fail(fmt::format("{}: output {} has other bits where it is written over input {}",
                           step.primitive->name(), k, i));
}

/// Every output over every input that it may overwrite, and has the shape and dtype of.
void check_overwriting(Subject& subject, const Trace& trace, const TracedStep& step) {
  for (std::size_t k = 0; k < step.outputs.size(); ++k) {
    const TracedOperand& output = step.outputs[k];
    if (output.value == TracedOperand::none) continue;
    if (step.primitive->alias_of(static_cast<int>(k)) >= 0) continue;
    const InputSet overwritten = step.primitive->may_overwrite(static_cast<int>(k));
    for (std::size_t i = 0; i < step.inputs.size() && i < 32; ++i) {
      const TracedOperand& input = step.inputs[i];
      const auto is_same = [&](const TracedOperand& other) { return other.value == input.value; };
      if ((overwritten >> i & 1U) == 0 || !(input.spec.shape == output.spec.shape)) continue;
      if (input.spec.dtype != output.spec.dtype) continue;
      // Nobody takes over what another operand is.
      if (std::count_if(step.inputs.begin(), step.inputs.end(), is_same) > 1) continue;
      check_taken_over(subject, trace, step, k, i);
    }
  }
}

void check_in(Subject& subject, Dtype dtype) {
  const std::vector<Tensor> inputs = subject.tensors(subject.point(dtype), dtype, true);
  Random random = subject.random();
  std::vector<Tensor> cotangents;
  for (const Tensor& y : recorded_of(subject.apply(inputs)))
    cotangents.push_back(randn(y.shape(), random, {.dtype = y.dtype()}));
  StepList steps;
  Tracer tracer;
  for (std::size_t i = 0; i < inputs.size(); ++i) steps.set_name(fmt::format("in{}", i), inputs[i]);
  for (std::size_t k = 0; k < cotangents.size(); ++k) steps.set_name(fmt::format("g{}", k), cotangents[k]);
  const std::vector<Tensor> outputs = recorded_of(subject.apply(inputs));
  if (!outputs.empty()) {
    static_cast<void>(
        grad(outputs, subject.differentiable_of(inputs), {.cotangents = cotangents, .allow_unused = true}));
  }
  const std::string differences = steps.run_again();
  if (!differences.empty()) {
    subject.fail(fmt::format("{}: {}{}", to_string(dtype), differences, steps.text()));
  }
  for (const TracedStep& step : tracer.trace().steps) {
    check_tile(subject, tracer.trace(), step);
    check_overwriting(subject, tracer.trace(), step);
  }
}

}  // namespace

void check_again(Subject& subject) {
  for (const Dtype dtype : subject.floating_dtypes()) check_in(subject, dtype);
}

}  // namespace xtgrad::v1::detail::checks
