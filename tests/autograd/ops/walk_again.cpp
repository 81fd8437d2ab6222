// The walk's check of the door: what an operation and its rules compute can be run again.
#include <fmt/format.h>

#include <cstring>

#include "tests/autograd/ops/op_walk.h"
#include "xtgrad/autograd/core/trace.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"

namespace xtgrad::testing {
namespace {

bool same_bytes(const detail::BufferRef& a, const detail::BufferRef& b, std::size_t bytes) {
  return bytes == 0 || std::memcmp(a.data(), b.data(), bytes) == 0;
}

/// Runs the steps again into memory of 0xFF bytes: what `eval` leaves unwritten, or writes elsewhere,
/// differs.
void compare_again(const detail::Trace& trace, const Sample& sample, std::string_view what,
                   Findings& findings) {
  const std::vector<detail::BufferRef> again = trace.run_again();
  for (std::size_t i = 0; i < trace.values.size(); ++i) {
    if (same_bytes(again[i], trace.values[i].buffer, trace.values[i].bytes)) continue;
    findings.add(sample, fmt::format("{}: value {} has other bits when the steps are run again:\n{}", what, i,
                                     trace.text()));
  }
}

/// The inferred shapes and dtypes of each step are those that it was run with.
void check_inferred(const detail::Trace& trace, const Sample& sample, Findings& findings) {
  for (const detail::TracedStep& step : trace.steps) {
    std::vector<detail::Spec> specs(step.outputs.size());
    std::vector<const detail::Spec*> in;
    std::vector<detail::Spec*> out;
    for (const detail::TracedOperand& input : step.inputs) in.push_back(&input.spec);
    for (detail::Spec& spec : specs) out.push_back(&spec);
    step.primitive->infer(in, out);
    for (std::size_t k = 0; k < specs.size(); ++k) {
      if (step.outputs[k].value == detail::TracedOperand::none) continue;
      const detail::Spec& made = step.outputs[k].spec;
      if (specs[k].shape == made.shape && specs[k].dtype == made.dtype) continue;
      findings.add(sample, fmt::format("{}: infers {} {}, made {} {}", step.primitive->name(),
                                       to_string(specs[k].dtype), to_string(specs[k].shape),
                                       to_string(made.dtype), to_string(made.shape)));
    }
  }
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
  detail::Tracer tracer;
  for (std::size_t i = 0; i < inputs.size(); ++i) tracer.declare(fmt::format("in{}", i), inputs[i]);
  const Tensor y = sample.apply(inputs);
  const std::vector<Tensor> wanted = differentiable_of(sample, inputs);
  if (differentiable && !wanted.empty()) {
    tracer.declare("g", g);
    static_cast<void>(
        grad(std::span(&y, 1), wanted, {.cotangents = {g}, .create_graph = false, .allow_unused = true}));
  }
  compare_again(tracer.trace(), sample, to_string(dtype), findings);
  check_inferred(tracer.trace(), sample, findings);
  check_tiles(tracer.trace(), sample, findings);
  for (const detail::TracedValue& value : tracer.trace().values) {
    if (!value.is_declared && !value.is_made) {
      findings.add(sample,
                   fmt::format("a value is neither an input nor made by a step:\n{}", tracer.trace().text()));
    }
  }
}

}  // namespace

void check_again(const Op& op, Findings& findings) {
  for (const Sample& sample : op.samples) {
    for (const Dtype dtype : {float32, float64}) check_sample(op, sample, dtype, findings);
  }
}

}  // namespace xtgrad::testing
