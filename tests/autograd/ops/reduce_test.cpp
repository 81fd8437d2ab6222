#include <doctest/doctest.h>

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

/// The elements that each element of the result comes from, in order, by an odometer over the index.
template <class T>
std::vector<std::vector<T>> groups(const Tensor& x, const Axes& axes) {
  const Shape& shape = x.shape();
  std::vector<bool> reduced(shape.rank(), axes.all());
  for (const std::int64_t axis : axes.named()) {
    reduced[static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(shape.rank()) : axis)] =
        true;
  }
  std::int64_t results = 1;
  for (std::size_t d = 0; d < shape.rank(); ++d) results *= reduced[d] ? 1 : shape[d];
  std::vector<std::vector<T>> lists(static_cast<std::size_t>(results));
  const auto data = x.data<T>();
  for (std::size_t i = 0; i < data.size(); ++i) {
    auto rest = static_cast<std::int64_t>(i);
    std::int64_t place = 0;
    std::int64_t stride = 1;
    for (std::size_t d = shape.rank(); d-- > 0;) {
      if (!reduced[d]) {
        place += rest % shape[d] * stride;
        stride *= shape[d];
      }
      rest /= shape[d];
    }
    lists[static_cast<std::size_t>(place)].push_back(data[i]);
  }
  return lists;
}

template <class T>
long double sum_of(const std::vector<T>& x) {
  long double total = 0;
  for (const T v : x) total += static_cast<long double>(v);
  return total;
}

template <class T>
T max_of(const std::vector<T>& x) {
  T largest = x[0];
  for (const T v : x) {
    if (v > largest || v != v) largest = v;
    if (largest != largest) break;
  }
  return largest;
}

std::vector<double> to_doubles(const Tensor& x) {
  const Tensor wide = x.to(float64);
  return {wide.data<double>().begin(), wide.data<double>().end()};
}

std::vector<std::int64_t> to_integers(const Tensor& x) {
  return {x.data<std::int64_t>().begin(), x.data<std::int64_t>().end()};
}

std::string error_of(const std::function<Tensor()>& f) {
  try {
    (void)f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

const std::vector<Axes> all_axes{{},     Dims{}, {0},    {1},    {2},    {3},       {-1},
                                 {0, 1}, {1, 2}, {2, 3}, {0, 2}, {1, 3}, {3, 0, 1}, {0, 1, 2, -1}};
const std::vector<Shape> shapes{{2, 3, 4, 5}, {1, 70, 1, 33}, {3, 1, 1, 1}, {2, 1, 300, 2}};

template <class T>
void check_sums(Dtype dtype) {
  Random random(2);
  constexpr double ulp = double(std::numeric_limits<T>::epsilon());
  for (const Shape& shape : shapes) {
    const Tensor x = randn(shape, random, {.dtype = dtype});
    for (const auto& axes : all_axes) {
      const auto expected = groups<T>(x, axes);
      for (const bool keepdim : {false, true}) {
        CAPTURE(to_string(shape));
        CAPTURE(to_string(axes.named()));
        CAPTURE(keepdim);
        const Tensor s = sum(x, {.axes = axes, .keepdim = keepdim});
        const Tensor m = mean(x, {.axes = axes, .keepdim = keepdim});
        REQUIRE(s.shape() == m.shape());
        REQUIRE(s.numel() == static_cast<std::int64_t>(expected.size()));
        if (keepdim) CHECK(s.rank() == shape.rank());
        for (std::size_t i = 0; i < expected.size(); ++i) {
          long double magnitude = 0;
          for (const T v : expected[i]) magnitude += std::abs(static_cast<long double>(v));
          const long double total = sum_of(expected[i]);
          const auto n = static_cast<long double>(expected[i].size());
          // Short float32 runs, then double: the error hardly grows with n.
          CHECK(std::abs(double(static_cast<long double>(s.data<T>()[i]) - total)) <=
                8 * ulp * double(magnitude));
          CHECK(std::abs(double(static_cast<long double>(m.data<T>()[i]) - total / n)) <=
                9 * ulp * double(magnitude / n));
        }
      }
    }
  }
}

template <class T>
void check_max(const Tensor& x) {
  for (const auto& axes : all_axes) {
    CAPTURE(to_string(x.shape()));
    CAPTURE(to_string(axes.named()));
    const auto expected = groups<T>(x, axes);
    const Tensor y = amax(x, {.axes = axes});
    REQUIRE(y.numel() == static_cast<std::int64_t>(expected.size()));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const T largest = max_of(expected[i]);
      const T got = y.data<T>()[i];
      CHECK((got == largest || (got != got && largest != largest)));
      if (axes.named().size() != 1) continue;
      const Tensor index = argmax(x, axes.named()[0]);
      REQUIRE(index.shape() == y.shape());
      std::size_t first = 0;
      while (!(expected[i][first] == largest ||
               (expected[i][first] != expected[i][first] && largest != largest)))
        ++first;
      CHECK(index.data<std::int64_t>()[i] == static_cast<std::int64_t>(first));
    }
  }
}

}  // namespace

