#include "xtgrad/autograd/creation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "xtgrad/autograd/errors.h"

using namespace xtgrad;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

template <class T>
std::vector<T> values(const Tensor& x) {
  const std::span<const T> data = x.data<T>();
  return {data.begin(), data.end()};
}

}  // namespace

TEST_CASE("braces give a tensor of their form") {
  const Tensor matrix = tensor({{1, 2, 3}, {4, 5, 6}});
  CHECK(matrix.shape() == Shape{2, 3});
  CHECK(matrix.dtype() == float32);
  CHECK_FALSE(matrix.requires_grad());
  CHECK(values<float>(matrix) == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(tensor({{{1}, {2}}, {{3}, {4}}}).shape() == Shape{2, 2, 1});
  CHECK(tensor({5}).shape() == Shape{1});
  CHECK(tensor({{5}}).shape() == Shape{1, 1});
  CHECK(tensor(5).shape() == Shape{});
  CHECK(tensor(2.5).item() == 2.5);
  CHECK(tensor({0.5, 1, true, std::int64_t{3}}, {.dtype = float64}).data<double>()[3] == 3);
}

TEST_CASE("empty braces give empty tensors") {
  CHECK(tensor({}).shape() == Shape{0});
  CHECK(tensor({{}, {}}).shape() == Shape{2, 0});
  CHECK(tensor({}).data<float>().empty());
}

TEST_CASE("the options choose dtype and requires_grad") {
  CHECK(values<std::int64_t>(tensor({1, -2}, {.dtype = int64})) == std::vector<std::int64_t>{1, -2});
  CHECK(values<bool>(tensor({true, false, 1}, {.dtype = boolean})) == std::vector<bool>{true, false, true});
  const Tensor leaf = tensor({{1, 2}}, {.dtype = float64, .requires_grad = true});
  CHECK(leaf.dtype() == float64);
  CHECK(leaf.requires_grad());
  CHECK(leaf.is_leaf());
  CHECK_FALSE(leaf.grad().defined());
}

TEST_CASE("nan, infinities and -0 pass into floating dtypes") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = tensor({infinity, -infinity, not_a_number, -0.0}, {.dtype = dtype});
    CHECK(x.at({0}) == infinity);
    CHECK(x.at({1}) == -infinity);
    CHECK(std::isnan(x.at({2})));
    CHECK(std::signbit(x.at({3})));
  }
}

TEST_CASE("ragged braces are an error that names both forms") {
  CHECK_THROWS_WITH_AS(static_cast<void>(tensor({{1, 2}, {3}})),
                       "tensor: ragged braces: a list of 1 stands beside a list of 2 at depth 1", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(tensor({{1, 2}, 3})),
                       "tensor: ragged braces: a number stands beside a list of 2 at depth 1", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(tensor({1, {2, 3}})),
                       "tensor: ragged braces: a list of 2 stands beside a number at depth 1", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(tensor({{}, {1}})),
                       "tensor: ragged braces: a list of 1 stands beside a list of 0 at depth 1", ShapeError);
}

TEST_CASE("braces nested deeper than a shape are an error") {
  NestedNumbers nested(1);
  for (int depth = 0; depth < 8; ++depth)
    nested = NestedNumbers(std::initializer_list<NestedNumbers>{nested});
  CHECK(tensor(nested).shape() == Shape{1, 1, 1, 1, 1, 1, 1, 1});
  nested = NestedNumbers(std::initializer_list<NestedNumbers>{nested});
  CHECK_THROWS_WITH_AS(static_cast<void>(tensor(nested)),
                       "tensor: braces nested too deep: at most 8 dimensions", ShapeError);
}

