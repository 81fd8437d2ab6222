#include "xtgrad/autograd/batch_loop.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/autograd/ops/batched_steps.h"
#include "tests/autograd/ops/op_walk.h"
#include "tests/support/looping_operations.h"
#include "tests/support/message_of.h"
#include "tests/support/share.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/core/trace.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/from_values.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// A cotangent that is no step of a trace, and that no element of it is like another.
Tensor cotangent_of(const Tensor& y, std::size_t example) {
  std::vector<double> elements(static_cast<std::size_t>(y.numel()));
  for (std::size_t i = 0; i < elements.size(); ++i)
    elements[i] = std::sin(static_cast<double>(3 * i + example + 1));
  if (y.dtype() == float64) return from_span(std::span<const double>(elements), y.shape());
  const std::vector<float> narrow(elements.begin(), elements.end());
  return from_span(std::span<const float>(narrow), y.shape());
}

/// The steps of recorded rules, and of theirs.
void differentiate_twice(const Tensor& y, const Tensor& g, const std::vector<Tensor>& wanted) {
  std::vector<Tensor> gradients, cotangents;
  for (const Tensor& one :
       grad(std::span(&y, 1), wanted, {.cotangents = {g}, .create_graph = true, .allow_unused = true})) {
    if (!one.defined() || !one.requires_grad()) continue;
    gradients.push_back(one);
    cotangents.push_back(cotangent_of(one, gradients.size()));
  }
  if (gradients.empty()) return;
  static_cast<void>(grad(gradients, wanted, {.cotangents = cotangents, .allow_unused = true}));
}

/// What a sample and its rules compute, once for each example; if `twice`, those of second derivatives, too.
ExampleTraces traces_of(const Op& op, const Sample& sample, Dtype dtype, bool twice) {
  ExampleTraces traces;
  Random random = random_for(op, Check::again);
  for (detail::Trace& trace : traces) {
    const std::vector<Tensor> inputs = make_inputs(sample, draw_inputs(sample, dtype, random), dtype, true);
    detail::Tracer tracer;
    const Tensor y = sample.apply(inputs);
    const std::vector<Tensor> wanted = differentiable_of(sample, inputs);
    if (y.requires_grad() && !wanted.empty()) {
      const Tensor g = cotangent_of(y, static_cast<std::size_t>(&trace - traces.data()));
      static_cast<void>(
          grad(std::span(&y, 1), wanted, {.cotangents = {g}, .keep_graph = true, .allow_unused = true}));
      if (twice) differentiate_twice(y, g, wanted);
    }
    trace = tracer.take();
  }
  return traces;
}

/// How often a primitive's rule ran, and how often there was none.
struct Count {
  std::size_t ran = 0;
  std::size_t looped = 0;
};

/// What an operation's steps, its rules' among them, came to.
struct Walked {
  Count count;
  std::set<std::string> looping;  // names of primitives
};
/// Steps that have been compared.
using Known = std::map<std::string, Count>;

/// A primitive with its attributes, and the shapes and dtypes that it meets.
std::string key_of(const detail::TracedStep& step) {
  std::string key = fmt::format("{}({})", step.primitive->name(), detail::attribute_text(*step.primitive));
  for (const detail::TracedOperand& input : step.inputs)
    key += fmt::format(" {}{}", to_string(input.spec.dtype), to_string(input.spec.shape));
  return key;
}

/// Compares a step of examples with the batch, whichever operands are batched.
Count compare_mixes(const std::string& what, const detail::Primitive& primitive, const Examples& inputs) {
  Count count;
  std::int64_t elements = 0;
  for (const Tensor& one : inputs[0]) elements += one.numel();
  const bool small = elements <= 4096;  // derivatives of a rule's steps are the same whatever its sizes
  for (const Mix& mix : mixes_of(inputs[0].size())) {
    bool ran = false;
    std::string found = compare_to_single(primitive, inputs, mix, ran);
    if (found.empty() && ran && small && primitive.has_vjp())
      found = compare_gradients(primitive, inputs, mix);
    ++(ran ? count.ran : count.looped);
    std::string batched;
    for (const bool is_batched : mix) batched += is_batched ? 'b' : '-';
    CHECK_MESSAGE(found.empty(), what << ", batched " << batched << ": " << found);
  }
  return count;
}

