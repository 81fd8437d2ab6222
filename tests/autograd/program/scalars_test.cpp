#include "xtgrad/autograd/program/scalars.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/autograd/program/recorded.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/program/joined.h"
#include "xtgrad/autograd/program/passes.h"
#include "xtgrad/autograd/program/scalar_block.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/random_tensors.h"

namespace xtgrad { namespace {

using detail::ProgramSteps;
using detail::ScalarBlock;
using testing::names_of;
using testing::run_steps;
using testing::same_bits;
using testing::steps_of;

const ScalarBlock& block_of(const ProgramSteps& steps, std::size_t step) {
  const auto* const block = dynamic_cast<const ScalarBlock*>(&*steps.steps[step]);
  REQUIRE(block != nullptr);
  return *block;
}

template <class F>
void check_bits(const std::vector<Tensor>& inputs, const F& f) {
  const ProgramSteps recorded = detail::simplified(steps_of(inputs, f));
  const std::vector<Tensor> expected = f(inputs);
  for (const ProgramSteps& steps : {detail::with_scalar_steps_joined(recorded), detail::joined(recorded)}) {
    const std::vector<Tensor> found = run_steps(steps, inputs);
    REQUIRE(found.size() == expected.size());
    for (std::size_t k = 0; k < found.size(); ++k) CHECK(same_bits(found[k], expected[k].detach()));
  }
}

std::vector<Tensor> numbers(std::size_t count, Dtype dtype, std::uint64_t seed) {
  Random random(seed);
  return unbind(
      uniform({static_cast<std::int64_t>(count)}, {.low = -1, .high = 1}, random, {.dtype = dtype}));
}

TEST_CASE("a chain of numbers is one block, a call a step") {
  const ProgramSteps steps = detail::with_scalar_steps_joined(steps_of({tensor(0.5)}, [](const auto& in) {
    Tensor y = in[0];
    for (int i = 0; i < 5; ++i) y = tanh(y * 1.5);
    return std::vector<Tensor>{y};
  }));
  CHECK(names_of(steps) == std::vector<std::string>{"scalars"});
  CHECK(steps.text() ==
        "input in0:float32[]\n"
        "%1:float32[], %2:float32[27] = scalars(in0)\n"
        "  s1 = mul_number[1.5](s0)\n"
        "  s2 = tanh(s1)\n"
        "  s3 = mul_number[1.5](s2)\n"
        "  s4 = tanh(s3)\n"
        "  s5 = mul_number[1.5](s4)\n"
        "  s6 = tanh(s5)\n"
        "  s7 = mul_number[1.5](s6)\n"
        "  s8 = tanh(s7)\n"
        "  s9 = mul_number[1.5](s8)\n"
        "  s10 = tanh(s9)\n"
        "return %1\n");
}

TEST_CASE("independent copies are put side by side; what is not side by side is brought together") {
  const ProgramSteps steps =
      detail::with_scalar_steps_joined(steps_of(numbers(8, Dtype::float32, 1), [](const auto& in) {
        std::vector<Tensor> all;
        for (std::size_t i = 0; i < 4; ++i) all.push_back(exp(in[2 * i] * in[2 * i + 1]) * in[0]);
        return all;
      }));
  REQUIRE(steps.steps.size() == 1);
  CHECK(block_of(steps, 0).code().text("") ==
        "s8..s11 = s0, s2, s4, s6\n"
        "s12..s15 = s1, s3, s5, s7\n"
        "s16..s19 = mul(s8..s11, s12..s15)\n"
        "s20..s23 = exp(s16..s19)\n"
        "s24..s27 = mul(s20..s23, s0)\n");
}

TEST_CASE("blocks have the bits of the steps, both dtypes, specials included") {
  for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
    CAPTURE(dtype);
    check_bits(numbers(9, dtype, 3), [](const auto& in) {
      Tensor total = in[0];
      std::vector<Tensor> all;
      for (const Tensor& x : in) {
        total = total * 0.5 + sin(x) * exp(-x) + where(x > 0.0, sqrt(abs(x)), x / (total + 3.0));
        all.push_back(total);
      }
      return all;
    });
    std::vector<Tensor> specials;
    for (const double x : {0.0, -0.0, testing::infinity, -testing::infinity, testing::not_a_number, 1e-310,
                           1e-42, 1e38, -1e38})
      specials.push_back(full({}, x, {.dtype = dtype}));
    check_bits(specials, [](const auto& in) {
      std::vector<Tensor> all;
      for (const Tensor& x : in)
        all.push_back(log(sigmoid(x) * relu(x) + tanh(x) / x) + maximum(x, in[0]) - pow(x, 3.0));
      return all;
    });
  }
}

TEST_CASE("gradients of trees, chains and copies have the bits of the sweep") {
  for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
    std::vector<Tensor> leaves = numbers(32, dtype, 7);
    for (Tensor& leaf : leaves) leaf.set_requires_grad();
    const auto with_gradients = [](const auto& function) {
      return [function](const std::vector<Tensor>& in) {
        const Tensor y = function(in);
        std::vector<Tensor> all = grad({y}, in);
        all.push_back(y);
        return all;
      };
    };
    check_bits(leaves, with_gradients([](std::vector<Tensor> level) {
                 for (bool product = false; level.size() > 1; product = !product) {
                   const std::size_t half = level.size() / 2;
                   for (std::size_t i = 0; i < half; ++i) {
                     level[i] = product ? level[2 * i] * level[2 * i + 1] : level[2 * i] + level[2 * i + 1];
                   }
                   level.resize(half);
                 }
                 return level[0];
               }));
    check_bits(leaves, with_gradients([](const std::vector<Tensor>& in) {
                 Tensor total = in[0];
                 for (const Tensor& x : in)
                   total = total + erf(log(square(x) + 1.0) / 0.3) * x - exp(-x) * total * 0.1;
                 return total;
               }));
  }
}

