#include "xtgrad/optim/clip.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/optim/sgd.h"

namespace xtgrad { namespace {

using testing::infinity;
using testing::not_a_number;
using testing::Real;

/// Parameters with the given gradients; those of an empty handle have none.
struct Gradients {
  std::vector<nn::Parameter> parameters;
  std::vector<nn::ParameterRef> slots;

  explicit Gradients(std::initializer_list<Tensor> gradients) {
    for (const Tensor& gradient : gradients) {
      parameters.emplace_back(gradient.defined() ? zeros_like(gradient) : zeros({2}));
      slots.push_back(parameters.back().cell());
      slots.back()->set_grad(gradient);
    }
  }

  [[nodiscard]] double at(std::size_t parameter, std::int64_t element) const {
    return reshape(slots[parameter]->grad(), {slots[parameter]->numel()}).at({element});
  }
};

const TensorOptions in_double{.dtype = float64};

TEST_CASE("clip_grad_norm: hand numbers") {
  // The gradients (3, 4) and (12): 2-norm 13, 1-norm 19, largest 12; cubes 27 + 64 + 1728 = 1819.
  const auto make = [] { return Gradients{tensor({3, 4}, in_double), Tensor(), tensor({{-12}}, in_double)}; };
  Gradients two = make();
  CHECK(optim::clip_grad_norm(two.slots, 6.5).item() == doctest::Approx(13).epsilon(1e-15));
  CHECK(two.at(0, 0) == doctest::Approx(3 * 6.5 / 13.000001).epsilon(1e-15));
  CHECK(two.at(0, 1) == doctest::Approx(4 * 6.5 / 13.000001).epsilon(1e-15));
  CHECK(two.at(2, 0) == doctest::Approx(-12 * 6.5 / 13.000001).epsilon(1e-15));
  CHECK_FALSE(two.slots[1]->grad().defined());

  Gradients one = make();
  CHECK(optim::clip_grad_norm(one.slots, 1.9, {.norm_type = 1}).item() == doctest::Approx(19).epsilon(1e-15));
  CHECK(one.at(2, 0) == doctest::Approx(-12 * 1.9 / 19.000001).epsilon(1e-15));
  Gradients most = make();
  CHECK(optim::clip_grad_norm(most.slots, 3, {.norm_type = infinity}).item() == 12);
  CHECK(most.at(2, 0) == doctest::Approx(-12 * 3 / 12.000001).epsilon(1e-15));
  Gradients cubes = make();
  CHECK(optim::clip_grad_norm(cubes.slots, 1, {.norm_type = 3}).item() ==
        doctest::Approx(std::cbrt(1819.0)).epsilon(1e-14));
  Gradients half = make();
  const double root = std::sqrt(3.0) + 2 + std::sqrt(12.0);
  CHECK(optim::clip_grad_norm(half.slots, 1, {.norm_type = 0.5}).item() ==
        doctest::Approx(root * root).epsilon(1e-14));
}

TEST_CASE("clipping writes over gradients that nobody else holds, and those alone") {
  nn::Parameter own(zeros({2})), held(zeros({2}));
  own.set_grad(tensor({3, 0}));
  held.set_grad(tensor({0, 4}));
  const Tensor kept = held.grad();
  const auto place_of_own = [&] {
    const Tensor gradient = own.grad();
    const auto elements = gradient.data<float>();
    return elements.data();
  };
  const float* const place = place_of_own();
  const std::vector<nn::ParameterRef> parameters{own.cell(), held.cell()};
  CHECK(optim::clip_grad_norm(parameters, 2.5).item() == 5);
  CHECK(own.grad().at({0}) == doctest::Approx(1.5));
  CHECK(place_of_own() == place);
  CHECK(held.grad().at({1}) == doctest::Approx(2));
  CHECK(kept.at({1}) == 4);
  optim::clip_grad_value(parameters, 1);
  CHECK(own.grad().at({0}) == 1);
  CHECK(place_of_own() == place);
  CHECK(held.grad().at({1}) == 1);
}

TEST_CASE("clip_grad_norm: a norm within the limit changes nothing, a limit of 0 everything") {
  Gradients small{tensor({3.0, 4.0})};
  const Tensor before = small.slots[0]->grad();
  CHECK(optim::clip_grad_norm(small.slots, 5.1).item() == 5);
  CHECK(small.slots[0]->grad().node() == before.node());
  CHECK(optim::clip_grad_norm(small.slots, infinity).item() == 5);
  CHECK(small.at(0, 0) == 3);
  // The 1e-6 in the formula: a norm of exactly the limit is scaled, if by next to nothing.
  Gradients limit{tensor({3, 4}, in_double)};
  CHECK(optim::clip_grad_norm(limit.slots, 5).item() == 5);
  CHECK(limit.at(0, 0) == doctest::Approx(3 * 5 / 5.000001).epsilon(1e-15));
  CHECK(limit.at(0, 0) < 3);
  CHECK(optim::clip_grad_norm(small.slots, 0).item() == 5);
  CHECK(small.at(0, 1) == 0);
  CHECK(before.at({1}) == 4);  // a handle keeps its elements
}

TEST_CASE("clip_grad_norm: nothing to clip") {
  Gradients none{Tensor(), zeros({0}), zeros({2, 2})};
  CHECK(optim::clip_grad_norm(none.slots, 1).item() == 0);
  CHECK(optim::clip_grad_norm(none.slots, 1, {.norm_type = infinity}).item() == 0);
  CHECK(optim::clip_grad_norm(none.slots, 1, {.norm_type = 7}).item() == 0);
  CHECK(optim::clip_grad_norm({}, 1).item() == 0);
  CHECK(none.at(2, 3) == 0);
}

TEST_CASE("clip_grad_norm: many elements, both dtypes, against long double") {
  Random random(9);
  for (const std::int64_t n : {1, 15, 16, 17, 1000}) {
    Gradients gradients{randn({n}, random, {.dtype = float32}), randn({3, n}, random, in_double)};
    for (const double p : {1.0, 2.0, 2.5, 4.0, infinity}) {
      Real sum = 0;
      Real most = 0;
      for (const nn::ParameterRef& slot : gradients.slots) {
        for (const Real x : testing::to_values(slot->grad()).data) {
          sum += std::pow(std::abs(x), Real(p));
          most = std::max(most, std::abs(x));
        }
      }
      const Real want = std::isinf(p) ? most : std::pow(sum, 1 / Real(p));
      CAPTURE(n);
      CAPTURE(p);
      const double got = optim::clip_grad_norm(gradients.slots, infinity, {.norm_type = p}).item();
      CHECK(std::abs(got - want) <= 1e-13L * want);
    }
  }
}

TEST_CASE("clip_grad_norm: powers beyond the range") {
  for (const double scale : {1e-200, 1e200, 1e-320}) {
    CAPTURE(scale);
    Gradients gradients{tensor({3 * scale, 4 * scale}, in_double)};
    const double want = std::hypot(gradients.at(0, 0), gradients.at(0, 1));
    CHECK(optim::clip_grad_norm(gradients.slots, infinity).item() == doctest::Approx(want).epsilon(1e-14));
  }
  Gradients large{tensor({3e200, 4e200}, in_double)};
  CHECK(optim::clip_grad_norm(large.slots, 1).item() == doctest::Approx(5e200).epsilon(1e-14));
  CHECK(large.at(0, 0) == doctest::Approx(0.6).epsilon(1e-14));
}

TEST_CASE("clip_grad_norm: infinities and NaN") {
  Gradients infinite{tensor({1.0, infinity}), tensor({2.0})};
  CHECK(optim::clip_grad_norm(infinite.slots, 1).item() == infinity);
  CHECK(infinite.at(0, 0) == 0);
  CHECK(std::isnan(infinite.at(0, 1)));
  for (const double p : {1.0, 2.0, 3.0, infinity}) {
    Gradients nan{tensor({1.0, 2.0}), tensor({not_a_number, 5.0})};
    CHECK(std::isnan(optim::clip_grad_norm(nan.slots, 100, {.norm_type = p}).item()));
    CHECK(std::isnan(nan.at(0, 0)));
  }
}

TEST_CASE("clip_grad_norm: what it refuses") {
  Gradients bad{tensor({1.0}), tensor({2.0, not_a_number})};
  CHECK_THROWS_WITH_AS(
      optim::clip_grad_norm(bad.slots, 1, {.error_if_nonfinite = true}),
      "clip_grad_norm: the norm of the gradients must be finite: got nan; the first gradient that is "
      "not is that of parameter 1",
      ValueError);
  CHECK(bad.at(0, 0) == 1);
  nn::Linear layer(1, 1);
  const std::vector<nn::ParameterRef> slots = layer.parameters();
  slots[1]->set_grad(tensor({infinity}));
  CHECK_THROWS_WITH_AS(
      optim::clip_grad_norm(slots, 1, {.error_if_nonfinite = true}),
      "clip_grad_norm: the norm of the gradients must be finite: got inf; the first gradient that is "
      "not is that of \"bias\"",
      ValueError);
  Gradients huge{tensor({1.5e308, 1.5e308}, in_double)};
  CHECK_THROWS_WITH_AS(optim::clip_grad_norm(huge.slots, 1, {.error_if_nonfinite = true}),
                       "clip_grad_norm: the norm of the gradients must be finite: got inf", ValueError);
  CHECK_THROWS_WITH_AS(optim::clip_grad_norm(bad.slots, -1),
                       "clip_grad_norm: max_norm must be at least 0: got -1", ValueError);
  CHECK_THROWS_WITH_AS(optim::clip_grad_norm(bad.slots, not_a_number),
                       "clip_grad_norm: max_norm must be at least 0: got nan", ValueError);
  CHECK_THROWS_WITH_AS(optim::clip_grad_norm(bad.slots, 1, {.norm_type = 0}),
                       "clip_grad_norm: norm_type must be positive: got 0", ValueError);
  CHECK_THROWS_WITH_AS(optim::clip_grad_norm(bad.slots, 1, {.norm_type = not_a_number}),
                       "clip_grad_norm: norm_type must be positive: got nan", ValueError);
}

TEST_CASE("clip_grad_value") {
  for (const Dtype dtype : {float32, float64}) {
    Gradients gradients{tensor({-3, -1, 0.25, 1, 5}, {.dtype = dtype}), Tensor(),
                        tensor({infinity, -infinity, not_a_number}, {.dtype = dtype})};
    optim::clip_grad_value(gradients.slots, 1);
    CHECK(gradients.at(0, 0) == -1);
    CHECK(gradients.at(0, 1) == -1);
    CHECK(gradients.at(0, 2) == 0.25);
    CHECK(gradients.at(0, 3) == 1);
    CHECK(gradients.at(0, 4) == 1);
    CHECK(gradients.at(2, 0) == 1);
    CHECK(gradients.at(2, 1) == -1);
    CHECK(std::isnan(gradients.at(2, 2)));
    CHECK_FALSE(gradients.slots[1]->grad().defined());
    CHECK(gradients.slots[0]->grad().dtype() == dtype);
  }
  Gradients any{ones({1})};
  CHECK_THROWS_WITH_AS(optim::clip_grad_value(any.slots, -0.5),
                       "clip_grad_value: limit must be at least 0: got -0.5", ValueError);
  CHECK_THROWS_WITH_AS(optim::clip_grad_value(any.slots, not_a_number),
                       "clip_grad_value: limit must be at least 0: got nan", ValueError);
}

TEST_CASE("the example in optim/clip.h") {
  nn::Linear model(2, 1);
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  Tensor loss = sum(square(model(ones({4, 2})) + 100));
  loss.backward();
  optim::clip_grad_norm(model.parameters(), 1.0);
  sgd.step();
  CHECK(optim::clip_grad_norm(model.parameters(), 1.0).item() == doctest::Approx(1).epsilon(1e-5));
}

TEST_CASE("grad_norm of gradients whose sum rounds the same way throughout") {
  // 1 and many halves of its last place: of a sum of n terms 4 + log2(n) roundings may be lost.
  constexpr double half = 0x1p-53;
  const auto off = [](double norm, double n) { return std::abs((norm - 1) - (n - 1) * half) / half; };
  for (const std::int64_t n : {15, 31, 63, 255, 256, 1000}) {
    CAPTURE(n);
    for (const double part : {1, 2, 4}) {
      std::vector<double> values(static_cast<std::size_t>(n), half / part);
      values[0] = 1;
      const Gradients one{from_vector(values, in_double)};
      const double rest = static_cast<double>(n - 1) / part;
      CHECK(off(optim::grad_norm(one.slots, 1).item(), 1 + rest) <= 4 + std::log2(n));
    }
  }
  std::vector<nn::Parameter> parameters;
  std::vector<nn::ParameterRef> slots;
  for (int i = 0; i < 100; ++i) {
    parameters.emplace_back(zeros({1}, in_double));
    slots.push_back(parameters.back().cell());
    slots.back()->set_grad(tensor({i == 0 ? 1 : half}, in_double));
  }
  CHECK(off(optim::grad_norm(slots, 1).item(), 100) <= 4 + std::log2(100));
}

}}  // namespace xtgrad