/// Compares the steps of a sample's value and rules, where they have not been yet.
void compare_steps(const Op& op, const Sample& sample, Dtype dtype, Known& known, Walked& walked) {
  const bool twice = sample.derivatives && dtype == float64;
  const ExampleTraces traces = traces_of(op, sample, dtype, twice);
  for (std::size_t s = 0; s < traces[0].steps.size(); ++s) {
    const detail::TracedStep& step = traces[0].steps[s];
    if (!is_batchable(step)) continue;
    const std::string key = key_of(step);
    const auto [place, is_new] = known.try_emplace(key);
    if (is_new) {
      Examples inputs;
      for (std::size_t e = 0; e < batch_examples; ++e) {
        REQUIRE(traces[e].steps.size() == traces[0].steps.size());
        REQUIRE(detail::same_primitive(*traces[e].steps[s].primitive, *step.primitive));
        for (const detail::TracedOperand& input : traces[e].steps[s].inputs)
          inputs[e].push_back(operand(traces[e], input));
      }
      const std::string what = fmt::format("{}({}): {}", to_string(op.id), sample.attributes, key);
      place->second = compare_mixes(what, *step.primitive, inputs);
    }
    if (place->second.looped > 0) walked.looping.insert(std::string(step.primitive->name()));
    walked.count.ran += place->second.ran;
    walked.count.looped += place->second.looped;
  }
}

Tensor apply_to(const Tensor& x, const Tensor& y, const std::vector<detail::BatchInput>& inputs) {
  detail::Tracer tracer;
  static_cast<void>(matmul(x, y));
  return detail::apply_batched(*tracer.trace().steps[0].primitive, inputs)[0];
}

TEST_CASE("batch: every primitive that an operation or its rule runs has the bits of single examples") {
  Known known;
  const Share part = share();
  for (std::size_t i = 0; i < static_cast<std::size_t>(OpId::count_); ++i) {
    if (!part.has(i)) continue;
    const Op op = describe(static_cast<OpId>(i));
    Walked walked;
    for (const Sample& sample : op.samples) {
      // Else examples have other steps, or results that do not stack.
      if (sample.decided != Decided::values) continue;
      for (const Dtype dtype : {float32, float64}) compare_steps(op, sample, dtype, known, walked);
    }
    const auto [ran, looped] = walked.count;
    const std::string how = looped == 0 && ran > 0 ? "" : ran == 0 ? "loops" : "in part";
    const Looping said = looping_of(std::string(to_string(op.id)));
    // What vmap refuses (tests/docs/ops_page_test.cpp) has no rule for a batch, either.
    const std::string as_walked = said.how == "refused" ? "loops" : said.how;
    CHECK_MESSAGE(as_walked == how, to_string(op.id)
                                        << ": " << fmt::format("{}", fmt::join(walked.looping, ", ")));
    CHECK(said.reason.empty() == how.empty());
  }
  CHECK(known.size() > part.least_of(1000));
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
  static_cast<void>(layer_norm(ones({2}), ones({2}), ones({2})));
  const detail::Trace trace = tracer.take();
  const auto primitive = [&](const std::string& name) -> const detail::Primitive& {
    for (const detail::TracedStep& step : trace.steps)
      if (step.primitive->name() == name) return *step.primitive;
    FAIL("no step of that name");
    return *trace.steps[0].primitive;
  };
  CHECK(steps_of(primitive("tanh"), {{x}}) == 1);
  CHECK(steps_of(primitive("add"), {{x}, {ones({2}), false}}) == 1);
  CHECK(steps_of(primitive("layer_norm"), {{x}, {ones({2}), false}, {ones({2}), false}}) == 1);
  // With weights of each example x and they are cut and reshaped, and normalised, three times each; then
  // results are joined, and reshaped.
  CHECK(steps_of(primitive("layer_norm"), {{x}, {ones({3, 2})}, {ones({2}), false}}) == 17);
}

TEST_CASE("batch: examples of other ranks broadcast as they do alone") {
  detail::Tracer tracer;
  static_cast<void>(add(ones({2, 3}), ones({3})));
  const detail::Trace trace = tracer.take();
  Random random(5);
  const Tensor a = randn({2, 2, 3}, random), b = randn({2, 3}, random);
  const Tensor sum =
      detail::apply_batched(*trace.steps.back().primitive, std::vector<detail::BatchInput>{{a}, {b}})[0];
  CHECK(same_bits(sum, a + reshape(b, {2, 1, 3})));
  // The other way round the batched one has fewer dimensions than the shared one.
  const Tensor other = detail::apply_batched(*trace.steps.back().primitive,
                                             std::vector<detail::BatchInput>{{ones({2, 3}), false}, {b}})[0];
  CHECK(same_bits(other, reshape(b, {2, 1, 3}) + ones({2, 2, 3})));
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
