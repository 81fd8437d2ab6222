#include "xtgrad/autograd/batch_loop.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/autograd/ops/batch_steps.h"
#include "tests/autograd/ops/op_walk.h"
#include "tests/support/message_of.h"
#include "tests/support/share.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/core/trace.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// What a sample and its rules compute, once for each example.
ExampleTraces traces_of(const Op& op, const Sample& sample, Dtype dtype) {
  ExampleTraces traces;
  Random random = random_for(op, Check::again);
  for (detail::Trace& trace : traces) {
    const std::vector<Tensor> inputs = make_inputs(sample, draw_inputs(sample, dtype, random), dtype, true);
    detail::Tracer tracer;
    const Tensor y = sample.apply(inputs);
    const std::vector<Tensor> wanted = differentiable_of(sample, inputs);
    if (y.requires_grad() && !wanted.empty()) {
      const Tensor g = randn(y.shape(), random, {.dtype = y.dtype()});
      static_cast<void>(grad(std::span(&y, 1), wanted, {.cotangents = {g}, .allow_unused = true}));
    }
    trace = tracer.take();
  }
  return traces;
}

std::size_t compare_steps(const Op& op, const Sample& sample, Dtype dtype) {
  const ExampleTraces traces = traces_of(op, sample, dtype);
  std::size_t compared = 0;
  for (std::size_t s = 0; s < traces[0].steps.size(); ++s) {
    if (!is_batchable(traces[0].steps[s])) continue;
    const std::string found = compare_batch_to_single(traces, s);
    CHECK_MESSAGE(found.empty(), detail::to_string(op.id) << "(" << sample.attributes << ") "
                                                          << to_string(dtype) << ": " << found);
    ++compared;
  }
  return compared;
}

Tensor apply_to(const Tensor& x, const Tensor& y, const std::vector<detail::BatchInput>& inputs) {
  detail::Tracer tracer;
  static_cast<void>(matmul(x, y));
  return detail::apply_batched(*tracer.trace().steps[0].primitive, inputs)[0];
}

TEST_CASE("batch: every primitive that an operation or its rule runs has the bits of single examples") {
  std::size_t compared = 0;
  const Share part = share();
  for (std::size_t i = 0; i < static_cast<std::size_t>(OpId::count_); ++i) {
    if (!part.has(i)) continue;
    const Op op = describe(static_cast<OpId>(i));
    for (const Sample& sample : op.samples) {
      // Else examples have other steps, or results that do not stack.
      if (sample.decided != Decided::values) continue;
      for (const Dtype dtype : {float32, float64}) compared += compare_steps(op, sample, dtype);
    }
  }
  CHECK(compared > part.least_of(1000));
}

TEST_CASE("batch: derivatives of the loop follow from cutting and stacking") {
  Random random(3);
  const Tensor a = randn({4, 2, 3}, random, {.dtype = float64});
  const Tensor b = randn({3, 2}, random, {.dtype = float64});
  const auto f = [](std::span<const Tensor> in) {
    const std::vector<detail::BatchInput> inputs{{in[0], true}, {in[1], false}};
    return std::vector<Tensor>{apply_to(ones({2, 3}, {.dtype = float64}), in[1].detach(), inputs)};
  };
  const std::vector<Tensor> inputs{a, b};
  CHECK(same_bits(f(inputs)[0], matmul(a, b)));
  CHECK_NOTHROW(require_grads(f, inputs, {.order = 2}));
}

TEST_CASE("batch: a primitive with a rule for batches runs once") {
  const Tensor x = tensor({{1, 2}, {3, 4}, {5, 6}}, {.requires_grad = true});
  const auto steps_of = [&](const detail::Primitive& primitive,
                            const std::vector<detail::BatchInput>& inputs) {
    detail::Tracer tracer;
    CHECK(detail::apply_batched(primitive, inputs)[0].requires_grad());
    return tracer.trace().steps.size();
  };
  detail::Tracer tracer;
  static_cast<void>(tanh(ones({2})));
  static_cast<void>(add(ones({2}), ones({2})));
  const detail::Trace trace = tracer.take();
  CHECK(steps_of(*trace.steps[1].primitive, {{x}}) == 1);
  // Cut, reshaped, added: three times each; then joined, and reshaped.
  CHECK(trace.steps.back().primitive->name() == "add");
  CHECK(steps_of(*trace.steps.back().primitive, {{x}, {ones({2}), false}}) == 11);
}

TEST_CASE("batch: errors") {
  const Tensor x = ones({2, 3}), y = ones({3, 2});
  const auto message = [&](const std::vector<detail::BatchInput>& inputs) {
    return message_of<Error>([&] { static_cast<void>(apply_to(x, y, inputs)); });
  };
  CHECK(message({{ones({4, 2, 3})}, {ones({5, 3, 2})}}) ==
        "matmul: batch: inputs differ in the number of examples: [4, 2, 3] and [5, 3, 2]");
  CHECK(message({{ones({})}, {y, false}}) == "matmul: batch: a 0-d input has no axis of examples");
  CHECK(message({{x, false}, {y, false}}) == "matmul: batch: no input is batched");
}

}}  // namespace xtgrad::testing
