#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <vector>

#include "tests/support/thread_count.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using xtgrad::testing::ThreadCount;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// A tensor as [outer, axis, inner] around one axis.
struct View {
  View(const Shape& shape, std::size_t dim) : axis(static_cast<std::size_t>(shape[dim])) {
    for (std::size_t d = 0; d < shape.rank(); ++d) {
      if (d != dim) (d < dim ? outer : inner) *= static_cast<std::size_t>(shape[d]);
    }
  }
  [[nodiscard]] std::size_t at(std::size_t o, std::size_t a, std::size_t i) const {
    return (o * axis + a) * inner + i;
  }

  std::size_t outer = 1, axis, inner = 1;
};

/// log(sum(e^x)) - max(x), in long double: the largest term by log1p, as its own digits demand.
struct Reference {
  template <class F>
  Reference(std::size_t n, const F& x) {
    std::size_t winner = 0;
    for (std::size_t a = 1; a < n; ++a) winner = x(a) > x(winner) ? a : winner;
    max = x(winner);
    long double rest = 0;
    for (std::size_t a = 0; a < n; ++a) {
      if (a == winner) continue;
      const long double d = x(a) - max;
      rest += std::exp(d);
      sensitivity += std::exp(d) * (1 - d);
    }
    log_rest = std::log1p(rest);
    sensitivity /= 1 + rest;
  }
  long double max = 0;
  long double log_rest = 0;
  long double sensitivity = 0;  // change of log_rest, when each x - max and its exp are off by one part in 1
};

struct Worst {
  double logsumexp = 0, softmax = 0, log_softmax = 0;
  double weight = 0;  // the gradient of logsumexp, which is the softmax
};

/// Worst errors of the three functions along one axis, in units of what rounding every step once may cost: of
/// the result, of x - max (which the reference has exactly), and through it of the sum.
template <class T>
Worst worst_errors(const Tensor& x, std::int64_t axis) {
  constexpr auto epsilon = static_cast<long double>(std::numeric_limits<T>::epsilon());
  const View view(x.shape(), static_cast<std::size_t>(axis));
  const auto data = x.data<T>();
  const Tensor total = logsumexp(x, {.axes = {axis}});
  const Tensor p = softmax(x, axis);
  const Tensor log_p = log_softmax(x, axis);
  Tensor leaf = x.detach();
  leaf.set_requires_grad();
  const Tensor weights = grad({sum(logsumexp(leaf, {.axes = {axis}}))}, {leaf})[0];
  REQUIRE(p.shape() == x.shape());
  REQUIRE(log_p.shape() == x.shape());
  Worst worst;
  const auto note = [](double& place, T got, long double expected, long double unit) {
    constexpr auto tiny = static_cast<long double>(std::numeric_limits<T>::min());  // below it digits fade
    const long double error =
        std::abs(static_cast<long double>(got) - expected) / (epsilon * std::max(unit, tiny));
    place = std::max(place, static_cast<double>(error));
  };
  for (std::size_t o = 0; o < view.outer; ++o) {
    for (std::size_t i = 0; i < view.inner; ++i) {
      const Reference row(view.axis,
                          [&](std::size_t a) { return static_cast<long double>(data[view.at(o, a, i)]); });
      const long double y = row.max + row.log_rest;
      note(worst.logsumexp, total.data<T>()[o * view.inner + i], y,
           std::abs(y) + row.log_rest + row.sensitivity);
      for (std::size_t a = 0; a < view.axis; ++a) {
        const std::size_t k = view.at(o, a, i);
        const long double d = static_cast<long double>(data[k]) - row.max;
        const long double q = std::exp(d - row.log_rest);
        note(worst.softmax, p.data<T>()[k], q, q * (1 - d + row.sensitivity));
        note(worst.weight, weights.data<T>()[k], q, q * (1 - d + row.sensitivity));
        note(worst.log_softmax, log_p.data<T>()[k], d - row.log_rest, row.log_rest - d + row.sensitivity);
      }
    }
  }
  return worst;
}

template <class T>
void check_accuracy(Dtype dtype) {
  Random random(8);
  for (const Shape& shape : {Shape{10}, Shape{7, 1}, Shape{5, 10}, Shape{3, 37}, Shape{2, 1000},
                             Shape{4, 16, 3}, Shape{2, 5, 300}, Shape{1, 4, 2, 33}, Shape{3, 2000, 2}}) {
    for (const double spread : {0.01, 1.0, 20.0}) {
      const Tensor x = randn(shape, random, {.dtype = dtype}) * spread;
      for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
        CAPTURE(to_string(shape));
        CAPTURE(axis);
        CAPTURE(spread);
        const Worst worst = worst_errors<T>(x, static_cast<std::int64_t>(axis));
        CHECK(worst.logsumexp <= 2);
        CHECK(worst.softmax <= 3);
        CHECK(worst.weight <= 3);
        CHECK(worst.log_softmax <= 2);
      }
    }
  }
}

