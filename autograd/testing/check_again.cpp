// The check of the door: what an operation and its rules compute can be run again, whole and tile by tile.
#include <fmt/format.h>

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
  for (const TracedStep& step : tracer.trace().steps) check_tile(subject, tracer.trace(), step);
}

}  // namespace

void check_again(Subject& subject) {
  for (const Dtype dtype : subject.floating_dtypes()) check_in(subject, dtype);
}

}  // namespace xtgrad::v1::detail::checks
