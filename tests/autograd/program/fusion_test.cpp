// Elementwise steps in one: the bits of the steps, whatever their shapes.
#include "xtgrad/autograd/program/fusion.h"

#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/autograd/program/recorded.h"
#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/program/passes.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad { namespace {

using detail::ProgramSteps;
using testing::names_of;
using testing::run_steps;
using testing::same_bits;
using testing::steps_of;

template <class F>
ProgramSteps fused(const std::vector<Tensor>& inputs, const F& f) {
  return detail::with_elementwise_steps_fused(detail::simplified(steps_of(inputs, f)));
}

TEST_CASE("elementwise steps become one, whose text shows them") {
  const auto f = [](const auto& in) { return std::vector<Tensor>{sum(tanh(in[0] * 2 + in[1]) * in[0])}; };
  const ProgramSteps steps = fused({ones({3, 4}), ones({4})}, f);
  CHECK(steps.text() ==
        "input in0:float32[3, 4]\n"
        "input in1:float32[4]\n"
        "%2:float32[3, 4] = fused(in0, in1)\n"
        "  t0 = mul_number[2](in0)\n"
        "  t0 = add(t0, in1)\n"
        "  t0 = tanh(t0)\n"
        "  %2 = mul(t0, in0)\n"
        "%3:float32[] = sum[axes=[0, 1]](%2)\n"
        "return %3\n");
}

TEST_CASE("rows of two lengths are no rows of one result") {
  Random random(4);
  const auto f = [](const auto& in) {
    return std::vector<Tensor>{tanh(in[0] + in[1]) * 2, tanh(in[1] + in[0]) * 3};
  };
  for (const auto& [a, b] : {std::pair<Shape, Shape>{{1, 1, 5}, {3, 5}},
                             {{1, 1, 5}, {100, 5}},
                             {{1, 5}, {5}},
                             {{4, 1}, {1, 5}},
                             {{1}, {1, 1, 5}}}) {
    const std::vector<Tensor> inputs{randn(a, random), randn(b, random)};
    const std::vector<Tensor> want = f(inputs), got = run_steps(fused(inputs, f), inputs);
    for (std::size_t k = 0; k < want.size(); ++k) CHECK(same_bits(got[k], want[k]));
  }
}

TEST_CASE("a step waits for no operand that is made meanwhile") {
  const auto f = [](const auto& in) {
    const Tensor a = tanh(in[0]);
    const Tensor rows = matmul(in[0], in[0]);  // between the two
    return std::vector<Tensor>{exp(a * 3 + rows)};
  };
  const ProgramSteps steps = fused({ones({3, 3})}, f);
  CHECK(names_of(steps) == std::vector<std::string>{"fused", "matmul", "fused"});
  const std::vector<Tensor> inputs{tensor({{1, 2, 3}, {4, 5, 6}, {7, 8, 9}})};
  const std::vector<Tensor> got = run_steps(steps, inputs), want = f(inputs);
  for (std::size_t k = 0; k < want.size(); ++k) CHECK(same_bits(got[k], want[k]));
}

/// Values of one shape, and of what broadcasts to it.
std::vector<Tensor> random_values(const std::vector<Tensor>& in, unsigned seed, int count) {
  std::mt19937 choice(seed);
  std::vector<Tensor> made{in[0], in[1]};
  for (int i = 0; i < count; ++i) {
    const auto any = [&]() -> const Tensor& { return made[choice() % made.size()]; };
    switch (choice() % 8) {
      case 0:
        made.push_back(tanh(any()));
        break;
      case 1:
        made.push_back(any() + any());
        break;
      case 2:
        made.push_back(any() * in[2]);
        break;
      case 3:
        made.push_back(any() - in[3]);
        break;
      case 4:
        made.push_back(maximum(any(), any()));
        break;
      case 5:
        made.push_back(any() * 0.25);
        break;
      case 6:
        made.push_back(sigmoid(any()));
        break;
      default:
        made.push_back(any() * sum(any()));
        break;
    }
  }
  return {made.end() - 4, made.end()};
}

TEST_CASE("fused steps have the bits of the steps, for any shape, dtype and number of threads") {
  const std::vector<Shape> shapes{{1},       {5},       {2, 3},     {33, 7},  {3, 5, 16},
                                  {1, 1023}, {40, 100}, {3000, 50}, {200'000}};
  unsigned seed = 1;
  for (const int threads : {1, 2}) {
    const testing::ThreadCount scope(threads);
    for (const Dtype dtype : {float32, float64}) {
      for (const Shape& shape : shapes) {
        Random random(seed);
        Shape row = shape.rank() == 1 ? Shape{1} : Shape{shape.back()};
        const std::vector<Tensor> inputs{
            randn(shape, random, {.dtype = dtype}), randn(shape, random, {.dtype = dtype}),
            randn(row, random, {.dtype = dtype}), randn({}, random, {.dtype = dtype})};
        const auto f = [&](const auto& in) { return random_values(in, seed, 30); };
        const ProgramSteps plain = detail::simplified(steps_of(inputs, f));
        const ProgramSteps steps = detail::with_elementwise_steps_fused(plain);
        CAPTURE(steps.text());
        CHECK(steps.steps.size() < plain.steps.size());
        const std::vector<Tensor> want = f(inputs), got = run_steps(steps, inputs);
        for (std::size_t k = 0; k < want.size(); ++k) CHECK(same_bits(got[k], want[k]));
        ++seed;
      }
    }
  }
}

TEST_CASE("a result lies over an input only where that has been read") {
  const auto f = [](const auto& in) {
    const Tensor x = exp(in[0]);        // of the arena, read by the last step alone
    const Tensor s = softmax(x, 0);     // a step that is not fused
    const Tensor a = s * 2, b = a + s;  // both kept
    return std::vector<Tensor>{sum(a), sum(b), sum(softmax(a, 0)), sum(softmax(b, 0))};
  };
  Random random(3);
  const std::vector<Tensor> inputs{randn({5000}, random)};
  const std::vector<Tensor> want = f(inputs), got = run_steps(fused(inputs, f), inputs);
  for (std::size_t k = 0; k < want.size(); ++k) CHECK(same_bits(got[k], want[k]));
}

TEST_CASE("more operands than a step can have, and more steps, are several") {
  const auto f = [](const auto& in) {
    Tensor sum_of = in[0];
    for (std::size_t i = 1; i < in.size(); ++i) sum_of = sum_of + tanh(in[i]);
    for (int i = 0; i < 100; ++i) sum_of = sigmoid(sum_of);
    return std::vector<Tensor>{sum_of};
  };
  Random random(2);
  std::vector<Tensor> inputs;
  for (int i = 0; i < 60; ++i) inputs.push_back(randn({10}, random));
  const std::vector<Tensor> want = f(inputs), got = run_steps(fused(inputs, f), inputs);
  CHECK(same_bits(got[0], want[0]));
}

}}  // namespace xtgrad
