#include "xtgrad/autograd/check_grads.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

namespace {

using Result = CheckGradsReport::Result;
using Index = std::vector<std::int64_t>;

/// The values of f with the derivatives of g: what a wrong rule looks like from outside.
Tensor with_derivatives_of(const Tensor& g, const Tensor& f) { return g + (f - g).detach(); }

Tensor normal(const Shape& shape, std::uint64_t seed = 1, double scale = 1) {
  Random random(seed);
  return randn(shape, random, {.dtype = float64}) * scale;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// x * x with a rule of one's own.
template <class Rule>
class Squared final : public detail::PrimitiveOf<Squared<Rule>, detail::OpId::square> {
 public:
  [[nodiscard]] detail::Reads reads(detail::Wanted) const override { return input_bit(0); }
  void infer(detail::InputSpecs in, detail::OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(detail::Inputs in, detail::Outputs out) const override {
    for (std::int64_t i = 0; i < in[0]->numel(); ++i) {
      out[0]->template mutable_data<double>()[i] =
          in[0]->template data<double>()[i] * in[0]->template data<double>()[i];
    }
  }
  void vjp(detail::VjpContext& context) const override {
    context.set(0, Rule::apply(context.g(), context.input(0)));
  }
};

struct QuadraticInCotangent {
  static Tensor apply(const Tensor& g, const Tensor& x) { return g * abs(g) * (2 * x); }
};

struct AsksForZero {
  static Tensor apply(const Tensor& g, const Tensor& x) {
    bool zero = true;
    for (const double value : g.data<double>()) zero = zero && value == 0;
    return zero ? zeros_like(x) : g * (2 * x);
  }
};

}  // namespace

TEST_CASE("check_grads: a right gradient passes, and the report says how well it was checked") {
  const CheckGradsReport report = check_grads([](const Tensor& x) { return tanh(x); }, normal({3, 4}),
                                              {.order = 3, .seed = 7, .name = "tanh"});
  CHECK(report.ok());
  CHECK(static_cast<bool>(report));
  CHECK(report.worst_error < 1e-9);
  CHECK(report.smallest_detectable == doctest::Approx(1e-7));
  CHECK(contains(report.message, "check_grads: tanh: right to order 3: relative errors up to "));
  CHECK(contains(report.message, "and 1.0e-07 would have been noticed in each input; seed 7, "));
}

TEST_CASE("check_grads: smooth functions pass whatever the scale of x and of f") {
  for (const double scale : {1e-6, 1e-3, 1.0, 1e3, 1e6}) {
    CAPTURE(scale);
    for (const double factor : {1e-6, 1.0, 1e6}) {
      CAPTURE(factor);
      for (std::uint64_t seed = 0; seed < 5; ++seed) {
        const Tensor x = normal({20}, 10 + seed, scale);
        const CheckGradsOptions options{.order = 3, .seed = seed};
        const auto cube = check_grads([&](const Tensor& t) { return pow(t, 3.0) * factor; }, x, options);
        CHECK_MESSAGE(cube.ok(), cube.message);
        const auto wave = check_grads([&](const Tensor& t) { return sin(t / scale) * factor; }, x, options);
        CHECK_MESSAGE(wave.ok(), wave.message);
        const auto logarithm =
            check_grads([&](const Tensor& t) { return log(square(t)) * factor; }, x, options);
        CHECK_MESSAGE(logarithm.ok(), logarithm.message);
      }
    }
  }
}

TEST_CASE("check_grads: functions that vary faster than their argument pass") {
  const auto fast = check_grads([](const Tensor& x) { return cos(x * 1000.0); }, normal({20}));
  CHECK_MESSAGE(fast.ok(), fast.message);
  const auto large_argument = check_grads([](const Tensor& x) { return sin(x); }, normal({20}, 2, 1e4));
  CHECK_MESSAGE(large_argument.ok(), large_argument.message);
}

TEST_CASE("check_grads: functions that vary far more slowly than their argument's size suggests") {
  const Tensor x = normal({20}, 1, 1e-9);
  const auto right = check_grads([](const Tensor& t) { return exp(t); }, x);
  CHECK_MESSAGE(right.ok(), right.message);
  const auto wrong =
      check_grads([](const Tensor& t) { return with_derivatives_of(exp(t) * 1.001, exp(t)); }, x);
  CHECK(wrong.result == Result::wrong);
}

TEST_CASE("check_grads: a derivative that is zero but for rounding passes") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto report = check_grads([](const Tensor& x) { return sum(softmax(x, 1), {.axes = {1}}); },
                                    normal({4, 5}, seed), {.order = 3, .seed = seed});
    CHECK_MESSAGE(report.ok(), report.message);
    CHECK(report.worst_error < 1e-6);
  }
}

