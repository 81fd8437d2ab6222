#include "xtgrad/nn/init.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/nn/support.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using nn_test::close;
using nn_test::elements;
namespace init = nn::init;

namespace {

struct Moments {
  double mean = 0;
  double std = 0;
  double kurtosis = 0;  // 3 for a normal, 1.8 for a uniform distribution
  double low = 0;
  double high = 0;
};

Moments moments_of(const Tensor& x) {
  const std::vector<double> v = elements(x);
  Moments m;
  const auto n = static_cast<double>(v.size());
  for (const double e : v) m.mean += e / n;
  double fourth = 0;
  double second = 0;
  for (const double e : v) {
    second += std::pow(e - m.mean, 2) / n;
    fourth += std::pow(e - m.mean, 4) / n;
  }
  m.std = std::sqrt(second);
  m.kurtosis = fourth / (second * second);
  m.low = *std::min_element(v.begin(), v.end());
  m.high = *std::max_element(v.begin(), v.end());
  return m;
}

// 48000 elements: the mean is known to std / 219, the deviation to 0.4 % and less, four times that is tested.
const Shape shape{80, 60, 10};  // fan_in 600, fan_out 800

void check_uniform(const Tensor& x, double bound) {
  CAPTURE(bound);
  CHECK(x.shape() == shape);
  const Moments m = moments_of(x);
  CHECK(m.low >= -bound);
  CHECK(m.high < bound);
  CHECK(m.high > 0.999 * bound);
  CHECK(m.low < -0.999 * bound);
  CHECK(std::abs(m.mean) < 4 * m.std / 219);
  CHECK(close(m.std, bound / std::sqrt(3.0), 0.01));
  CHECK(close(m.kurtosis, 1.8, 0.03));
}

void check_normal(const Tensor& x, double mean, double std) {
  CAPTURE(std);
  CHECK(x.shape() == shape);
  const Moments m = moments_of(x);
  CHECK(std::abs(m.mean - mean) < 4 * m.std / 219);
  CHECK(close(m.std, std, 0.0136));
  CHECK(close(m.kurtosis, 3, 0.04));
}

}  // namespace

TEST_CASE("fans count the receptive field") {
  CHECK(init::fans({10, 4}).in == 4);
  CHECK(init::fans({10, 4}).out == 10);
  CHECK(init::fans({16, 3, 5, 5}).in == 75);
  CHECK(init::fans({16, 3, 5, 5}).out == 400);
  CHECK_THROWS_WITH_AS(static_cast<void>(init::fans({10})),
                       "fans: a weight needs at least two dimensions, [out, in, ...]: got [10]", ShapeError);
}

TEST_CASE("gains") {
  using init::Gain;
  CHECK(init::gain_of(Gain::linear) == 1);
  CHECK(init::gain_of(Gain::sigmoid) == 1);
  CHECK(init::gain_of(Gain::tanh) == 5.0 / 3);
  CHECK(init::gain_of(Gain::relu) == std::sqrt(2.0));
  CHECK(init::gain_of(Gain::leaky_relu) == std::sqrt(2 / 1.0001));
  CHECK(init::gain_of(Gain::leaky_relu, 1) == 1);
  CHECK(init::gain_of(Gain::selu) == 0.75);
  CHECK_THROWS_WITH_AS(static_cast<void>(init::gain_of(static_cast<Gain>(77))), "gain_of: no such kind: 77",
                       ValueError);
}

TEST_CASE("kaiming and xavier, uniform: bounds, spread and shape of the distribution") {
  manual_seed(21);
  check_uniform(init::kaiming_uniform(shape), std::sqrt(2.0) * std::sqrt(3.0 / 600));
  check_uniform(init::kaiming_uniform(shape, {.gain = 0.5, .fan = init::Fan::out}),
                0.5 * std::sqrt(3.0 / 800));
  check_uniform(init::xavier_uniform(shape), std::sqrt(6.0 / 1400));
  check_uniform(init::xavier_uniform(shape, {.gain = 3}), 3 * std::sqrt(6.0 / 1400));
}

TEST_CASE("kaiming, xavier and plain, normal: mean, spread and shape of the distribution") {
  manual_seed(22);
  check_normal(init::kaiming_normal(shape), 0, std::sqrt(2.0 / 600));
  check_normal(init::kaiming_normal(shape, {.gain = 1, .fan = init::Fan::out}), 0, std::sqrt(1.0 / 800));
  check_normal(init::xavier_normal(shape), 0, std::sqrt(2.0 / 1400));
  check_normal(init::xavier_normal(shape, {.gain = 2}), 0, 2 * std::sqrt(2.0 / 1400));
  check_normal(init::normal(shape, {.mean = 3, .std = 0.25}), 3, 0.25);
}