std::vector<double> to_doubles(const Tensor& x) {
  const Tensor wide = x.to(float64);
  return {wide.data<double>().begin(), wide.data<double>().end()};
}

Tensor in_double(const NestedNumbers& numbers) {
  return tensor(numbers, {.dtype = float64, .requires_grad = true});
}

std::string error_of(const std::function<Tensor()>& f) {
  try {
    (void)f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

using Function = std::function<Tensor(const Tensor&)>;

/// The gradient by the fused rule, and by the recorded one.
void check_evaluators_agree(const Function& f, const Shape& shape, Dtype dtype, double tolerance) {
  Random random(12);
  Tensor x = randn(shape, random, {.dtype = dtype, .requires_grad = true});
  const Tensor y = f(x);
  const Tensor g = randn(y.shape(), random, {.dtype = dtype});
  const Tensor fused = grad({y}, {x}, {.cotangents = {g}, .keep_graph = true})[0];
  const Tensor recorded = grad({y}, {x}, {.cotangents = {g}, .create_graph = true})[0];
  REQUIRE(recorded.requires_grad());
  REQUIRE_FALSE(fused.requires_grad());
  const std::vector<double> a = to_doubles(fused);
  const std::vector<double> b = to_doubles(recorded);
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    worst = std::max(worst, std::abs(a[i] - b[i]) / (std::abs(b[i]) + 0.1));
  CHECK(worst <= tolerance);
}

}  // namespace

TEST_CASE("softmax, log_softmax and logsumexp agree with long double along every axis") {
  check_accuracy<float>(float32);
  check_accuracy<double>(float64);
}

TEST_CASE("logsumexp over several axes") {
  Random random(3);
  const Tensor x = randn({2, 3, 4, 5}, random, {.dtype = float64});
  for (const Axes& axes : std::vector<Axes>{{}, Dims{}, {0, 1}, {1, 3}, {0, 2}, {-1, 0, 1}}) {
    CAPTURE(to_string(axes.named()));
    const Tensor expected = log(sum(exp(x), {.axes = axes, .keepdim = true}));
    const Tensor y = logsumexp(x, {.axes = axes, .keepdim = true});
    REQUIRE(y.shape() == expected.shape());
    CHECK(amax(abs(y - expected)).item() < 1e-14);
    CHECK(to_doubles(logsumexp(x, {.axes = axes})) == to_doubles(y));
  }
}

TEST_CASE("a confident row keeps the digits of its small terms") {
  const double rest = std::exp(-20.0);
  CHECK(logsumexp(tensor({0, -20})).item() == doctest::Approx(rest).epsilon(1e-6));
  const auto log_p = to_doubles(log_softmax(tensor({1020, 1000}), 0));
  CHECK(log_p[0] == doctest::Approx(-rest).epsilon(1e-6));
  CHECK(log_p[1] == -20);
}

TEST_CASE("softmax and its relatives at |x| = 1000, to the last digits, at orders 0, 1 and 2") {
  for (const double far : {1e3, -1e3}) {
    for (const Dtype dtype : {float32, float64}) {
      CAPTURE(far);
      CAPTURE(to_string(dtype));
      Tensor x = tensor({far, far, -far}, {.dtype = dtype, .requires_grad = true});
      const bool two = far > 0;  // else one element dominates
      const std::vector<double> p = two ? std::vector<double>{0.5, 0.5, 0} : std::vector<double>{0, 0, 1};
      CHECK(to_doubles(softmax(x, 0)) == p);
      const double epsilon = dtype == float32 ? 0x1p-23 : 0x1p-52;
      const double log_2 = dtype == float32 ? double(float(std::log(2.0))) : std::log(2.0);
      CHECK(to_doubles(log_softmax(x, 0)) ==
            (two ? to_doubles(tensor({-log_2, -log_2, -2000 - log_2}, {.dtype = dtype}))
                 : std::vector<double>{-2000, -2000, 0}));
      CHECK(logsumexp(x).item() == (two ? tensor(1000 + log_2, {.dtype = dtype}).item() : 1000));

      // d logsumexp = p, d2 = diag(p) - p p'; log_softmax has minus that, for each of its outputs.
      const Tensor w = tensor({1, 10, 100}, {.dtype = dtype});
      const auto order_2 = two ? std::vector<double>{-2.25, 2.25, 0} : std::vector<double>{0, 0, 0};
      const Tensor first = grad({logsumexp(x)}, {x}, {.create_graph = true})[0];
      CHECK(to_doubles(first) == p);
      const auto d2_logsumexp = to_doubles(grad({sum(first * w)}, {x})[0]);
      for (std::size_t i = 0; i < 3; ++i) CHECK(std::abs(d2_logsumexp[i] - order_2[i]) <= 8 * epsilon);

      const Tensor dlog = grad({log_softmax(x, 0)}, {x}, {.cotangents = {w}, .create_graph = true})[0];
      CHECK(to_doubles(dlog) ==
            (two ? std::vector<double>{-54.5, -45.5, 100} : std::vector<double>{1, 10, -11}));
      const auto d2 = to_doubles(grad({sum(dlog * w)}, {x})[0]);
      for (std::size_t i = 0; i < 3; ++i) CHECK(d2[i] == -111 * order_2[i]);

      const Tensor dp = grad({softmax(x, 0)}, {x}, {.cotangents = {w}, .create_graph = true})[0];
      CHECK(to_doubles(dp) == order_2);
      for (const double v : to_doubles(grad({sum(dp * w)}, {x})[0])) CHECK(std::isfinite(v));
    }
  }
}

TEST_CASE("rows with infinities") {
  const Tensor masked = tensor({{-inf, 0, 0}, {-inf, -inf, -inf}});
  const auto p = to_doubles(softmax(masked, 1));
  CHECK(std::vector<double>(p.begin(), p.begin() + 3) == std::vector<double>{0, 0.5, 0.5});
  for (std::size_t i = 3; i < 6; ++i) CHECK(std::isnan(p[i]));
  CHECK(to_doubles(log_softmax(masked, 1))[0] == -inf);
  CHECK(to_doubles(logsumexp(masked, {.axes = {1}}))[1] == -inf);
  CHECK(logsumexp(tensor({1, inf, -inf})).item() == inf);
  CHECK(logsumexp(tensor({inf, inf})).item() == inf);
  CHECK(std::isnan(logsumexp(tensor({inf, not_a_number})).item()));
  CHECK(std::isnan(logsumexp(tensor({-inf, not_a_number})).item()));
  for (const double v : to_doubles(softmax(tensor({1, not_a_number, 2}), 0))) CHECK(std::isnan(v));
  // The same by columns.
  CHECK(to_doubles(logsumexp(transpose(masked), {.axes = {0}})) ==
        to_doubles(logsumexp(masked, {.axes = {1}})));
  CHECK(to_doubles(logsumexp(tensor({{inf, -inf, 1}, {1, -inf, -inf}}), {.axes = {0}})) ==
        std::vector<double>{inf, -inf, 1});
  CHECK(std::isnan(to_doubles(softmax(transpose(masked), 0))[1]));
}

TEST_CASE(
    "beside an infinite logit: its own probability is not known, and no logarithm of another is finite") {
  const Tensor x = tensor({{1, inf, 2}, {0, 0, 0}});
  const auto check = [](const std::vector<double>& p, const std::vector<double>& logs) {
    for (std::size_t i = 0; i < 3; ++i) CHECK(std::isnan(p[i]));
    CHECK(p[4] == doctest::Approx(1 / 3.0));
    CHECK(logs[0] == -inf);
    CHECK(std::isnan(logs[1]));
    CHECK(logs[2] == -inf);
    CHECK(logs[3] == doctest::Approx(-std::log(3.0)));
  };
  check(to_doubles(softmax(x, 1)), to_doubles(log_softmax(x, 1)));
  const Tensor columns = transpose(x);
  check(to_doubles(transpose(softmax(columns, 0))), to_doubles(transpose(log_softmax(columns, 0))));
  CHECK(to_doubles(logsumexp(x, {.axes = {1}}))[0] == inf);
  const Tensor two = log_softmax(tensor({inf, inf, 0}), 0);
  CHECK(std::isnan(two.at({0})));
  CHECK(std::isnan(two.at({1})));
  CHECK(two.at({2}) == -inf);
}

TEST_CASE("logsumexp of a masked row has gradient 0, at every order") {
  Tensor x = in_double({{-inf, -inf}, {0, 0}, {-inf, 1}});
  const Tensor y = logsumexp(x, {.axes = {1}});
  const Tensor g = tensor({3, 5, 7}, {.dtype = float64});
  const std::vector<double> expected{0, 0, 2.5, 2.5, 0, 7};
  CHECK(to_doubles(grad({y}, {x}, {.cotangents = {g}, .keep_graph = true})[0]) == expected);
  const Tensor dx = grad({y}, {x}, {.cotangents = {g}, .create_graph = true})[0];
  CHECK(to_doubles(dx) == expected);
  const Tensor w = tensor({{1, 2}, {1, 2}, {1, 2}}, {.dtype = float64});
  const Tensor d2 = grad({sum(dx * w)}, {x}, {.create_graph = true})[0];
  CHECK(to_doubles(d2) == std::vector<double>{0, 0, -1.25, 1.25, 0, 0});
  CHECK(to_doubles(grad({sum(d2 * w)}, {x})[0]) == std::vector<double>{0, 0, 0, 0, 0, 0});
}

TEST_CASE("logsumexp's gradient goes to +inf, evenly if there are several") {
  Tensor ties = in_double({inf, 1, inf});
  CHECK(to_doubles(grad({logsumexp(ties)}, {ties})[0]) == std::vector<double>{0.5, 0, 0.5});
  Tensor x = in_double({1, inf, -inf});
  CHECK(to_doubles(grad({logsumexp(x)}, {x})[0]) == std::vector<double>{0, 1, 0});
  CHECK(to_doubles(grad({logsumexp(x)}, {x}, {.create_graph = true})[0]) == std::vector<double>{0, 1, 0});
}

TEST_CASE("logsumexp's gradient where rows and columns have infinities, and of several axes") {
  const auto gradient = [](const Tensor& x, const Axes& axes, const Tensor& g, bool records) {
    return to_doubles(
        grad({logsumexp(x, {.axes = axes})}, {x}, {.cotangents = {g}, .create_graph = records})[0]);
  };
  for (const bool records : {false, true}) {
    CAPTURE(records);
    const Tensor columns = in_double({{-inf, 0, inf, 1}, {-inf, 0, 2, -inf}, {-inf, -inf, inf, -inf}});
    const Tensor g = tensor({3, 5, 7, 9}, {.dtype = float64});
    CHECK(gradient(columns, {0}, g, records) ==
          std::vector<double>{0, 2.5, 3.5, 9, 0, 2.5, 0, 0, 0, 0, 3.5, 0});
    const Tensor rows = transpose(columns).detach();
    Tensor leaf = rows;
    leaf.set_requires_grad();
    CHECK(gradient(leaf, {1}, g, records) == std::vector<double>{0, 0, 0, 2.5, 2.5, 0, 3.5, 0, 3.5, 9, 0, 0});
    // Four equal terms share; axes side by side are one run, those apart are two.
    const Tensor equal = zeros({2, 3, 2}, {.dtype = float64, .requires_grad = true});
    CHECK(gradient(equal, {0, 2}, tensor({4, 8, 12}, {.dtype = float64}), records) ==
          std::vector<double>{1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3});
    CHECK(gradient(equal, {0, 1}, tensor({6, 12}, {.dtype = float64}), records) ==
          std::vector<double>{1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2});
    // Of axes of one element the function is x.
    const Tensor single = zeros({2, 1}, {.dtype = float64, .requires_grad = true});
    CHECK(gradient(single, {1}, tensor({6, 12}, {.dtype = float64}), records) == std::vector<double>{6, 12});
  }
}

TEST_CASE("softmax of empty, 0-d and one-element tensors") {
  CHECK(softmax(zeros({0, 3}), 1).shape() == Shape{0, 3});
  CHECK(softmax(zeros({3, 0}), 1).shape() == Shape{3, 0});
  CHECK(log_softmax(zeros({3, 0, 2}), 1).shape() == Shape{3, 0, 2});
  CHECK(to_doubles(softmax(full({2, 1}, -5), 1)) == std::vector<double>{1, 1});
  CHECK(to_doubles(log_softmax(full({2, 1}, -5), 1)) == std::vector<double>{0, 0});
  CHECK(logsumexp(tensor(3)).item() == 3);
  CHECK(to_doubles(logsumexp(zeros({2, 0}), {.axes = {1}})) == std::vector<double>{-inf, -inf});
  CHECK(to_doubles(logsumexp(zeros({0, 2}), {.axes = {0}})) == std::vector<double>{-inf, -inf});
  CHECK(logsumexp(zeros({0, 2}), {.axes = {1}}).shape() == Shape{0});

  for (const std::int64_t axis : {0, 1}) {
    Tensor none = zeros({0, 3}, {.requires_grad = true});
    sum(softmax(none, axis) + log_softmax(none, axis)).backward();
    CHECK(grad({sum(logsumexp(none, {.axes = {axis}}))}, {none})[0].shape() == Shape{0, 3});
    CHECK(none.grad().shape() == Shape{0, 3});
  }
}

TEST_CASE("the fused and the recorded rules agree") {
  for (const auto& [shape, axis] : std::vector<std::pair<Shape, std::int64_t>>{
           {{6, 10}, 1}, {{3, 37}, -1}, {{2, 1000}, 1}, {{2, 9, 5}, 1}, {{40}, 0}}) {
    const auto& shown_shape = shape;
    CAPTURE(to_string(shown_shape));
    const std::vector<Function> functions{
        [axis = axis](const Tensor& x) { return softmax(x, axis); },
        [axis = axis](const Tensor& x) { return log_softmax(x, axis); },
        [axis = axis](const Tensor& x) { return logsumexp(x, {.axes = {axis}}); },
    };
    for (const Function& f : functions) {
      check_evaluators_agree(f, shape, float32, 16 * 1.2e-7);
      check_evaluators_agree(f, shape, float64, 16 * 2.3e-16);
    }
  }
}

TEST_CASE("gradients of softmax and log_softmax, by hand") {
  Tensor x = in_double({0, std::log(3)});  // p = 1/4, 3/4
  const Tensor g = tensor({1, 5}, {.dtype = float64});
  const auto dp = to_doubles(grad({softmax(x, 0)}, {x}, {.cotangents = {g}})[0]);
  CHECK(dp[0] == doctest::Approx(-0.75).epsilon(1e-15));
  CHECK(dp[1] == doctest::Approx(0.75).epsilon(1e-15));
  const auto dlog = to_doubles(grad({log_softmax(x, 0)}, {x}, {.cotangents = {g}})[0]);
  CHECK(dlog[0] == doctest::Approx(-0.5).epsilon(1e-15));
  CHECK(dlog[1] == doctest::Approx(0.5).epsilon(1e-15));
}

TEST_CASE("softmax and its gradients have the same bits for one thread and for two") {
  const auto run = [](int threads) {
    const ThreadCount scope(threads);
    Random random(21);
    std::vector<Tensor> results;
    for (const Shape& shape : {Shape{3000, 10}, Shape{50, 1001}, Shape{10, 60, 70}}) {
      Tensor x = randn(shape, random, {.requires_grad = true});
      const Tensor g = randn(shape, random);
      for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(shape.rank()); ++axis) {
        for (const Tensor& y : {softmax(x, axis), log_softmax(x, axis)}) {
          results.push_back(y.detach());
          results.push_back(grad({y}, {x}, {.cotangents = {g}})[0]);
        }
        results.push_back(logsumexp(x, {.axes = {axis}}).detach());
      }
    }
    return results;
  };
  const std::vector<Tensor> one = run(1);
  const std::vector<Tensor> two = run(2);
  for (std::size_t i = 0; i < one.size(); ++i) {
    CAPTURE(i);
    const auto a = one[i].data<float>();
    const auto b = two[i].data<float>();
    REQUIRE(a.size() == b.size());
    CHECK(std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
  }
}

TEST_CASE("errors of softmax and its relatives") {
  const Tensor x = zeros({2, 3});
  CHECK(error_of([&] { return softmax(x, 2); }) ==
        "softmax: axis 2 is out of range: 2 dimensions have the axes -2 to 1");
  CHECK(error_of([&] { return log_softmax(tensor(1), 0); }) ==
        "log_softmax: axis 0 is out of range: a 0-d tensor has no axes");
  CHECK(error_of([&] {
          return logsumexp(x, {.axes = {1, 1}});
        }) == "logsumexp: axis 1 is listed twice: axes are [1, 1], x is [2, 3]");
  const Tensor counts = zeros({2}, {.dtype = int64});
  CHECK(error_of([&] { return softmax(counts, 0); }) ==
        "softmax: needs float32 or float64, got int64; convert with to(float32)");
  CHECK(error_of([&] { return log_softmax(counts, 0); }) ==
        "log_softmax: needs float32 or float64, got int64; convert with to(float32)");
  CHECK(error_of([&] { return logsumexp(zeros({2}, {.dtype = boolean})); }) ==
        "logsumexp: needs float32 or float64, got bool; convert with to(float32)");
  CHECK_THROWS_AS((void)softmax(x, 2), ShapeError);
  CHECK_THROWS_AS((void)softmax(counts, 0), DtypeError);
}