TEST_CASE("check_grads: ill-scaled sums, bilinear functions, several outputs and unused inputs pass") {
  const std::vector<Tensor> inputs{normal({3, 4}, 1), normal({4, 2}, 2), normal({5}, 3)};
  const TensorFunction f = [](std::span<const Tensor> x) {
    return std::vector<Tensor>{matmul(x[0], x[1]), sum(exp(x[0])) * 1e6 + sum(x[1]) * 1e-3, zeros({2})};
  };
  const auto report = check_grads(f, inputs, {.order = 3});
  CHECK_MESSAGE(report.ok(), report.message);

  const Tensor coefficients = tensor({1e6, 1.0, 1e-3}, {.dtype = float64});
  const auto sum_report =
      check_grads([&](const Tensor& x) { return sum(coefficients * square(x)); }, normal({3}));
  CHECK_MESSAGE(sum_report.ok(), sum_report.message);
}

TEST_CASE("check_grads: a float32 model is checked in double, constants made inside included") {
  const Tensor x = normal({4, 3}).to(float32);
  const auto model = [](const Tensor& t) {
    const Tensor weight = full({3, 2}, 0.1);
    return tanh(matmul(t, weight) + tensor({0.1, 0.2}));
  };
  CHECK_THROWS_AS(static_cast<void>(model(x.to(float64))), DtypeError);
  const auto report = check_grads(model, x, {.order = 3});
  CHECK_MESSAGE(report.ok(), report.message);
  CHECK(report.worst_error < 1e-9);
  CHECK(default_dtype() == float32);
}

TEST_CASE("check_grads: 0-d and empty tensors") {
  const auto scalar = check_grads([](const Tensor& x) { return exp(x); }, tensor(0.3), {.order = 4});
  CHECK_MESSAGE(scalar.ok(), scalar.message);
  const auto empty = check_grads([](const Tensor& x) { return tanh(x); }, zeros({0, 3}));
  CHECK_MESSAGE(empty.ok(), empty.message);
  CHECK(empty.smallest_detectable == 0);
  const std::vector<Tensor> inputs{zeros({0}), tensor({1, 2})};
  const TensorFunction f = [](std::span<const Tensor> x) {
    return std::vector<Tensor>{sum(x[0]) + sum(square(x[1])), x[0]};
  };
  const auto both = check_grads(f, inputs);
  CHECK_MESSAGE(both.ok(), both.message);
}

TEST_CASE("check_grads: int64 and bool inputs and outputs pass through") {
  const std::vector<Tensor> inputs{tensor({0, 2}, {.dtype = int64}), normal({2, 3}),
                                   tensor({true, false}, {.dtype = boolean})};
  const TensorFunction f = [](std::span<const Tensor> x) {
    CHECK(x[0].dtype() == int64);
    CHECK(x[2].dtype() == boolean);
    return std::vector<Tensor>{argmax(x[1], 1), where(x[2], sum(x[1], {.axes = {1}}), -1.0),
                               one_hot(x[0], 3) * x[1]};
  };
  const auto report = check_grads(f, inputs);
  CHECK_MESSAGE(report.ok(), report.message);

  const TensorFunction wrong = [](std::span<const Tensor> x) {
    return std::vector<Tensor>{x[0], with_derivatives_of(square(x[1]), pow(x[1], 3.0))};
  };
  const auto found = check_grads(wrong, inputs);
  CHECK(found.input == "input 1");
  CHECK(found.output == "output 1");
}

