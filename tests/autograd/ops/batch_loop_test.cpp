#include "xtgrad/autograd/batch_loop.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

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

constexpr std::size_t examples = 3;

/// A cotangent that is no step of a trace, and that no element of it is like another.
Tensor cotangent_of(const Tensor& y, std::size_t example) {
  std::vector<double> elements(static_cast<std::size_t>(y.numel()));
  for (std::size_t i = 0; i < elements.size(); ++i)
    elements[i] = std::sin(static_cast<double>(3 * i + example + 1));
  if (y.dtype() == float64) return from_span(std::span<const double>(elements), y.shape());
  const std::vector<float> narrow(elements.begin(), elements.end());
  return from_span(std::span<const float>(narrow), y.shape());
}

/// What a sample and its rules compute, once for each example.
std::array<detail::Trace, examples> traces_of(const Op& op, const Sample& sample, Dtype dtype) {
  std::array<detail::Trace, examples> traces;
  Random random = random_for(op, Check::again);
  for (detail::Trace& trace : traces) {
    const std::vector<Tensor> inputs = make_inputs(sample, draw_inputs(sample, dtype, random), dtype, true);
    detail::Tracer tracer;
    const Tensor y = sample.apply(inputs);
    const std::vector<Tensor> wanted = differentiable_of(sample, inputs);
    if (y.requires_grad() && !wanted.empty()) {
      const Tensor g = cotangent_of(y, static_cast<std::size_t>(&trace - traces.data()));
      static_cast<void>(grad(std::span(&y, 1), wanted, {.cotangents = {g}, .allow_unused = true}));
    }
    trace = tracer.take();
  }
  return traces;
}

Tensor operand(const detail::Trace& trace, const detail::TracedOperand& operand) {
  return detail::make_constant(
      detail::Array(operand.spec.shape, operand.spec.dtype, trace.values[operand.value].buffer));
}

/// Which operands of a step are batched.
using Mix = std::vector<bool>;

/// All; each alone, and each alone not. Of very many operands the first stands for the others.
std::vector<Mix> mixes_of(std::size_t operands) {
  std::vector<Mix> mixes{Mix(operands, true)};
  for (std::size_t i = 0; operands > 1 && i < (operands > 8 ? 1 : operands); ++i) {
    mixes.emplace_back(operands, false).at(i) = true;
    mixes.emplace_back(operands, true).at(i) = false;
  }
  if (operands == 2) mixes.erase(mixes.begin() + 3, mixes.end());  // each alone is the other one not
  return mixes;
}

using Examples = std::array<std::vector<Tensor>, examples>;

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

