// Where numerical derivatives end: kinks, noise, values that are not finite.
#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

namespace {

using Result = CheckGradsReport::Result;
using Index = std::vector<std::int64_t>;

Tensor normal(const Shape& shape, std::uint64_t seed = 1) {
  Random random(seed);
  return randn(shape, random, {.dtype = float64});
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("check_grads: kinks at x are reported with the element and both slopes") {
  const Tensor x = tensor({1.0, 0.0, 2.0}, {.dtype = float64});
  const auto report = check_grads([](const Tensor& t) { return abs(t); }, x);
  CHECK(report.result == Result::kink);
  CHECK(report.input_element == Index{1});
  CHECK(report.output_element == Index{1});
  CHECK(contains(report.message,
                 "kink near x at order 1: output 0 [1] has slope -1 below and 1 above input 0 [1] = 0 "));
  CHECK(contains(report.message, "move x, or pass {.avoid_kinks = true}; seed 0"));

  const auto total = check_grads([](const Tensor& t) { return sum(relu(t)); }, x);
  CHECK(contains(total.message,
                 "kink near x at order 1: output 0 has slope 0 below and 1 above input 0 [1] = 0 "));
  const auto jump = check_grads([](const Tensor& t) { return sign(t); }, x);
  CHECK(jump.result == Result::kink);
  CHECK(contains(jump.message,
                 "jump near x at order 1: output 0 [1] goes from -1 to 1 where input 0 [1] passes 0 "));
  const auto second = check_grads([](const Tensor& t) { return t * abs(t); }, x);
  CHECK(contains(second.message, "kink near x at order 2: gradient in input 0 [1] has slope "));
}

TEST_CASE("check_grads: avoid_kinks checks beside the kink, and still finds a wrong rule there") {
  const Tensor x = tensor({1.0, 0.0, 2.0}, {.dtype = float64});
  for (const auto& f : std::vector<UnaryTensorFunction>{[](const Tensor& t) { return abs(t); },
                                                        [](const Tensor& t) { return relu(t); },
                                                        [](const Tensor& t) { return t * abs(t); }}) {
    const auto report = check_grads(f, x, {.avoid_kinks = true});
    CHECK_MESSAGE(report.ok(), report.message);
  }
  const auto wrong =
      check_grads([](const Tensor& t) { return relu(t) + 0.001 * (relu(t) - relu(t).detach()); }, x,
                  {.avoid_kinks = true});
  CHECK(wrong.result == Result::wrong);
}

TEST_CASE("check_grads: kinks near x, but not at it, do no harm") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Tensor x = normal({1000}, seed);
    const auto each = check_grads([](const Tensor& t) { return relu(t); }, x, {.seed = seed});
    CHECK_MESSAGE(each.ok(), each.message);
    const auto total = check_grads([](const Tensor& t) { return sum(abs(t)); }, x, {.seed = seed});
    CHECK_MESSAGE(total.ok(), total.message);
  }
}

TEST_CASE("check_grads: noise too large to tell is inconclusive, never a success") {
  const auto noisy = [](const Tensor& x) { return tanh((x + 1e11) - 1e11); };
  const auto report = check_grads(noisy, normal({30}));
  CHECK(report.result == Result::inconclusive);
  CHECK(report.smallest_detectable > 1e-4);
  CHECK(contains(report.message, "inconclusive at order 1: in d output 0 / d input 0 no error below "));
  CHECK(contains(report.message, "of its size would be noticed, and 1.0e-04 is asked for"));
  const auto lenient = check_grads(noisy, normal({30}), {.order = 1, .coarsest = 0.1});
  CHECK_MESSAGE(lenient.ok(), lenient.message);
  CHECK(lenient.smallest_detectable > 1e-4);
}

TEST_CASE("check_grads: noise that still lets it see enough gives no false alarm") {
  for (const double noise : {1e3, 1e5, 1e7}) {
    CAPTURE(noise);
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      const auto f = [&](const Tensor& x) { return sum(tanh((x + noise) - noise)); };
      const auto report = check_grads(f, normal({30}, seed), {.order = 1, .seed = seed});
      CHECK_MESSAGE(report.ok(), report.message);
    }
  }
}

TEST_CASE("check_grads: steps share no rounding error, so a single noisy number gives no false alarm") {
  const auto f = [](const Tensor& x) { return tanh((x + 1e7) - 1e7); };
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    const auto report = check_grads(f, normal({}, 1000 + seed), {.order = 1, .seed = seed});
    CHECK_MESSAGE(report.ok(), report.message);
  }
}

TEST_CASE("check_grads: rounding that hides f altogether is said to be possible") {
  const auto report = check_grads([](const Tensor& x) { return (x + 1e18) - 1e18; }, tensor({0.5, 1}));
  CHECK(report.result == Result::wrong);
  CHECK(contains(report.message,
                 "f does not change at all over this step: the rule is wrong, or rounding hides"));
}

TEST_CASE("check_grads: values and gradients that are not finite are reported with the element") {
  const Tensor x = tensor({{1, 2}, {0, 3}}, {.dtype = float64});
  const auto value = check_grads([](const Tensor& t) { return log(t); }, x);
  CHECK(value.result == Result::not_finite);
  CHECK(contains(value.message, "output 0 [1, 0] is -inf at x itself"));
  const auto gradient = check_grads([](const Tensor& t) { return sqrt(t); }, x);
  CHECK(gradient.result == Result::not_finite);
  CHECK(gradient.input_element == Index{1, 0});
  CHECK(contains(gradient.message, "the gradient of output 0 in input 0 [1, 0] is "));
  CHECK(contains(gradient.message, "inf by the rules, at order 1"));
  const auto edge = check_grads([](const Tensor& t) { return t * sqrt(t).detach(); }, x);
  CHECK(edge.result == Result::not_finite);
  CHECK(contains(edge.message, "output 0 [1, 0] is not finite when input 0 moves by "));
  const Tensor infinite = tensor({1.0, std::numeric_limits<double>::infinity()}, {.dtype = float64});
  const auto input = check_grads([](const Tensor& t) { return tanh(t); }, infinite);
  CHECK(contains(input.message, "input 0 [1] is inf; derivatives can be checked at finite points alone"));
}