TEST_CASE("check_grads: the same tensor given twice is two inputs") {
  const Tensor x = normal({3});
  const std::vector<Tensor> inputs{x, x};
  const auto report =
      check_grads([](std::span<const Tensor> t) { return std::vector<Tensor>{t[0] * exp(t[1])}; }, inputs);
  CHECK_MESSAGE(report.ok(), report.message);
}

TEST_CASE("check_grads: a factor of 1.001 is caught, and smaller ones as far as promised") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    for (const double factor : {1.001, 1 - 1e-6}) {
      const auto f = [&](const Tensor& x) { return with_derivatives_of(tanh(x) * factor, tanh(x)); };
      for (const Shape& shape : {Shape{}, Shape{7}, Shape{100, 3}}) {
        const auto report = check_grads(f, normal(shape, seed), {.seed = seed});
        CHECK(report.result == Result::wrong);
        CHECK(report.order == 1);
        CHECK(report.analytic / report.numeric == doctest::Approx(factor).epsilon(1e-8));
      }
    }
  }
}

TEST_CASE(
    "check_grads: the message names function, order, places, both numbers, seed, step and sensitivity") {
  const Tensor x = tensor(0.5);
  const auto f = [](const Tensor& t) { return with_derivatives_of(square(t) * 1.5, square(t)); };
  const auto report = check_grads(f, x, {.seed = 5, .name = "area", .input_names = {"radius"}});
  CHECK(contains(report.message,
                 "check_grads: area: wrong gradient at order 1: d output 0 / d radius is 1 by "
                 "differences of values and 1.5 by the rules; along one random direction the relative "
                 "error is 3.3e-01, and 1.0e-07 would have been noticed; seed 5, h "));
  CHECK(report.input == "radius");
  CHECK(report.input_element.empty());
  CHECK(report.numeric == doctest::Approx(1).epsilon(1e-9));
  CHECK(report.analytic == doctest::Approx(1.5).epsilon(1e-12));
  CHECK(report.step > 0);
  CHECK(contains(report.message, fmt::format("h {:.2g}", report.step)));
}

TEST_CASE("check_grads: the message says whether its relative error is of a direction or of an entry") {
  // The rules see one of two factors: half of every derivative is missing.
  const auto f = [](const Tensor& t) { return sum(t * t.detach()); };
  const Tensor x = tensor({1, 2, 3});
  const auto projected = check_grads(f, x, {.seed = 1});
  CHECK(projected.result == Result::wrong);
  CHECK(contains(projected.message, "by the rules; along one random direction the relative error is " +
                                        fmt::format("{:.1e}", projected.worst_error)));
  const auto entry = check_grads(f, x, {.full_jacobian = true});
  CHECK(entry.result == Result::wrong);
  CHECK(
      contains(entry.message,
               "d output 0 / d input 0 [0] is 2 by differences of values and 1 by the rules; for this entry "
               "the relative error is 5.0e-01, and "));
}

TEST_CASE("check_grads: a NaN has no sign in messages") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double sign : {1.0, -1.0}) {
    const Tensor x = tensor({1.0, std::copysign(nan, sign)}, {.dtype = float64});
    CHECK(check_grads([](const Tensor& t) { return square(t); }, x).message ==
          "check_grads: f: input 0 [1] is nan; derivatives can be checked at finite points alone");
    const Tensor spoilt = tensor(std::copysign(nan, sign), {.dtype = float64});
    CHECK(check_grads([&](const Tensor& t) { return t * spoilt; }, tensor(1.0)).message ==
          "check_grads: f: output 0 is nan at x itself");
  }
}