TEST_CASE("a number that the dtype cannot hold is an error that names both") {
  CHECK_THROWS_WITH_AS(static_cast<void>(tensor({1, 0.5}, {.dtype = int64})), "tensor: int64 cannot hold 0.5",
                       DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(full({2}, 2, {.dtype = boolean})), "full: bool cannot hold 2",
                       DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(tensor(1e300)), "tensor: float32 cannot hold 1e+300", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(full({}, -1e300)), "full: float32 cannot hold -1e+300", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(full({}, not_a_number, {.dtype = int64})),
                       "full: int64 cannot hold nan", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(full({}, infinity, {.dtype = boolean})),
                       "full: bool cannot hold inf", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(full({}, 0x1p63, {.dtype = int64})),
                       "full: int64 cannot hold 9.223372036854776e+18", DtypeError);
  CHECK(full({}, -0x1p63, {.dtype = int64}).item_int64() == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("float32 holds what rounds to its largest number, and nothing beyond") {
  constexpr double largest = std::numeric_limits<float>::max();
  constexpr double first_beyond = 0x1.ffffffp+127;
  CHECK(full({}, largest).item() == largest);
  CHECK(full({}, std::nextafter(first_beyond, 0)).item() == largest);
  CHECK_THROWS_AS(static_cast<void>(full({}, first_beyond)), DtypeError);
  CHECK(full({}, 1e300, {.dtype = float64}).item() == 1e300);
  CHECK(full({}, infinity).item() == infinity);
}

TEST_CASE("integers that a double would round are exact in braces and in vectors") {
  const std::int64_t odd = (std::int64_t{1} << 53) + 1;
  CHECK(tensor({odd}, {.dtype = int64}).item_int64() == odd);
  CHECK(from_vector(std::vector{odd}).item_int64() == odd);
  CHECK(from_vector(std::vector{std::numeric_limits<std::int64_t>::max()}).item_int64() ==
        std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("from_span copies values under a shape, with their own dtype") {
  std::vector<float> source{1, 2, 3, 4, 5, 6};
  const Tensor x = from_span(std::span<const float>(source), {2, 3}, {.requires_grad = true});
  source[0] = 100;
  CHECK(x.shape() == Shape{2, 3});
  CHECK(x.dtype() == float32);
  CHECK(x.requires_grad());
  CHECK(x.at({0, 0}) == 1);
  CHECK(x.at({1, 2}) == 6);
  const std::vector<double> doubles{0.1};
  CHECK(from_span(std::span<const double>(doubles), {}).item() == 0.1);
  const std::vector<std::int64_t> integers{7, 8};
  CHECK(from_span(std::span<const std::int64_t>(integers), {2, 1}).dtype() == int64);
  const bool truths[] = {true, false};
  CHECK(values<bool>(from_span(std::span<const bool>(truths), {2})) == std::vector<bool>{true, false});
  CHECK(from_span(std::span<const float>(), {0, 3}).numel() == 0);
}

TEST_CASE("from_vector gives one dimension") {
  CHECK(from_vector(std::vector<float>{1, 2, 3}).shape() == Shape{3});
  CHECK(from_vector(std::vector<double>{}).shape() == Shape{0});
  CHECK(from_vector(std::vector<double>{}).dtype() == float64);
  CHECK(from_vector(std::vector<double>{1, 2}, {.dtype = float32}).dtype() == float32);
}

TEST_CASE("from_span converts to another dtype where it can hold the values") {
  const std::vector<double> doubles{0.1, 3};
  CHECK(values<float>(from_vector(doubles, {.dtype = float32})) == std::vector<float>{0.1F, 3});
  const std::vector<std::int64_t> integers{0, 1, 1};
  CHECK(values<bool>(from_vector(integers, {.dtype = boolean})) == std::vector<bool>{false, true, true});
  CHECK(values<double>(from_vector(integers, {.dtype = float64})) == std::vector<double>{0, 1, 1});
  const bool truths[] = {true, false};
  CHECK(values<std::int64_t>(from_span(std::span<const bool>(truths), {2}, {.dtype = int64})) ==
        std::vector<std::int64_t>{1, 0});
  CHECK_THROWS_WITH_AS(static_cast<void>(from_vector(doubles, {.dtype = int64})),
                       "from_vector: int64 cannot hold 0.1", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(from_vector(std::vector<std::int64_t>{2}, {.dtype = boolean})),
                       "from_vector: bool cannot hold 2", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(from_vector(std::vector<float>{1.5F}, {.dtype = int64})),
                       "from_vector: int64 cannot hold 1.5", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(from_vector(std::vector<double>{1e39}, {.dtype = float32})),
                       "from_vector: float32 cannot hold 1e+39", DtypeError);
}

TEST_CASE("from_span wants as many values as the shape has elements") {
  const std::vector<float> five(5);
  CHECK_THROWS_WITH_AS(static_cast<void>(from_span(std::span<const float>(five), {2, 3})),
                       "from_span: sizes disagree: 5 values, shape [2, 3] has 6", ShapeError);
  CHECK_THROWS_AS(static_cast<void>(from_span(std::span<const float>(), {})), ShapeError);
}

TEST_CASE("zeros, ones and full fill every dtype") {
  for (const Dtype dtype : {boolean, int64, float32, float64}) {
    CAPTURE(to_string(dtype));
    const Tensor one = ones({2, 3}, {.dtype = dtype});
    const Tensor zero = zeros({2, 3}, {.dtype = dtype});
    CHECK(one.dtype() == dtype);
    CHECK(zero.shape() == Shape{2, 3});
    for (std::int64_t i = 0; i < 2; ++i) {
      for (std::int64_t j = 0; j < 3; ++j) {
        CHECK(one.at({i, j}) == 1);
        CHECK(zero.at({i, j}) == 0);
      }
    }
    CHECK(zeros({0, 5}, {.dtype = dtype}).numel() == 0);
    CHECK(ones({}, {.dtype = dtype}).item() == 1);
  }
  CHECK(values<float>(full({2}, 2.5)) == std::vector<float>{2.5F, 2.5F});
  CHECK(full({}, 2.5, {.requires_grad = true}).requires_grad());
}

TEST_CASE("the thread's default dtype decides where the options do not") {
  const DefaultDtype in_double(float64);
  CHECK(tensor({1}).dtype() == float64);
  CHECK(zeros({1}).dtype() == float64);
  CHECK(ones({1}).dtype() == float64);
  CHECK(full({1}, 2).dtype() == float64);
  CHECK(linspace(0, 1, 2).dtype() == float64);
  CHECK(eye(2).dtype() == float64);
  CHECK(randn({1}).dtype() == float64);
  CHECK(uniform({1}).dtype() == float64);
  CHECK(one_hot(tensor({0}, {.dtype = int64}), 2).dtype() == float64);
  CHECK(arange(3).dtype() == int64);
  CHECK(from_vector(std::vector<float>{1}).dtype() == float32);
}

TEST_CASE("zeros_like and ones_like copy shape and dtype, not requires_grad") {
  const Tensor x = full({2, 1}, 7, {.dtype = float64, .requires_grad = true});
  CHECK(zeros_like(x).shape() == Shape{2, 1});
  CHECK(zeros_like(x).dtype() == float64);
  CHECK_FALSE(zeros_like(x).requires_grad());
  CHECK(values<double>(zeros_like(x)) == std::vector<double>{0, 0});
  CHECK(values<double>(ones_like(x)) == std::vector<double>{1, 1});
  CHECK(values<bool>(ones_like(zeros({2}, {.dtype = boolean}))) == std::vector<bool>{true, true});
  CHECK_THROWS_AS(static_cast<void>(zeros_like(Tensor())), Error);
}

TEST_CASE("arange counts from start in steps, without stop") {
  CHECK(values<std::int64_t>(arange(4)) == std::vector<std::int64_t>{0, 1, 2, 3});
  CHECK(values<std::int64_t>(arange(10, {.start = 4, .step = 3})) == std::vector<std::int64_t>{4, 7});
  CHECK(values<std::int64_t>(arange(-1, {.start = 2, .step = -1})) == std::vector<std::int64_t>{2, 1, 0});
  CHECK(values<std::int64_t>(arange(2.5)) == std::vector<std::int64_t>{0, 1, 2});
  CHECK(values<double>(arange(1, {.step = 0.25}, {.dtype = float64})) ==
        std::vector<double>{0, 0.25, 0.5, 0.75});
  CHECK(arange(0).shape() == Shape{0});
  CHECK(arange(-3).numel() == 0);
  CHECK(arange(3, {.start = 5}).numel() == 0);
}

TEST_CASE("arange leaves stop out where a division rounds up to it") {
  // (1.3 - 1) / 0.1 is 3.0000000000000004.
  const Tensor x = arange(1.3, {.start = 1, .step = 0.1}, {.dtype = float64});
  CHECK(x.numel() == 3);
  const Tensor down = arange(-1.3, {.start = -1, .step = -0.1}, {.dtype = float64});
  CHECK(down.numel() == 3);
}

TEST_CASE("arange checks its numbers") {
  CHECK_THROWS_WITH_AS(static_cast<void>(arange(1, {.step = 0})), "arange: step must not be 0", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(arange(1, {.step = 0.5})),
                       "arange: int64 cannot hold start 0 with step 0.5: give a floating dtype", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(arange(infinity)), "arange: stop must be finite: got inf",
                       ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(arange(1, {.start = not_a_number})),
                       "arange: start must be finite: got nan", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(arange(1, {.step = infinity})),
                       "arange: step must be finite: got inf", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(arange(1e300)),
                       "arange: too many numbers from 0 to 1e+300 in steps of 1", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(arange(3, {}, {.dtype = boolean})), "arange: bool cannot hold 2",
                       DtypeError);
}

TEST_CASE("linspace includes both ends exactly") {
  CHECK(values<double>(linspace(0, 1, 5, {.dtype = float64})) == std::vector<double>{0, 0.25, 0.5, 0.75, 1});
  CHECK(values<float>(linspace(3, -1, 3)) == std::vector<float>{3, 1, -1});
  CHECK(values<double>(linspace(2, 9, 1, {.dtype = float64})) == std::vector<double>{2});
  CHECK(linspace(2, 9, 0).shape() == Shape{0});
  const std::vector<double> x = values<double>(linspace(-0.1, 0.1, 12, {.dtype = float64}));
  CHECK(x.front() == -0.1);
  CHECK(x.back() == 0.1);
  for (std::size_t i = 0; i < x.size(); ++i) {
    CHECK(x[i] == -x[x.size() - 1 - i]);
    CHECK(std::abs(x[i] - (-0.1 + 0.2 * static_cast<double>(i) / 11)) < 1e-16);
  }
  CHECK(values<std::int64_t>(linspace(0, 4, 3, {.dtype = int64})) == std::vector<std::int64_t>{0, 2, 4});
}

TEST_CASE("linspace checks its numbers") {
  CHECK_THROWS_WITH_AS(static_cast<void>(linspace(0, 1, -1)), "linspace: count must not be negative: got -1",
                       ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(linspace(infinity, 1, 2)), "linspace: first must be finite: got inf",
                       ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(linspace(0, not_a_number, 2)),
                       "linspace: last must be finite: got nan", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(linspace(-1e308, 1e308, 2)),
                       "linspace: last - first must be finite: got inf", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(linspace(0, 1, 3, {.dtype = int64})),
                       "linspace: int64 cannot hold 0.5", DtypeError);
}

TEST_CASE("eye has ones on the diagonal") {
  CHECK(values<float>(eye(2)) == std::vector<float>{1, 0, 0, 1});
  CHECK(values<std::int64_t>(eye(2, 3, {.dtype = int64})) == std::vector<std::int64_t>{1, 0, 0, 0, 1, 0});
  CHECK(values<bool>(eye(3, 1, {.dtype = boolean})) == std::vector<bool>{true, false, false});
  CHECK(eye(0).shape() == Shape{0, 0});
  CHECK(eye(2, 0).shape() == Shape{2, 0});
  CHECK_THROWS_WITH_AS(static_cast<void>(eye(-1)), "eye: sizes must not be negative: got -1 and -1",
                       ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(eye(2, -3)), "eye: sizes must not be negative: got 2 and -3",
                       ShapeError);
}

TEST_CASE("one_hot marks each label's class") {
  const Tensor labels = tensor({2, 0}, {.dtype = int64});
  CHECK(one_hot(labels, 3).shape() == Shape{2, 3});
  CHECK(values<float>(one_hot(labels, 3)) == std::vector<float>{0, 0, 1, 1, 0, 0});
  CHECK(values<bool>(one_hot(labels, 3, {.dtype = boolean})) ==
        std::vector<bool>{false, false, true, true, false, false});
  CHECK(values<std::int64_t>(one_hot(tensor(1, {.dtype = int64}), 2, {.dtype = int64})) ==
        std::vector<std::int64_t>{0, 1});
  CHECK(one_hot(tensor({{0}, {1}}, {.dtype = int64}), 2).shape() == Shape{2, 1, 2});
  CHECK(one_hot(zeros({0}, {.dtype = int64}), 4).shape() == Shape{0, 4});
  CHECK(one_hot(zeros({0}, {.dtype = int64}), 0).shape() == Shape{0, 0});
}

TEST_CASE("one_hot checks labels and classes") {
  CHECK_THROWS_WITH_AS(static_cast<void>(one_hot(tensor({0, 3}, {.dtype = int64}), 3)),
                       "one_hot: label out of range: labels[1] is 3, classes is 3", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(one_hot(tensor({-1}, {.dtype = int64}), 3)),
                       "one_hot: label out of range: labels[0] is -1, classes is 3", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(one_hot(tensor({1}), 3)),
                       "one_hot: labels must be int64 or int32: got float32; convert with to(int64)",
                       DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(one_hot(tensor({1}, {.dtype = int64}), -3)),
                       "one_hot: classes must not be negative: got -3", ValueError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(one_hot(zeros({1, 1, 1, 1, 1, 1, 1, 1}, {.dtype = int64}), 3)),
      "one_hot: labels leave no dimension for the classes: labels are [1, 1, 1, 1, 1, 1, 1, 1], at "
      "most 8 dimensions",
      ShapeError);
}

TEST_CASE("requires_grad wants a floating dtype, in every function that takes it") {
  const TensorOptions wrong{.dtype = int64, .requires_grad = true};
  const Tensor labels = zeros({1}, {.dtype = int64});
  CHECK_THROWS_WITH_AS(static_cast<void>(tensor({1}, wrong)),
                       "tensor: requires_grad needs float32 or float64: got int64", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(from_vector(std::vector<std::int64_t>{1}, {.requires_grad = true})),
                       "from_vector: requires_grad needs float32 or float64: got int64", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(zeros({1}, wrong)),
                       "zeros: requires_grad needs float32 or float64: got int64", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(ones({1}, {.dtype = boolean, .requires_grad = true})),
                       "ones: requires_grad needs float32 or float64: got bool", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(full({1}, 1, wrong)),
                       "full: requires_grad needs float32 or float64: got int64", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(arange(3, {}, {.requires_grad = true})),
                       "arange: requires_grad needs float32 or float64: got int64", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(linspace(0, 1, 2, wrong)),
                       "linspace: requires_grad needs float32 or float64: got int64", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(eye(2, 2, wrong)),
                       "eye: requires_grad needs float32 or float64: got int64", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(one_hot(labels, 2, wrong)),
                       "one_hot: requires_grad needs float32 or float64: got int64", DtypeError);
  CHECK(arange(3, {}, {.dtype = float32, .requires_grad = true}).requires_grad());
  CHECK(randn({2}, default_random(), {.requires_grad = true}).requires_grad());
  CHECK(uniform({2}, {}, default_random(), {.requires_grad = true}).requires_grad());
}

TEST_CASE("a tensor whose bytes cannot be counted is an error, not a small block") {
  CHECK_THROWS_WITH_AS(static_cast<void>(zeros({std::int64_t{1} << 62}, {.dtype = float64})),
                       "zeros: too large: float64 [4611686018427387904] has more than 2^63 - 1 bytes",
                       ShapeError);
  CHECK_THROWS_AS(static_cast<void>(randn({std::int64_t{1} << 61})), ShapeError);
}
