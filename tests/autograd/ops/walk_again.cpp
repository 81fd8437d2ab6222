// The walk's check of the door: what an operation and its rules compute can be run again.
#include <fmt/format.h>

#include <cstring>

#include "tests/autograd/ops/op_walk.h"
#include "xtgrad/autograd/core/trace.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/step_list.h"

namespace xtgrad::testing {
namespace {

bool same_bytes(const detail::BufferRef& a, const detail::BufferRef& b, std::size_t bytes) {
  return bytes == 0 || std::memcmp(a.data(), b.data(), bytes) == 0;
}

/// Steps that can be run tile by tile, by a kernel bound to their dtype, have the same bits so.
void check_tiles(const detail::Trace& trace, const Sample& sample, Findings& findings) {
  for (const detail::TracedStep& step : trace.steps) {
    std::vector<const detail::Spec*> specs;
    for (const detail::TracedOperand& input : step.inputs) specs.push_back(&input.spec);
    const detail::TileKernel kernel = specs.empty() ? nullptr : step.primitive->bind(specs);
    if (kernel == nullptr) continue;
    const detail::TracedOperand& output = step.outputs[0];
    const std::int64_t n = output.spec.shape.numel();
    std::vector<const void*> in;
    detail::InputSet repeated = 0;
    bool fits = n > 0;
    for (std::size_t i = 0; i < specs.size(); ++i) {
      const bool is_one = specs[i]->shape.numel() == 1 && n != 1;
      fits = fits && (is_one || specs[i]->shape == output.spec.shape);
      if (is_one) repeated |= detail::InputSet{1} << i;
      in.push_back(trace.values[step.inputs[i].value].buffer.data());
    }
    if (!fits) continue;
    const detail::TracedValue& made = trace.values[output.value];
    const detail::BufferRef buffer = detail::BufferRef::allocate(made.bytes);
    std::memset(buffer.data(), 0xFF, made.bytes);
    void* const out = buffer.data();
    kernel(*step.primitive, n, in.data(), repeated, &out);
    if (!same_bytes(buffer, made.buffer, made.bytes)) {
      findings.add(sample, fmt::format("{}: a tile has other bits than the whole", step.primitive->name()));
    }
  }
}

void check_sample(const Op& op, const Sample& sample, Dtype dtype, Findings& findings) {
  Random random = random_for(op, Check::again);
  const std::vector<Values> values = draw_inputs(sample, dtype, random);
  const std::vector<Tensor> inputs = make_inputs(sample, values, dtype, true);
  const Tensor untraced = sample.apply(inputs);
  const bool differentiable = untraced.requires_grad();
  const Tensor g = differentiable ? randn(untraced.shape(), random, {.dtype = untraced.dtype()}) : Tensor();
  StepList steps;  // what it holds outsiders' operations to, the library's own meet as well
  detail::Tracer tracer;
  for (std::size_t i = 0; i < inputs.size(); ++i) steps.set_name(fmt::format("in{}", i), inputs[i]);
  const Tensor y = sample.apply(inputs);
  const std::vector<Tensor> wanted = differentiable_of(sample, inputs);
  if (differentiable && !wanted.empty()) {
    steps.set_name("g", g);
    static_cast<void>(
        grad(std::span(&y, 1), wanted, {.cotangents = {g}, .create_graph = false, .allow_unused = true}));
  }
  const std::string differences = steps.run_again();
  if (!differences.empty()) {
    findings.add(sample, fmt::format("{}: {}{}", to_string(dtype), differences, steps.text()));
  }
  check_tiles(tracer.trace(), sample, findings);
}

}  // namespace

void check_again(const Op& op, Findings& findings) {
  for (const Sample& sample : op.samples) {
    for (const Dtype dtype : {float32, float64}) check_sample(op, sample, dtype, findings);
  }
}

}  // namespace xtgrad::testing