TEST_CASE("other steps wait for blocks, and blocks for them") {
  for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
    Random random(4);
    const Tensor x = randn({6}, random, {.dtype = dtype});
    const auto f = [](const std::vector<Tensor>& in) {
      std::vector<Tensor> parts = unbind(in[0]);
      Tensor carried = parts[0];
      for (int round = 0; round < 3; ++round) {
        for (Tensor& part : parts) carried = carried * 0.9 + sin(part) * part;
        const Tensor all = stack(parts) * carried;  // waits for the numbers
        parts = unbind(all);                        // and they for it
      }
      return std::vector<Tensor>{carried, reshape(carried, {1, 1}) * 2.0, stack(parts)};
    };
    check_bits({x}, f);
    const ProgramSteps steps = detail::with_scalar_steps_joined(detail::simplified(steps_of({x}, f)));
    CHECK(std::ranges::count(names_of(steps), "scalars") == 3);
  }
}

TEST_CASE("a program of large steps is left as it is, and so are few numbers") {
  const auto large = [](const auto& in) {
    Tensor y = in[0];
    for (int i = 0; i < 20; ++i) y = tanh(matmul(y, in[0]));
    Tensor s = sum(y);
    for (int i = 0; i < 10; ++i) s = s * 1.5;
    return std::vector<Tensor>{s};
  };
  const ProgramSteps steps = steps_of({ones({3, 3})}, large);
  CHECK(names_of(detail::with_scalar_steps_joined(steps)) == names_of(steps));
  const ProgramSteps few =
      steps_of({tensor(1)}, [](const auto& in) { return std::vector<Tensor>{exp(in[0] * 2.0)}; });
  CHECK(names_of(detail::with_scalar_steps_joined(few)) == names_of(few));
}

TEST_CASE("a block's primitive says what it is made of") {
  const ProgramSteps steps = detail::with_scalar_steps_joined(steps_of({tensor(0.5)}, [](const auto& in) {
    Tensor y = in[0];
    for (int i = 0; i < 8; ++i) y = y * 1.5;
    return std::vector<Tensor>{y};
  }));
  const ScalarBlock& block = block_of(steps, 0);
  CHECK(block.flops({}, {}) == 8);
  CHECK(block.code().steps == 8);
  CHECK(steps.steps[0].outputs.size() == 2);
  CHECK(detail::same_primitive(block, block));
}

}}  // namespace xtgrad
