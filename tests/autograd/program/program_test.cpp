// What becomes of a list of steps before it is run: its text, the passes, and where its values lie.
#include "xtgrad/autograd/program.h"

#include <doctest/doctest.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/autograd/program/recorded.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/program/arena_plan.h"
#include "xtgrad/autograd/program/passes.h"
#include "xtgrad/autograd/program/runner.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad { namespace {

using detail::ArenaPlan;
using detail::no_value;
using detail::ProgramOperand;
using detail::ProgramSteps;
using testing::names_of;
using testing::run_steps;
using testing::same_bits;
using testing::steps_of;

TEST_CASE("a program is one line a step; a reshape is none, and shows where it is read") {
  const ProgramSteps steps = steps_of({tensor({{1, 2}, {3, 4}}), tensor({1, 2})}, [](const auto& in) {
    const Tensor flat = reshape(in[0], {4});
    return std::vector<Tensor>{sum(flat * 2), in[0] + in[1]};
  });
  CHECK(steps.text() ==
        "input in0:float32[2, 2]\n"
        "input in1:float32[2]\n"
        "%2:float32[4] = mul_number[2](in0[4])\n"
        "%3:float32[] = sum[axes=[0]](%2)\n"
        "%4:float32[2, 2] = add(in0, in1)\n"
        "return %3, %4\n");
}

TEST_CASE("steps that nothing depends on go, and so do those that were there before") {
  const auto f = [](const auto& in) {
    static_cast<void>(exp(in[0]));
    const Tensor a = tanh(in[0]) * 2, b = tanh(in[0]) * 2, c = tanh(in[0]) * 3;
    return std::vector<Tensor>{a + b + c};
  };
  const std::vector<Tensor> inputs{tensor({1, 2, 3})};
  const ProgramSteps steps = steps_of(inputs, f);
  CHECK(names_of(steps) == std::vector<std::string>{"exp", "tanh", "mul_number", "tanh", "mul_number", "tanh",
                                                    "mul_number", "add", "add"});
  const ProgramSteps fewer = detail::simplified(steps);
  CHECK(names_of(fewer) == std::vector<std::string>{"tanh", "mul_number", "mul_number", "add", "add"});
  for (const ProgramSteps& each : {steps, fewer}) CHECK(same_bits(run_steps(each, inputs)[0], f(inputs)[0]));
}

TEST_CASE("numbers that differ in their bits alone are two") {
  const ProgramSteps steps = detail::simplified(steps_of({tensor({1, 2})}, [](const auto& in) {
    return std::vector<Tensor>{in[0] * 0.0, in[0] * -0.0, in[0] * 0.0};
  }));
  CHECK(steps.steps.size() == 2);
  CHECK(steps.results[0].value == steps.results[2].value);
  CHECK(steps.results[0].value != steps.results[1].value);
}

