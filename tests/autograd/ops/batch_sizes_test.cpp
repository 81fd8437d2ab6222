#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/autograd/ops/batched_steps.h"
#include "tests/support/op_samples.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/core/batch.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"

namespace xtgrad::inline v1::testing { namespace {

/// What is wrong with the steps of a call on three examples, of inputs whose examples are drawn.
std::string compare_call(const std::vector<Shape>& shapes, const Apply& call, std::size_t batched) {
  Random random(11);
  std::array<detail::Trace, batch_examples> traces;
  for (detail::Trace& trace : traces) {
    std::vector<Tensor> inputs;
    for (const Shape& shape : shapes) inputs.push_back(randn(shape, random));
    detail::Tracer tracer;
    static_cast<void>(call(inputs));
    trace = tracer.take();
  }
  const detail::TracedStep& step = traces[0].steps.back();
  Examples inputs;
  for (std::size_t e = 0; e < batch_examples; ++e)
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

/// The step of a call that has a name, on a batch.
Tensor batched(const std::string& name, const Apply& call, const std::vector<Tensor>& example,
               const std::vector<detail::BatchInput>& batch) {
  detail::Tracer tracer;
  static_cast<void>(call(example));
  const detail::Trace trace = tracer.take();
  for (const detail::TracedStep& step : trace.steps) {
    if (step.primitive->name() != name) continue;
    detail::BatchContext context(batch[0].is_batched ? batch[0].tensor.size(0) : batch[1].tensor.size(0),
                                 batch);
    const bool ran = step.primitive->batch(context);  // not in REQUIRE, which would keep what it throws
    REQUIRE(ran);
    return context.take_results()[0];
  }
  FAIL("no step of that name");
  return {};
}

TEST_CASE("batch: what an example names out of range is refused, not taken from another example") {
  const Tensor x = ones({2, 3}), index = arange(2);
  const auto refuses = [&](const std::string& name, const Apply& call, std::int64_t bad) {
    const Tensor ids = stack({index, index * bad});
    for (const bool shared : {false, true}) {
      const detail::BatchInput table{shared ? x : stack({x, x}), !shared};
      CAPTURE(name);
      CAPTURE(bad);
      CHECK_THROWS_AS(static_cast<void>(batched(name, call, {x, index}, {table, {ids, true}})), ValueError);
    }
  };
  for (const std::int64_t bad : {-1, 2, 3}) {
    refuses(
        "index_select", [](const Tensor& a, const Tensor& i) { return index_select(a, 0, i); }, bad);
    refuses(
        "segment_sum", [](const Tensor& a, const Tensor& i) { return segment_sum(a, i, 2); }, bad);
    refuses(
        "segment_max", [](const Tensor& a, const Tensor& i) { return segment_max(a, i, 2); }, bad);
    const Tensor ids = stack({index, index * bad});
    const Apply mean = [](const Tensor& a, const Tensor& i) { return segment_mean(a, i, 2); };
    CHECK_THROWS_AS(static_cast<void>(batched("bincount", mean, {x, index}, {{ids, true}})), ValueError);
  }
}

TEST_CASE("batch: derivatives of every order follow from a rule's steps") {
  Random random(17);
  const auto draw = [&](const Shape& shape) { return randn(shape, random, {.dtype = float64}); };
  const auto check = [&](const std::string& name, const Apply& call, const std::vector<Shape>& shapes,
                         Mix mix) {
    CAPTURE(name);
    std::vector<Tensor> example, inputs;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      Shape shape;
      if (mix[i]) shape.push_back(2);
      for (const std::int64_t size : shapes[i]) shape.push_back(size);
      example.push_back(draw(shapes[i]));
      inputs.push_back(draw(shape));
    }
    const auto f = [&](std::span<const Tensor> in) {
      std::vector<detail::BatchInput> batch;
      for (std::size_t i = 0; i < in.size(); ++i) batch.push_back({in[i], mix[i]});
      return std::vector<Tensor>{batched(name, call, example, batch)};
    };
    CHECK_NOTHROW(require_grads(f, inputs, {.order = 2}));
  };
  const Apply conv = [](const Tensor& x, const Tensor& w) { return conv2d(x, w); };
  check("conv2d", conv, {{2, 2, 3, 3}, {1, 2, 2, 2}}, {true, true});
  check("conv2d", conv, {{2, 2, 3, 3}, {1, 2, 2, 2}}, {false, true});
  check("conv2d", conv, {{2, 2, 3, 3}, {1, 2, 2, 2}}, {true, false});
  check("matmul", [](const Tensor& x, const Tensor& y) { return matmul(x, y); }, {{2, 3}, {3, 2}},
        {true, false});
  check("mul", [](const Tensor& x, const Tensor& y) { return x * y; }, {{2, 3}, {3}}, {false, true});
  check("softmax", [](const Tensor& x) { return softmax(x, 0); }, {{3, 2}}, {true});
  check("sum_to", [](const Tensor& x) { return sum_to(x * x, {2}); }, {{3, 2}}, {true});
  const Apply of_groups = [](const Tensor& x, const Tensor& w, const Tensor& b) {
    return group_norm(x, 2, w, b);
  };
  check("group_norm", of_groups, {{1, 2, 3}, {2}, {2}}, {true, true, false});
  check("batch_norm", [](const Tensor& x, const Tensor& w, const Tensor& b) { return batch_norm(x, w, b); },
        {{3, 2}, {2}, {2}}, {true, false, true});
}

}}  // namespace xtgrad::testing
