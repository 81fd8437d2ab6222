// Rules for batches of the primitives that only modules and creation have; those of operations are walked in
// tests/autograd/ops/batch_loop_test.cpp.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/batch_loop.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/core/trace.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"
#include "xtgrad/nn/dropout.h"
#include "xtgrad/nn/similarity.h"

namespace xtgrad::inline v1::nn { namespace {

namespace core = xtgrad::detail;

constexpr std::size_t examples = 3;

/// The operands of the steps of that name in a trace, which must be there.
struct Step {
  core::PrimitiveCopy primitive;
  std::vector<Tensor> operands;
};

template <class F>
std::vector<Step> steps_of(const std::string& name, const F& call) {
  core::Tracer tracer;
  static_cast<void>(call());
  const core::Trace trace = tracer.take();
  std::vector<Step> steps;
  for (const core::TracedStep& step : trace.steps) {
    if (step.primitive->name() != name) continue;
    std::vector<Tensor> operands;
    for (const core::TracedOperand& input : step.inputs)
      operands.push_back(core::make_constant(
          core::Array(input.spec.shape, input.spec.dtype, trace.values[input.value].buffer)));
    steps.push_back({core::PrimitiveCopy(*step.primitive), operands});
  }
  REQUIRE(!steps.empty());
  return steps;
}

/// The first step of that name in each of three calls, as a batch, with each operand in turn shared, and all
/// batched: the rule runs, to the bits of single examples.
template <class F>
void check_rule(const std::string& name, const F& call) {
  CAPTURE(name);
  std::vector<Step> steps;
  for (std::size_t e = 0; e < examples; ++e) steps.push_back(std::move(steps_of(name, call)[0]));
  const std::size_t count = steps[0].operands.size();
  for (std::size_t shared = 0; shared <= (count > 1 ? count : 0); ++shared) {
    std::vector<core::BatchInput> batch;
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<Tensor> each;
      for (const Step& step : steps) each.push_back(step.operands[i]);
      const bool is_shared = count > 1 && i == shared;
      batch.push_back({is_shared ? each[0] : stack(each), !is_shared});
    }
    std::vector<Tensor> single;
    for (const Step& step : steps) {
      std::vector<const Tensor*> pointers;
      for (std::size_t i = 0; i < count; ++i)
        pointers.push_back(batch[i].is_batched ? &step.operands[i] : &batch[i].tensor);
      single.push_back(core::apply_all(*steps[0].primitive, pointers)[0]);
    }
    core::BatchContext context(examples, batch);
    REQUIRE(steps[0].primitive->batch(context));
    CHECK(testing::same_bits(context.take_results()[0], stack(single)));
  }
}

TEST_CASE("batch: the primitives of modules and of creation have the bits of single examples") {
  Random random(3);
  check_rule("one_hot", [&] { return one_hot(argmax(randn({4, 5}, random), 1), 5); });
  Dropout dropout({.p = 0.4});
  check_rule("scaled_where", [&] { return dropout(randn({4, 5}, random)); });
  const auto cosine = [&](std::int64_t axis) {
    const Tensor a = randn({4, 5}, random, {.requires_grad = true});
    const Tensor b = randn({4, 5}, random, {.requires_grad = true});
    const Tensor y = cosine_similarity(a, b, {.axis = axis});
    return grad(sum(y * y), {a, b});
  };
  for (const std::int64_t axis : {0, 1}) {
    for (const char* name : {"cosine", "cosine.rule0", "cosine.rule1"})
      check_rule(name, [&] { return cosine(axis); });
  }
}

}}  // namespace xtgrad::nn