TEST_CASE("initial values come from the generator given, in the dtype asked for") {
  Random a(4);
  Random b(4);
  const Tensor x = init::xavier_normal({3, 2}, {}, a, {.dtype = float64, .requires_grad = true});
  CHECK(x.dtype() == float64);
  CHECK(x.requires_grad());
  CHECK(x.is_leaf());
  CHECK(elements(init::xavier_normal({3, 2}, {}, b, {.dtype = float64})) == elements(x));
  CHECK(a.position() == 1);
  const DefaultDtype in_double(float64);
  CHECK(init::kaiming_uniform({3, 2}).dtype() == float64);
}

TEST_CASE("weights without inputs, and normal without spread") {
  CHECK(init::kaiming_uniform({3, 0}).shape() == Shape{3, 0});
  CHECK(init::xavier_normal({0, 0}).shape() == Shape{0, 0});
  CHECK(elements(init::normal({2}, {.mean = 5, .std = 0})) == std::vector<double>{5, 5});
  CHECK_THROWS_WITH_AS(static_cast<void>(init::normal({2}, {.std = -1})),
                       "normal: std must not be negative: got -1", ValueError);
  CHECK_THROWS_AS(static_cast<void>(init::kaiming_normal({3})), ShapeError);
}

TEST_CASE("truncated_normal stays in its bounds, and has the moments of what is left") {
  manual_seed(31);
  const Moments m = moments_of(init::truncated_normal(shape, {.mean = 1, .std = 2, .low = -1, .high = 3}));
  CHECK(m.low >= -1);
  CHECK(m.low < -0.99);
  CHECK(m.high <= 3);
  CHECK(m.high > 2.99);
  CHECK(std::abs(m.mean - 1) < 4 * m.std / 219);
  CHECK(close(m.std, 2 * 0.5396, 0.0136));  // of a standard normal between -1 and 1
  const Tensor beside =
      init::truncated_normal({100}, {.low = 30, .high = 31}, default_random(), {.dtype = float64});
  CHECK(amin(beside).item() >= 30);
  CHECK(amax(beside).item() <= 31);
  CHECK(beside.dtype() == float64);
  CHECK_THROWS_WITH_AS(static_cast<void>(init::truncated_normal({1}, {.low = 2, .high = 2})),
                       "truncated_normal: low must be below high: got 2 and 2", ValueError);
}

TEST_CASE("orthogonal rows or columns, times the gain") {
  manual_seed(32);
  for (const Shape& each : {Shape{3, 5}, Shape{5, 3}, Shape{4, 4}, Shape{3, 2, 2}}) {
    const Tensor w = init::orthogonal(each, {.gain = 2}, default_random(), {.dtype = float64});
    CHECK(w.shape() == each);
    const Tensor a = reshape(w, {each[0], -1});
    const bool is_wide = a.size(0) < a.size(1);
    const Tensor gram = matmul(a, a, {.transpose_a = !is_wide, .transpose_b = is_wide});
    CHECK(amax(abs(gram - 4 * eye(gram.size(0), std::nullopt, {.dtype = float64}))).item() < 1e-13);
  }
  CHECK(init::orthogonal({0, 3}).shape() == Shape{0, 3});
  CHECK(init::orthogonal({2, 2}, {}, default_random(), {.requires_grad = true}).requires_grad());
  CHECK_THROWS_WITH_AS(static_cast<void>(init::orthogonal({3})),
                       "orthogonal: a weight needs at least two dimensions: got [3]", ShapeError);
}

TEST_CASE("dirac passes channels on") {
  const Tensor x = randn({2, 3, 5, 4});
  CHECK(elements(conv2d(x, init::dirac({3, 3, 3, 3}), {.padding = 1})) == elements(x));
  // Two groups of two outputs, from one channel each.
  const Tensor w = init::dirac({4, 1, 3}, {.groups = 2});
  CHECK(elements(w) == std::vector<double>{0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0});
  CHECK_THROWS_WITH_AS(static_cast<void>(init::dirac({3, 1, 3}, {.groups = 2})),
                       "dirac: groups must divide the 3 outputs: got 2", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(init::dirac({3, 1})),
                       "dirac: a weight must have three to five dimensions: got [3, 1]", ShapeError);
}

TEST_CASE("sparse has its zeros in each column") {
  manual_seed(33);
  const Tensor w = init::sparse({7, 40}, {.sparsity = 0.3, .std = 2});
  CHECK(elements(sum((w == 0).to(float32), {.axes = 0})) == std::vector<double>(40, 3));
  CHECK(close(std::sqrt(sum(square(w)).item() / (4 * 40)), 2, 0.25));
  CHECK_THROWS_WITH_AS(static_cast<void>(init::sparse({7})),
                       "sparse: a weight must have two dimensions: got [7]", ShapeError);
}