TEST_CASE("check_grads: a dropped term is caught, large or small") {
  for (const double size : {1.0, 1e-3, 1e-6}) {
    CAPTURE(size);
    const auto f = [&](const Tensor& x) { return with_derivatives_of(tanh(x), tanh(x) + sin(x) * size); };
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      CHECK(check_grads(f, normal({10}, seed), {.seed = seed}).result == Result::wrong);
    }
  }
  const auto none = check_grads([](const Tensor& x) { return sin(x).detach(); }, normal({10}));
  CHECK(none.result == Result::wrong);
  CHECK(none.analytic == 0);
}

TEST_CASE("check_grads: one wrong element in 10,000 is caught and named") {
  for (const double factor : {-1.0, 1.001}) {
    CAPTURE(factor);
    std::vector<double> signs(10000, 1.0);
    signs[7531] = factor;
    const Tensor mask = from_span(signs, Shape{100, 100});
    const auto f = [&](const Tensor& x) { return with_derivatives_of(sin(x) * mask, sin(x)); };
    const Tensor x = normal({100, 100}, 3);
    const auto report = check_grads(f, x);
    CHECK(report.result == Result::wrong);
    CHECK(report.order == 1);
    CHECK(report.input_element == Index{75, 31});
    CHECK(report.output_element == Index{75, 31});
    CHECK(report.numeric == doctest::Approx(std::cos(x.at({75, 31}))).epsilon(1e-8));
    CHECK(report.analytic == doctest::Approx(factor * std::cos(x.at({75, 31}))).epsilon(1e-12));
    CHECK(contains(report.message, "d output 0 [75, 31] / d input 0 [75, 31] is "));

    const auto total = check_grads([&](const Tensor& t) { return sum(f(t)); }, x);
    CHECK(total.result == Result::wrong);
    CHECK(total.input_element == Index{75, 31});
    CHECK(total.output_element.empty());
  }
}

TEST_CASE("check_grads: two exchanged elements never cancel") {
  // With probes of +-1 the difference is (u0 - u1)(v1 - v0): zero for every pair of three in 23 % of the
  // seeds.
  const auto f = [](const Tensor& x) {
    return with_derivatives_of(concat({slice(x, {.start = 1}), slice(x, {.stop = 1})}), x * 1.0);
  };
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    CHECK(check_grads(f, tensor({0.3, -1.2}), {.seed = seed}).result == Result::wrong);
  }
}

TEST_CASE("check_grads: right at order 1 and wrong at order 2, right to 2 and wrong at 3") {
  const auto second = [](const Tensor& x) { return with_derivatives_of(x * cos(x).detach(), sin(x)); };
  const Tensor x = normal({3, 4});
  CHECK(check_grads(second, x, {.order = 1}).ok());
  const auto report = check_grads(second, x, {.order = 2});
  CHECK(report.result == Result::wrong);
  CHECK(report.order == 2);
  CHECK(report.input == "input 0");
  CHECK(report.output == "gradient in input 0");
  CHECK(report.input_element == report.output_element);
  CHECK(report.analytic == 0);
  CHECK(contains(report.message, "wrong gradient at order 2: d gradient in input 0 ["));

  const auto third = [](const Tensor& t) {
    const Tensor at = t.detach();
    const Tensor step = t - at;
    return sin(at) + cos(at) * step - sin(at) * square(step) / 2;
  };
  CHECK(check_grads([&](const Tensor& t) { return with_derivatives_of(third(t), sin(t)); }, x, {.order = 2})
            .ok());
  const auto at_three =
      check_grads([&](const Tensor& t) { return with_derivatives_of(third(t), sin(t)); }, x, {.order = 3});
  CHECK(at_three.result == Result::wrong);
  CHECK(at_three.order == 3);
  CHECK(contains(at_three.message, "d second gradient in input 0 ["));
}