TEST_CASE("sum and mean agree with long double, over every choice of axes") {
  check_sums<float>(float32);
  check_sums<double>(float64);
}

TEST_CASE("sum of int64 is exact") {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}}, {.dtype = int64});
  CHECK(sum(x).dtype() == int64);
  CHECK(sum(x).item_int64() == 21);
  CHECK(to_integers(sum(x, {.axes = {0}})) == std::vector<std::int64_t>{5, 7, 9});
  CHECK(to_integers(sum(x, {.axes = {1}, .keepdim = true})) == std::vector<std::int64_t>{6, 15});
  const std::int64_t large = (std::int64_t{1} << 53) + 1;  // no double
  CHECK(sum(from_vector(std::vector<std::int64_t>{large, 1, 1})).item_int64() == large + 2);
}

TEST_CASE("amax and argmax agree with a scan, ties and NaN included") {
  Random random(4);
  for (const Shape& shape : shapes) {
    const Tensor x = randn(shape, random, {.dtype = float64});
    check_max<double>(x);
    check_max<float>(x.to(float32));
    const Tensor few = (x * 1.5).to(float32).to(float64);
    const Tensor ties = sign(few) + sign(few - 1);  // -2, 0 and 2 alone
    check_max<double>(ties);
    check_max<std::int64_t>(ties.to(int64));
    const Tensor with_nan = where(few > 1.5, full({}, not_a_number, {.dtype = float64}), few);
    check_max<double>(with_nan);
    check_max<float>(with_nan.to(float32));
  }
}

TEST_CASE("amax and argmax of long axes, which are cut") {
  Random random(6);
  for (const Shape& shape : {Shape{200000}, Shape{70000, 3}, Shape{3, 70000}, Shape{40, 5000}}) {
    CAPTURE(to_string(shape));
    const Tensor x = randn(shape, random);
    for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(shape.rank()); ++axis) {
      const auto expected = groups<float>(x, {axis});
      const Tensor y = amax(x, {.axes = {axis}});
      const Tensor index = argmax(x, axis);
      bool all_right = true;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const float largest = max_of(expected[i]);
        const auto found = static_cast<std::size_t>(index.data<std::int64_t>()[i]);
        all_right = all_right && y.data<float>()[i] == largest && expected[i][found] == largest;
      }
      CHECK(all_right);
    }
  }
}

TEST_CASE("reductions of 0-d and one-element tensors") {
  const Tensor x = tensor(3);
  CHECK(sum(x).item() == 3);
  CHECK(mean(x).item() == 3);
  CHECK(amax(x).item() == 3);
  CHECK(sum(x).shape() == Shape{});
  CHECK(sum(x, {.keepdim = true}).shape() == Shape{});
  const Tensor one = ones({1, 1});
  CHECK(sum(one).shape() == Shape{});
  CHECK(sum(one, {.axes = {0}, .keepdim = true}).shape() == Shape{1, 1});
  CHECK(argmax(one, 1).shape() == Shape{1});
  CHECK(argmax(one, 1, true).shape() == Shape{1, 1});
  CHECK(argmax(one, 1).item_int64() == 0);
}

TEST_CASE("reductions of empty tensors are NumPy's") {
  const Tensor x = zeros({2, 0, 3});
  CHECK(to_doubles(sum(x, {.axes = {1}})) == std::vector<double>(6, 0.0));
  CHECK(sum(x).item() == 0);
  CHECK(sum(x, {.axes = {0}}).shape() == Shape{0, 3});
  CHECK(std::isnan(mean(x).item()));
  for (const double v : to_doubles(mean(x, {.axes = {1, 2}}))) CHECK(std::isnan(v));
  CHECK(amax(x, {.axes = {0}}).shape() == Shape{0, 3});
  CHECK(argmax(x, 2).shape() == Shape{2, 0});
  CHECK(amax(zeros({0, 0}), {.axes = {0}}).shape() == Shape{0});
}

TEST_CASE("amax lets infinities win, and NaN over them") {
  CHECK(amax(tensor({-inf, -inf})).item() == -inf);
  CHECK(amax(tensor({1, inf, 2})).item() == inf);
  CHECK(std::isnan(amax(tensor({1, inf, not_a_number})).item()));
  CHECK(std::isnan(amax(tensor({not_a_number, inf, 1})).item()));
  CHECK(argmax(tensor({1, inf, not_a_number, not_a_number}), 0).item_int64() == 2);
  CHECK(argmax(tensor({-inf, -inf}), 0).item_int64() == 0);
}