/// What is wrong with a batch, of none, one and three examples; empty if nothing is. Says in `ran` whether
/// the primitive's own rule made it.
std::string compare_to_single(const detail::Primitive& primitive, const Examples& inputs, const Mix& mix,
                              bool& ran) {
  const std::vector<std::vector<Tensor>> single = one_by_one(primitive, inputs, mix);
  const std::vector<detail::BatchInput> batch = batch_of(inputs, mix, examples);
  detail::BatchContext context(examples, batch);
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

/// What is wrong with the derivatives of a rule, against those of stacked single examples.
std::string compare_gradients(const detail::Primitive& primitive, const Examples& inputs, const Mix& mix) {
  std::vector<detail::BatchInput> batch = batch_of(inputs, mix, examples);
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
  for (std::size_t e = 0; e < examples; ++e) {
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

/// How often a primitive's rule ran, and how often there was none.
struct Count {
  std::size_t ran = 0;
  std::size_t looped = 0;
};

/// Compares the steps of a sample's value and rules; counts what ran, and which primitives looped.
std::size_t compare_steps(const Op& op, const Sample& sample, Dtype dtype, Count& own,
                          std::set<std::string>& looping) {
  const std::array<detail::Trace, examples> traces = traces_of(op, sample, dtype);
  std::size_t compared = 0;
  for (std::size_t s = 0; s < traces[0].steps.size(); ++s) {
    const detail::TracedStep& step = traces[0].steps[s];
    Examples inputs;
    bool fits = !step.inputs.empty();
    for (const detail::TracedOperand& input : step.inputs) {
      fits = fits && input.spec.shape.rank() < Shape::max_rank;
    }
    for (const detail::TracedOperand& output : step.outputs)
      fits = fits && output.spec.shape.rank() < Shape::max_rank;
    if (!fits) continue;
    for (std::size_t e = 0; e < examples; ++e) {
      REQUIRE(traces[e].steps.size() == traces[0].steps.size());
      REQUIRE(detail::same_primitive(*traces[e].steps[s].primitive, *step.primitive));
      for (const detail::TracedOperand& input : traces[e].steps[s].inputs) {
        inputs[e].push_back(operand(traces[e], input));
      }
    }
    for (const Mix& mix : mixes_of(step.inputs.size())) {
      bool ran = false;
      std::string found = compare_to_single(*step.primitive, inputs, mix, ran);
      if (found.empty() && ran && step.primitive->has_vjp())
        found = compare_gradients(*step.primitive, inputs, mix);
      if (!ran) looping.insert(std::string(step.primitive->name()));
      ++(ran ? own.ran : own.looped);
      std::string text;
      for (const bool is_batched : mix) text += is_batched ? 'b' : '-';
      CHECK_MESSAGE(found.empty(), detail::to_string(op.id)
                                       << "(" << sample.attributes << ") " << to_string(dtype) << ": "
                                       << step.primitive->name() << "("
                                       << detail::attribute_text(*step.primitive) << ") " << text << ": "
                                       << found);
    }
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
    Count count;
    std::set<std::string> looping;
    for (const Sample& sample : op.samples) {
      // Else examples have other steps, or results that do not stack.
      if (sample.decided != Decided::values) continue;
      for (const Dtype dtype : {float32, float64})
        compared += compare_steps(op, sample, dtype, count, looping);
    }
    const std::string how = count.looped == 0 && count.ran > 0 ? "" : count.ran == 0 ? "loops" : "in part";
    const Looping said = looping_of(std::string(detail::to_string(op.id)));
    CHECK_MESSAGE(said.how == how, detail::to_string(op.id)
                                       << ": " << fmt::format("{}", fmt::join(looping, ", ")));
    CHECK(said.reason.empty() == how.empty());
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

/// What is wrong with the steps of a call on three examples, of inputs whose examples are drawn.
std::string compare_call(const std::vector<Shape>& shapes, const Apply& call, std::size_t batched) {
  Random random(11);
  std::array<detail::Trace, examples> traces;
  for (detail::Trace& trace : traces) {
    std::vector<Tensor> inputs;
    for (const Shape& shape : shapes) inputs.push_back(randn(shape, random));
    detail::Tracer tracer;
    static_cast<void>(call(inputs));
    trace = tracer.take();
  }
  const detail::TracedStep& step = traces[0].steps.back();
  Examples inputs;
  for (std::size_t e = 0; e < examples; ++e)
    for (const detail::TracedOperand& input : traces[e].steps.back().inputs)
      inputs[e].push_back(operand(traces[e], input));
  Mix mix(step.inputs.size(), false);
  std::fill_n(mix.begin(), batched, true);
  bool ran = false;
  const std::string found = compare_to_single(*step.primitive, inputs, mix, ran);
  return ran ? found : "no rule ran";
}

TEST_CASE("batch: examples of some size have the bits that they have alone, whichever way a kernel takes") {
  const auto check = [](const char* what, const std::vector<Shape>& shapes, const Apply& call) {
    CHECK_MESSAGE(compare_call(shapes, call, 1).empty(), what << ": " << compare_call(shapes, call, 1));
  };
  check("sum of all", {{50000}}, [](const Tensor& x) { return sum(x); });
  check("sum of columns", {{3000, 5}}, [](const Tensor& x) { return sum(x, {.axes = {0}}); });
  check("sum of the middle", {{7, 300, 9}}, [](const Tensor& x) { return sum(x, {.axes = {1}}); });
  check("sum of both ends", {{70, 9, 80}}, [](const Tensor& x) { return sum(x, {.axes = {0, 2}}); });
  check("sum_to a row", {{3000, 17}}, [](const Tensor& x) { return sum_to(x, {17}); });
  check("sum_to one", {{300, 17}}, [](const Tensor& x) { return sum_to(x, {1, 1}); });
  check("mean", {{300, 170}}, [](const Tensor& x) { return mean(x); });
  check("var", {{300, 170}}, [](const Tensor& x) { return var(x, {.axes = {0}}); });
  check("prod", {{30, 170}}, [](const Tensor& x) { return prod(x, {.axes = {0}}); });
  check("norm", {{5, 17000}}, [](const Tensor& x) { return norm(x, {.axes = {-1}}); });
  check("softmax", {{400, 30}}, [](const Tensor& x) { return softmax(x, 0); });
  check("logsumexp", {{20000}}, [](const Tensor& x) { return logsumexp(x); });
  check("cumsum", {{20000}}, [](const Tensor& x) { return cumsum(x, {.axis = 0}); });
  check("tanh", {{20003}}, [](const Tensor& x) { return tanh(x); });
  check("row", {{1, 1003}, {1003}}, [](const Tensor& x, const Tensor& y) { return x * y; });
  check("a matrix and a shared one", {{65, 300}, {300, 70}},
        [](const Tensor& x, const Tensor& y) { return matmul(x, y); });
  check("a row and a shared matrix", {{1, 300}, {300, 70}},
        [](const Tensor& x, const Tensor& y) { return matmul(x, y); });
  check("layer_norm", {{200, 300}, {300}, {300}},
        [](const Tensor& x, const Tensor& w, const Tensor& b) { return layer_norm(x, w, b); });
  check("rms_norm", {{200, 300}, {300}}, [](const Tensor& x, const Tensor& w) { return rms_norm(x, w); });
  check("group_norm", {{4, 8, 20, 20}, {8}, {8}},
        [](const Tensor& x, const Tensor& w, const Tensor& b) { return group_norm(x, 2, w, b); });
  check("batch_norm", {{8, 4, 20, 20}, {4}, {4}},
        [](const Tensor& x, const Tensor& w, const Tensor& b) { return batch_norm(x, w, b); });
  check("conv2d", {{4, 16, 32, 32}, {24, 16, 3, 3}},
        [](const Tensor& x, const Tensor& w) { return conv2d(x, w, {.padding = 1}); });
  check("conv2d of one image", {{1, 3, 32, 32}, {4, 3, 5, 5}},
        [](const Tensor& x, const Tensor& w) { return conv2d(x, w, {.stride = 2}); });
  check("conv2d as a product", {{5, 16, 8, 8}, {24, 16, 8, 8}},
        [](const Tensor& x, const Tensor& w) { return conv2d(x, w); });
  check("conv_transpose2d", {{4, 16, 12, 12}, {16, 5, 3, 3}},
        [](const Tensor& x, const Tensor& w) { return conv_transpose2d(x, w, {.stride = 2}); });
  check("avg_pool2d", {{4, 3, 40, 40}}, [](const Tensor& x) { return avg_pool2d(x, {.kernel = 3}); });
}

TEST_CASE("batch: weights of each example, of some size, have the bits of each alone") {
  const auto conv = [](const Tensor& x, const Tensor& w) { return conv2d(x, w, {.padding = 1}); };
  for (const std::int64_t images : {1, 4}) {
    for (const auto& [in, out] : {std::pair{1, 1}, {3, 4}, {16, 24}, {40, 70}}) {
      CAPTURE(images);
      CAPTURE(in);
      CAPTURE(out);
      CHECK(compare_call({{images, in, 18, 18}, {out, in, 3, 3}}, conv, 2) == "");
      CHECK(compare_call(
                {{images, in, 12, 12}, {in, out, 3, 3}},
                [](const Tensor& x, const Tensor& w) { return conv_transpose2d(x, w, {.stride = 2}); },
                2) == "");
    }
  }
  const auto of_groups = [](const Tensor& x, const Tensor& w, const Tensor& b) {
    return group_norm(x, 2, w, b);
  };
  CHECK(compare_call({{4, 8, 20, 20}, {8}, {8}}, of_groups, 3) == "");
  CHECK(compare_call(
            {{8, 4, 20, 20}, {4}, {4}},
            [](const Tensor& x, const Tensor& w, const Tensor& b) { return batch_norm(x, w, b); }, 3) == "");
  CHECK(compare_call(
            {{65, 300}, {300, 70}}, [](const Tensor& x, const Tensor& y) { return matmul(x, y); }, 2) == "");
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