TEST_CASE(
    "check_grads: wrong in the second input alone, in the second output alone, at a far smaller scale") {
  const std::vector<Tensor> inputs{normal({3}, 1, 1e4), normal({2}, 2, 1e-2)};
  const TensorFunction second_input = [](std::span<const Tensor> x) {
    return std::vector<Tensor>{sum(square(x[0])) +
                               with_derivatives_of(sum(exp(x[1])), sum(exp(x[1]) * 1.01))};
  };
  const auto in_input = check_grads(second_input, inputs);
  CHECK(in_input.result == Result::wrong);
  CHECK(in_input.input == "input 1");
  CHECK(in_input.order == 1);

  const TensorFunction second_output = [](std::span<const Tensor> x) {
    return std::vector<Tensor>{exp(x[0] * 1e-4) * 1e9, with_derivatives_of(sin(x[1]) * 1.01, sin(x[1]))};
  };
  const auto in_output = check_grads(second_output, inputs);
  CHECK(in_output.result == Result::wrong);
  CHECK(in_output.input == "input 1");
  CHECK(in_output.output == "output 1");
}

TEST_CASE("check_grads: rules that are not linear in the cotangent are caught") {
  const Tensor x = normal({4});
  const auto quadratic = check_grads(
      [](const Tensor& t) { return detail::apply(Squared<QuadraticInCotangent>{}, t); }, x, {.order = 1});
  CHECK(quadratic.result == Result::wrong);

  const auto asks = [](const Tensor& t) { return detail::apply(Squared<AsksForZero>{}, t); };
  CHECK(check_grads(asks, x, {.order = 1}).ok());
  const auto report = check_grads(asks, x);
  CHECK(report.result == Result::not_linear);
  CHECK(report.order == 2);
  CHECK(report.input == "cotangent of output 0");
  CHECK(contains(report.message,
                 "a rule is not linear in its cotangent, at order 2: the derivative in cotangent of "
                 "output 0 ["));
}

TEST_CASE("check_grads: full_jacobian names the entry and passes what is right") {
  const auto right = check_grads([](const Tensor& x) { return softmax(x, 1); }, normal({2, 3}),
                                 {.order = 3, .full_jacobian = true});
  CHECK_MESSAGE(right.ok(), right.message);
  const Tensor mask = tensor({{1, 1, 1}, {1, 1, 1.0001}}, {.dtype = float64});
  const auto wrong = check_grads([&](const Tensor& x) { return with_derivatives_of(exp(x) * mask, exp(x)); },
                                 normal({2, 3}), {.full_jacobian = true});
  CHECK(wrong.result == Result::wrong);
  CHECK(wrong.input_element == Index{1, 2});
  CHECK(wrong.output_element == Index{1, 2});
}

TEST_CASE("check_grads: state is put back before each evaluation, and random numbers are drawn anew alike") {
  const auto dropout = [](const Tensor& x) { return where(bernoulli(x.shape(), 0.5), tanh(x), 0.0); };
  default_random().set_state(3, 11);
  const auto same_mask = check_grads(dropout, normal({20}));
  CHECK_MESSAGE(same_mask.ok(), same_mask.message);
  CHECK(default_random().seed() == 3);
  CHECK(default_random().position() == 11);

  double factor = 1;
  const auto drifts = [&](const Tensor& x) { return tanh(x) * (factor += 0.5); };
  const auto report = check_grads(drifts, normal({3}));
  CHECK(report.result == Result::not_repeatable);
  CHECK(contains(report.message,
                 "for the same input; if f has state or its own random numbers, put them back in "
                 "before_evaluation"));
  const auto restored = check_grads(drifts, normal({3}), {.before_evaluation = [&] { factor = 1; }});
  CHECK_MESSAGE(restored.ok(), restored.message);
}