TEST_CASE("sum and mean pass infinities and NaN on") {
  CHECK(sum(tensor({1, inf, 2})).item() == inf);
  CHECK(std::isnan(sum(tensor({-inf, inf})).item()));
  CHECK(std::isnan(mean(tensor({not_a_number, 1})).item()));
  CHECK(mean(tensor({-inf, 1})).item() == -inf);
}

TEST_CASE("a long float32 sum keeps its digits") {
  const std::int64_t n = 3'000'000;
  const Tensor x = full({n}, 0.1f);
  const auto term = static_cast<double>(0.1f);
  // Some twenty float32 roundings, all to the same side here; a plain float32 loop would be off by percents.
  constexpr double bound = 20 * 0x1p-24;
  CHECK(std::abs(sum(x).item() / (static_cast<double>(n) * term) - 1) <= bound);
  CHECK(std::abs(mean(x).item() / term - 1) <= bound);
}

TEST_CASE("reductions have the same bits for one thread and for two") {
  const auto run = [](int threads) {
    const ThreadCount scope(threads);
    Random random(9);
    std::vector<Tensor> results;
    for (const Shape& shape : {Shape{500000}, Shape{700, 300}, Shape{20, 30, 400}}) {
      const Tensor x = randn(shape, random);
      for (const std::int64_t axis : {std::int64_t{0}, std::int64_t{-1}}) {
        results.push_back(sum(x, {.axes = {axis}}));
        results.push_back(mean(x, {.axes = {axis}}));
        results.push_back(amax(x, {.axes = {axis}}));
        results.push_back(argmax(x, axis).to(float32));
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

TEST_CASE("gradients of sum and mean") {
  Tensor x = ones({2, 3}, {.dtype = float64, .requires_grad = true});
  const Tensor g = tensor({5, 7}, {.dtype = float64});
  CHECK(to_doubles(grad({sum(x, {.axes = {1}})}, {x}, {.cotangents = {g}})[0]) ==
        std::vector<double>{5, 5, 5, 7, 7, 7});
  CHECK(to_doubles(grad({mean(x, {.axes = {-1}})}, {x}, {.cotangents = {g}})[0]) ==
        std::vector<double>{5. / 3, 5. / 3, 5. / 3, 7. / 3, 7. / 3, 7. / 3});
  const Tensor kept = tensor({{5}, {7}}, {.dtype = float64});
  CHECK(to_doubles(grad({sum(x, {.axes = {1}, .keepdim = true})}, {x}, {.cotangents = {kept}})[0]) ==
        std::vector<double>{5, 5, 5, 7, 7, 7});

  Tensor none = zeros({0, 3}, {.requires_grad = true});
  mean(none).backward();
  CHECK(none.grad().shape() == Shape{0, 3});
}

TEST_CASE("amax splits its gradient evenly among ties") {
  Tensor x = tensor({{1, 3, 3, 2}, {5, 5, 5, 4}}, {.dtype = float64, .requires_grad = true});
  const Tensor g = tensor({4, 6}, {.dtype = float64});
  CHECK(to_doubles(grad({amax(x, {.axes = {1}})}, {x}, {.cotangents = {g}})[0]) ==
        std::vector<double>{0, 2, 2, 0, 2, 2, 2, 0});
  CHECK(to_doubles(grad({amax(x)}, {x})[0]) == std::vector<double>{0, 0, 0, 0, 1. / 3, 1. / 3, 1. / 3, 0});
}

TEST_CASE("amax's gradient follows the infinities and NaN that it returned") {
  Tensor x = tensor({{-inf, -inf}, {inf, 1}, {not_a_number, inf}}, {.dtype = float64, .requires_grad = true});
  const Tensor g = tensor({2, 3, 5}, {.dtype = float64});
  CHECK(to_doubles(grad({amax(x, {.axes = {1}})}, {x}, {.cotangents = {g}})[0]) ==
        std::vector<double>{1, 1, 3, 0, 5, 0});
}

TEST_CASE("amax's rule is linear in the cotangent, and constant in the input") {
  Tensor x = tensor({1, 3, 3}, {.dtype = float64, .requires_grad = true});
  Tensor g = tensor(2, {.dtype = float64, .requires_grad = true});
  const Tensor dx = grad({amax(x)}, {x}, {.cotangents = {g}, .create_graph = true})[0];
  CHECK(to_doubles(dx) == std::vector<double>{0, 1, 1});
  const Tensor weights = tensor({10, 100, 1000}, {.dtype = float64});
  CHECK(grad({sum(dx * weights)}, {g}, {.keep_graph = true})[0].item() == 550);
  CHECK_FALSE(grad({sum(dx * weights)}, {x}, {.allow_unused = true})[0].defined());

  // Through a function of it: d2/dx2 of amax(x)^2 is 2 w w', from the square alone.
  const Tensor dy = grad({square(amax(x))}, {x}, {.create_graph = true})[0];
  CHECK(to_doubles(dy) == std::vector<double>{0, 3, 3});
  CHECK(to_doubles(grad({sum(dy * weights)}, {x})[0]) == std::vector<double>{0, 550, 550});
}

TEST_CASE("argmax is never recorded") {
  Tensor x = tensor({1, 3, 2}, {.requires_grad = true});
  const Tensor index = argmax(x, 0);
  CHECK(index.dtype() == int64);
  CHECK_FALSE(index.requires_grad());
}

TEST_CASE("errors of reductions") {
  const Tensor x = zeros({2, 3});
  CHECK(error_of([&] { return sum(x, {.axes = {2}}); }) ==
        "sum: axis 2 is out of range: 2 dimensions have the axes -2 to 1");
  CHECK(error_of([&] {
          return mean(x, {.axes = {0, -3}});
        }) == "mean: axis -3 is out of range: 2 dimensions have the axes -2 to 1");
  CHECK(error_of([&] {
          return sum(x, {.axes = {1, 0, -1}});
        }) == "sum: axis 1 is listed twice: axes are [1, 0, -1], x is [2, 3]");
  CHECK(error_of([&] { return argmax(tensor(1), 0); }) ==
        "argmax: axis 0 is out of range: a 0-d tensor has no axes");
  CHECK(error_of([&] {
          return amax(zeros({2, 0}));
        }) == "amax: no elements to choose from: x is [2, 0], axes=[0, 1]");
  CHECK(error_of([&] {
          return amax(zeros({2, 0}), {.axes = {1}});
        }) == "amax: no elements to choose from: x is [2, 0], axes=[1]");
  CHECK(error_of([&] {
          return argmax(zeros({2, 0}), -1);
        }) == "argmax: no elements to choose from: x is [2, 0], axes=[1]");
  const Tensor flags = zeros({2}, {.dtype = boolean});
  for (const auto& [name, f] : std::vector<std::pair<std::string, std::function<Tensor()>>>{
           {"sum", [&] { return sum(flags); }},
           {"amax", [&] { return amax(flags); }},
           {"argmax", [&] { return argmax(flags, 0); }}}) {
    CHECK(error_of(f) == name + ": needs numbers, got bool; convert with to(int64)");
    CHECK_THROWS_AS((void)f(), DtypeError);
  }
  CHECK(error_of([&] { return mean(zeros({2}, {.dtype = int64})); }) ==
        "mean: needs float32 or float64, got int64; convert with to(float32)");
  CHECK_THROWS_AS((void)amax(zeros({0})), ShapeError);
}

TEST_CASE("a list that names no axes reduces along none, and {} along all") {
  Random random(4);
  const std::vector<std::int64_t> none;
  for (const Dtype dtype : {float32, float64}) {
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{2, 3}, Shape{1, 2, 1, 2, 1, 2, 1, 3}}) {
      CAPTURE(to_string(shape));
      const Tensor x = randn(shape, random, {.dtype = dtype, .requires_grad = true});
      for (const bool keepdim : {false, true}) {
        const ReduceOptions along{.axes = none, .keepdim = keepdim};
        for (const Tensor& same : {sum(x, along), mean(x, along), prod(x, along), amax(x, along),
                                   amin(x, along), logsumexp(x, along), quantile(x, 0.3, along)}) {
          CHECK(same.shape() == shape);
          CHECK(all(same == x).item() == 1);
          CHECK(all(grad({sum(same)}, {x})[0] == 1).item() == 1);
        }
        CHECK(all(norm(x, {.axes = none, .keepdim = keepdim}) == abs(x)).item() == 1);
        // |x|^3 and its root round.
        const Tensor cubic = norm(x, {.p = 3, .axes = none, .keepdim = keepdim});
        CHECK(cubic.shape() == shape);
        CHECK(all(abs(cubic - abs(x)) <= 4 * std::numeric_limits<float>::epsilon() * abs(x)).item() == 1);
        CHECK(all(isnan(var(x, {.axes = none, .keepdim = keepdim}))).item() == 1);
        CHECK(all(var(x, {.axes = none, .correction = 0, .keepdim = keepdim}) == 0).item() == 1);
        CHECK(all(any(x, along) == (x != 0)).item() == 1);
        CHECK(all(all(x, along) == (x != 0)).item() == 1);
        CHECK(all(count_nonzero(x, along) == (x != 0).to(int64)).item() == 1);
      }
      CHECK(all(flip(x, none) == x).item() == 1);
      CHECK(squeeze(x, none).shape() == shape);
      CHECK(sum(x, {.axes = {}}).shape() == Shape{});
    }
  }
}