TEST_CASE("what depends on no input is computed once, unless it is large") {
  const auto f = [](std::int64_t n) {
    return [n](const auto& in) { return std::vector<Tensor>{in[0] + sum(exp(zeros({n})) * 3)}; };
  };
  CHECK(names_of(detail::simplified(steps_of({tensor(1)}, f(10)))) == std::vector<std::string>{"add"});
  const ProgramSteps large = detail::simplified(steps_of({tensor(1)}, f(100'000)));
  CAPTURE(large.text());
  CHECK(names_of(large) == std::vector<std::string>{"zeros", "exp", "mul_number", "sum", "add"});
  CHECK(same_bits(run_steps(large, {tensor(2)})[0], tensor(300'002)));
}

#if defined(__x86_64__)
TEST_CASE(
    "constants are computed as everything else is, whatever the caller's thread does with subnormal "
    "numbers") {
  const auto f = [](const auto& in) { return std::vector<Tensor>{in[0] + full({4}, 1e-30) * 1e-10}; };
  const std::vector<Tensor> inputs{zeros({4})};
  const std::vector<Tensor> want = f(inputs);
  const ProgramSteps steps = steps_of(inputs, f);
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);
  const ProgramSteps simpler = detail::simplified(steps);
  const std::vector<Tensor> got = run_steps(simpler, inputs);
  _mm_setcsr(before);
  CHECK(simpler.steps.size() == 1);
  CHECK(same_bits(got[0], want[0]));
}
#endif

/// Every value that is read later is where nothing else has been put meanwhile.
void check_places(const ProgramSteps& steps) {
  const ArenaPlan plan = detail::plan_arena(steps);
  std::vector<std::size_t> last(steps.values.size(), 0);
  for (std::size_t s = 0; s < steps.steps.size(); ++s) {
    for (const ProgramOperand& input : steps.steps[s].inputs) last[input.value] = s;
  }
  std::vector<detail::ValueIndex> alive;
  for (std::size_t s = 0; s < steps.steps.size(); ++s) {
    for (const ProgramOperand& output : steps.steps[s].outputs) {
      if (output.value == no_value || plan.offsets[output.value] == ArenaPlan::nowhere) continue;
      const std::size_t begin = plan.offsets[output.value];
      const std::size_t end = begin + detail::arena_bytes(steps.values[output.value]);
      CHECK(begin % 64 == 0);
      CHECK(end <= plan.bytes);
      for (const detail::ValueIndex other : alive) {
        if (last[other] < s ||
            (last[other] == s && plan.takes_over[output.value] != 0 && plan.offsets[other] == begin))
          continue;
        const std::size_t from = plan.offsets[other];
        CHECK((end <= from || from + detail::arena_bytes(steps.values[other]) <= begin));
      }
      alive.push_back(output.value);
    }
  }
}

TEST_CASE("values share places, and none lies where another is still to be read") {
  Random random(6);
  for (int round = 0; round < 20; ++round) {
    const std::vector<Tensor> inputs{randn({3, 4}, random), randn({4}, random)};
    const auto f = [round](const auto& in) {
      std::mt19937 choice(static_cast<unsigned>(round));
      std::vector<Tensor> made{in[0], in[1]};
      for (int i = 0; i < 40; ++i) {
        const auto any = [&] { return made[choice() % made.size()]; };
        switch (choice() % 5) {
          case 0:
            made.push_back(tanh(any()));
            break;
          case 1:
            made.push_back(any() + any().detach() * 0.5);
            break;
          case 2:
            made.push_back(sum(any()));
            break;
          case 3:
            made.push_back(exp(-square(any())));
            break;
          default:
            made.push_back(concat({reshape(any(), {-1}), reshape(any(), {-1})}, 0));
            break;
        }
        if (made.back().numel() > 200) made.back() = sum(made.back());
      }
      std::vector<Tensor> results;
      for (std::size_t i = made.size() - 5; i < made.size(); ++i) results.push_back(sum(made[i]));
      return results;
    };
    ProgramSteps steps;
    try {
      steps = steps_of(inputs, f);
    } catch (const ShapeError&) {
      continue;  // shapes that do not broadcast
    }
    steps = detail::simplified(std::move(steps));
    check_places(steps);
    const std::vector<Tensor> want = f(inputs);
    detail::ProgramRunner runner(std::make_shared<const ProgramSteps>(steps));
    for (int again = 0; again < 3; ++again) {
      for (std::size_t k = 0; k < inputs.size(); ++k)
        runner.bind(steps.inputs[k], detail::array_of(inputs[k]));
      runner.begin();
      runner.finish();
      for (std::size_t k = 0; k < want.size(); ++k) {
        if (steps.values[steps.results[k].value].source == detail::ProgramValue::Source::step)
          CHECK(same_bits(runner.made(steps.results[k]), want[k]));
      }
    }
  }
}

TEST_CASE("a chain of elementwise steps stays in one place") {
  const ProgramSteps steps = detail::simplified(steps_of({ones({1000})}, [](const auto& in) {
    Tensor y = in[0];
    for (int i = 0; i < 10; ++i) y = tanh(y * 1.5);
    return std::vector<Tensor>{sum(y)};
  }));
  const ArenaPlan plan = detail::plan_arena(steps);
  CHECK(plan.bytes == 64 + 4032);
  CHECK(plan.taken_over == 19);
  const auto shared = std::make_shared<const ProgramSteps>(steps);
  const Program program(shared, shared, 21);
  CHECK(program.plan().to_string() ==
        "21 steps, of 21 recorded\narena: 4096 bytes for 20 values of 80000 bytes\nresults and next state: 4 "
        "bytes\n"
        "constants: 0 bytes\n");
}

}}  // namespace xtgrad