TEST_CASE("check_grads: the number of evaluations does not grow with the size") {
  const auto f = [](const Tensor& x) { return tanh(x); };
  const auto small = check_grads(f, normal({10}));
  const auto large = check_grads(f, normal({100000}));
  CHECK(small.ok());
  CHECK(large.ok());
  CHECK(large.evaluations <= small.evaluations + 30);
  CHECK(large.evaluations < 150);
}

TEST_CASE("check_grads: a seed repeats a check exactly, another one checks other directions") {
  const auto f = [](const Tensor& x) { return exp(x) * sin(x); };
  const Tensor x = normal({10});
  const double first = check_grads(f, x, {.seed = 1}).worst_error;
  CHECK(check_grads(f, x, {.seed = 1}).worst_error == first);
  CHECK(check_grads(f, x, {.seed = 2}).worst_error != first);
}

TEST_CASE("require_grads throws what check_grads found") {
  const Tensor x = tensor({0.5, 1});
  CHECK_NOTHROW(require_grads([](const Tensor& t) { return tanh(t); }, x));
  const auto wrong = [](const Tensor& t) { return with_derivatives_of(tanh(t) * 2.0, tanh(t)); };
  const std::string message = check_grads(wrong, x).message;
  CHECK_THROWS_WITH_AS(require_grads(wrong, x), message.c_str(), GradientError);
  const TensorFunction many = [&](std::span<const Tensor> t) { return std::vector<Tensor>{wrong(t[0])}; };
  CHECK_THROWS_AS(require_grads(many, std::span(&x, 1)), Error);
}

TEST_CASE("check_grads: bad arguments are errors") {
  const Tensor x = tensor({0.5, 1});
  const auto f = [](const Tensor& t) { return tanh(t); };
  const auto check = [&](const CheckGradsOptions& options) { static_cast<void>(check_grads(f, x, options)); };
  CHECK_THROWS_WITH_AS(check({.order = 0}), "check_grads: order must be at least 1: got 0", ValueError);
  CHECK_THROWS_WITH_AS(check({.probes = 0}), "check_grads: probes must be at least 1: got 0", ValueError);
  CHECK_THROWS_WITH_AS(check({.tolerance = 0}), "check_grads: tolerance must be positive: got 0", ValueError);
  CHECK_THROWS_WITH_AS(check({.tolerance = 0.1, .coarsest = 0.01}),
                       "check_grads: coarsest must be at least tolerance: got 0.01 and 0.1", ValueError);
  CHECK_THROWS_WITH_AS(check({.input_names = {"a", "b"}}), "check_grads: got 2 input names for 1 inputs",
                       ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(check_grads(f, Tensor())), "check_grads: input 0 is an empty handle",
                       ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(check_grads(f, tensor({1, 2}, {.dtype = int64}))),
                       "check_grads: x must be float32 or float64: got int64", DtypeError);
  const std::vector<Tensor> labels = {tensor({1, 2}, {.dtype = int64})};
  const TensorFunction of_many = [&](std::span<const Tensor> in) { return std::vector<Tensor>{f(in[0])}; };
  CHECK_THROWS_WITH_AS(
      static_cast<void>(check_grads(of_many, labels)),
      "check_grads: f: none of the 1 inputs is float32 or float64, so there is nothing to check", ValueError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(check_grads([](const Tensor& t) { return t > 0; }, x, {.name = "g"})),
      "check_grads: g: none of the 1 outputs is float32 or float64, so there is nothing to check",
      ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(check_grads([](const Tensor&) { return Tensor(); }, x)),
                       "check_grads: f: output 0 is an empty handle", ValueError);
  const auto grows = [](const Tensor& t) { return t.at({0}) > 0.5 ? concat({t, t}) : t * 1.0; };
  CHECK_THROWS_WITH_AS(static_cast<void>(check_grads(grows, x)),
                       "check_grads: f: output 0 has shape [4] beside x and [2] at x", ValueError);
}
