// Every operation of the registry, captured: values and gradients of other elements than it was captured
// with, to the bit, alone and as a part of a program.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/autograd/ops/op_walk.h"
#include "tests/support/share.h"
#include "tests/support/thread_count.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/capture.h"

namespace xtgrad::inline v1::testing { namespace {

/// What the operation computes of the inputs, and, where something wants a gradient, the gradients of a sum
/// that weighs each element otherwise, and a second time those of the gradients' squares.
std::vector<Tensor> values_and_gradients(const Apply& apply, const Sample& sample,
                                         const std::vector<Tensor>& inputs) {
  // Between other steps, so that operands are of an arena and may be written over.
  std::vector<Tensor> operands = inputs;
  for (Tensor& operand : operands) {
    if (is_floating(operand.dtype())) operand = operand * 1.0;
  }
  const Tensor y = apply(operands);
  std::vector<Tensor> all{y};
  if (!is_floating(y.dtype()) || !y.requires_grad()) return all;
  const Tensor weights = reshape(arange(y.numel(), {}, {.dtype = y.dtype()}), y.shape());
  const std::vector<Tensor> variables = differentiable_of(sample, inputs);
  const std::vector<Tensor> first =
      grad({sum(y * weights)}, variables, {.create_graph = true, .allow_unused = true});
  Tensor squares;
  for (const Tensor& gradient : first) {
    if (!gradient.defined()) continue;
    all.push_back(gradient);
    const Tensor square_sum = sum(square(gradient));
    squares = squares.defined() ? squares + square_sum : square_sum;
  }
  if (!squares.defined() || !squares.requires_grad()) return all;
  for (const Tensor& gradient : grad({squares}, variables, {.allow_unused = true})) {
    if (gradient.defined()) all.push_back(gradient);
  }
  return all;
}

void check_replay(const Op& op, const Sample& sample, Dtype dtype, Random& random) {
  const std::string name =
      std::string(detail::to_string(op.id)) + "(" + sample.attributes + ") " + std::string(to_string(dtype));
  CAPTURE(name);
  const auto draw = [&] { return make_inputs(sample, draw_inputs(sample, dtype, random), dtype, true); };
  const auto f = [&](const std::vector<Tensor>& inputs) {
    std::vector<Tensor> all = values_and_gradients(sample.apply, sample, inputs);
    for (Tensor& each : all) each = each.detach();
    return all;
  };
  auto replay = capture(f, draw());
  for (int round = 0; round < 2; ++round) {
    const std::vector<Tensor> inputs = draw();
    const std::vector<Tensor> expected = f(inputs);
    const std::vector<Tensor> found = replay(inputs);
    REQUIRE(found.size() == expected.size());
    for (std::size_t k = 0; k < found.size(); ++k) CHECK(same_bits(found[k], expected[k]));
  }
}

TEST_CASE("every operation has its bits in a replay, and so have its derivatives") {
  std::size_t checked = 0;
  const Share part = share();
  for (const int threads : {1, 2}) {
    const ThreadCount scope(threads);
    for (std::size_t i = 0; i < static_cast<std::size_t>(OpId::count_); ++i) {
      if (!part.has(i)) continue;
      const Op op = describe(static_cast<OpId>(i));
      Random random(seed_of(op));
      for (const Dtype dtype : {float32, float64}) {
        for (const Sample& sample : op.samples) {
          if (sample.decided != Decided::shape) check_replay(op, sample, dtype, random);
        }
        for (const Elementwise& elementwise : op.elementwise_operations) {
          for (const Sample& sample : samples_of(elementwise)) check_replay(op, sample, dtype, random);
        }
      }
      ++checked;
    }
  }
  CHECK(checked >= 2 * part.least_of(static_cast<std::size_t>(OpId::count_)));
}

TEST_CASE("what has a shape that elements decide is refused by its name") {
  std::size_t refused = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(OpId::count_); ++i) {
    const Op op = describe(static_cast<OpId>(i));
    Random random(seed_of(op));
    for (const Sample& sample : op.samples) {
      if (sample.decided != Decided::shape) continue;
      CAPTURE(sample.attributes);
      const auto f = [&](const std::vector<Tensor>& inputs) { return sample.apply(inputs); };
      const std::vector<Tensor> inputs =
          make_inputs(sample, draw_inputs(sample, float32, random), float32, false);
      const std::string start = "capture: " + std::string(detail::to_string(op.id)) + "() reads ";
      CHECK_THROWS_WITH_AS(static_cast<void>(capture(f, inputs)), doctest::Contains(start.c_str()),
                           GraphError);
      ++refused;
    }
  }
  CHECK(refused > 10);
}

}}  // namespace xtgrad::v1::testing
