// Operations that move elements: values, messages, edge cases, and that each is its partner's adjoint.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/threads.h"

namespace {

using namespace xtgrad;
using xtgrad::testing::values;

constexpr Dtype all_dtypes[] = {Dtype::float32, Dtype::float64, Dtype::int64, Dtype::boolean};
constexpr Dtype number_dtypes[] = {Dtype::float32, Dtype::float64, Dtype::int64};

Tensor iota(const Shape& shape, Dtype dtype = Dtype::float32) {
  return reshape(arange(static_cast<double>(shape.numel()), {}, {.dtype = Dtype::int64}).to(dtype), shape);
}

/// Random whole numbers in float64: sums and products of them are exact, so that adjointness can be, too.
Tensor whole_numbers(const Shape& shape, Random& random, bool requires_grad = false) {
  std::vector<double> numbers(static_cast<std::size_t>(shape.numel()));
  for (double& number : numbers) number = static_cast<double>(random.next_below(201) - 100);
  return from_span(std::span<const double>(numbers), shape, {.requires_grad = requires_grad});
}

double inner_product(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  const auto v = a.data<double>();
  const auto w = b.data<double>();
  double total = 0;
  for (std::size_t i = 0; i < v.size(); ++i) total += v[i] * w[i];
  return total;
}

using Function = std::function<Tensor(const Tensor&)>;

/// <A x, g> = <x, A' g>, where A' is A's rule; and the rule of that rule is A again.
void check_adjoint(const Function& linear, const Shape& shape) {
  Random random(7);
  const Tensor x = whole_numbers(shape, random, true);
  const Tensor y = linear(x);
  REQUIRE(!y.is_leaf());
  const Tensor g = whole_numbers(y.shape(), random, true);
  const Tensor pulled = grad({y}, {x}, {.cotangents = {g}, .create_graph = true})[0];
  CHECK(inner_product(y, g) == inner_product(x, pulled));
  const Tensor direction = whole_numbers(shape, random);
  const Tensor pushed = grad({pulled}, {g}, {.cotangents = {direction}})[0];
  CHECK(values(pushed) == values(linear(direction)));
}

/// The same bits on one thread and on several.
void check_thread_count(const std::function<Tensor()>& compute) {
  const int before = num_threads();
  set_num_threads(1);
  const std::vector<double> serial = values(compute());
  set_num_threads(5);
  const std::vector<double> parallel = values(compute());
  set_num_threads(before);
  CHECK(serial == parallel);
}

}  // namespace

TEST_CASE("reshape keeps the order and shares the elements") {
  for (const Dtype dtype : all_dtypes) {
    const Tensor x = iota({2, 6}, Dtype::int64).to(dtype);
    const Tensor y = reshape(x, {3, -1});
    CHECK(y.shape() == Shape{3, 4});
    CHECK(y.dtype() == dtype);
    CHECK(values(y) == values(x));
  }
  const Tensor x = iota({2, 6});
  const Tensor row = reshape(x, Shape{12});
  CHECK(row.data<float>().data() == x.data<float>().data());
  CHECK(reshape(tensor(3), {-1}).shape() == Shape{1});
  CHECK(reshape(tensor({3}), Shape{}).item() == 3);
  CHECK(reshape(zeros({0, 4}), {2, -1}).shape() == Shape{2, 0});
  CHECK(reshape(zeros({0, 4}), Shape{7, 0, 2}).shape() == Shape{7, 0, 2});
}

TEST_CASE("reshape says what does not fit") {
  const Tensor x = zeros({2, 3});
  CHECK_THROWS_WITH_AS(
      (void)reshape(x, {4, 2}),
      "reshape: numbers of elements differ: x is [2, 3], which has 6, the shape is [4, 2], which has 8",
      ShapeError);
  CHECK_THROWS_WITH_AS(
      (void)reshape(x, {4, -1}),
      "reshape: no size in place of -1 fits: x is [2, 3], which has 6 elements, the shape is [4, -1]",
      ShapeError);
  CHECK_THROWS_WITH_AS(
      (void)reshape(x, {0, -1}),
      "reshape: no size in place of -1 fits: x is [2, 3], which has 6 elements, the shape is [0, -1]",
      ShapeError);
  CHECK_THROWS_WITH_AS((void)reshape(x, {-1, 2, -1}), "reshape: at most one size can be -1, got [-1, 2, -1]",
                       ShapeError);
  CHECK_THROWS_WITH_AS((void)reshape(x, {-2, 3}), "reshape: sizes must be -1 or not negative, got [-2, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(
      (void)reshape(zeros({0, 3}), {0, -1}),
      "reshape: -1 is ambiguous, since any size gives 0 elements: x is [0, 3], the shape is [0, -1]",
      ShapeError);
}

TEST_CASE("permute, transpose and flatten") {
  for (const Dtype dtype : all_dtypes) {
    CAPTURE(to_string(dtype));
    const Tensor x = iota({2, 3}, Dtype::int64).to(dtype);
    CHECK(values(transpose(x)) == values(tensor({0, 3, 1, 4, 2, 5}).to(dtype)));
    CHECK(transpose(x).shape() == Shape{3, 2});
    CHECK(transpose(x).dtype() == dtype);
  }
  const Tensor x = iota({2, 3, 4});
  CHECK(permute(x, {2, 0, 1}).shape() == Shape{4, 2, 3});
  CHECK(permute(x, {-1, 0, 1}).at({3, 1, 2}) == x.at({1, 2, 3}));
  CHECK(transpose(x, 0, 2).at({3, 2, 1}) == x.at({1, 2, 3}));
  CHECK(permute(tensor(3), {}).item() == 3);
  CHECK(permute(zeros({0, 3}), {1, 0}).shape() == Shape{3, 0});
  CHECK(flatten(x).shape() == Shape{24});
  CHECK(flatten(x, 1).shape() == Shape{2, 12});
  CHECK(flatten(x, -1).shape() == Shape{2, 3, 4});
  CHECK(flatten(tensor(3)).shape() == Shape{1});
  CHECK(flatten(zeros({0, 3, 2}), 1).shape() == Shape{0, 6});

  CHECK_THROWS_WITH_AS(
      (void)permute(x, {0, 1}),
      "permute: the order must name every dimension once: x is [2, 3, 4], the order is [0, 1]", ShapeError);
  CHECK_THROWS_WITH_AS(
      (void)permute(x, {0, 1, -2}),
      "permute: the order must name every dimension once: x is [2, 3, 4], the order is [0, 1, -2]",
      ShapeError);
  CHECK_THROWS_WITH_AS((void)permute(x, {0, 1, 3}),
                       "permute: axis 3 is out of range: 3 dimensions have the axes -3 to 2", ShapeError);
  CHECK_THROWS_WITH_AS((void)transpose(tensor({1, 2})),
                       "transpose: axis -2 is out of range: 1 dimensions have the axes -1 to 0", ShapeError);
  CHECK_THROWS_WITH_AS((void)flatten(x, 3),
                       "flatten: axis 3 is out of range: 3 dimensions have the axes -3 to 2", ShapeError);
}

TEST_CASE("permute by blocks is permute by elements") {
  // Sizes around the edge of a block, in every order of three dimensions and every size of item.
  for (const Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::boolean}) {
    for (const Shape& shape : {Shape{7, 8, 9}, Shape{1, 17, 16}, Shape{70, 3, 65}, Shape{8, 130, 1}}) {
      Tensor x = iota(shape, Dtype::int64);
      if (dtype == Dtype::boolean) x = greater(sin(x.to(Dtype::float64)), 0.0);
      x = x.to(dtype);
      std::vector<std::int64_t> order{0, 1, 2};
      do {
        const Tensor y = permute(x, order);
        CAPTURE(to_string(y.shape()));
        const std::vector<double> from = values(x);
        const std::vector<double> to = values(y);
        bool same = true;
        std::int64_t index[3];
        std::size_t position = 0;
        for (index[0] = 0; index[0] < shape[0]; ++index[0]) {
          for (index[1] = 0; index[1] < shape[1]; ++index[1]) {
            for (index[2] = 0; index[2] < shape[2]; ++index[2], ++position) {
              std::int64_t moved = 0;
              for (std::size_t d = 0; d < 3; ++d) moved = moved * y.shape()[d] + index[order[d]];
              same = same && from[position] == to[static_cast<std::size_t>(moved)];
            }
          }
        }
        CHECK(same);
      } while (std::next_permutation(order.begin(), order.end()));
    }
  }
}

TEST_CASE("broadcast_to repeats and sum_to sums") {
  for (const Dtype dtype : all_dtypes) {
    const Tensor x = tensor({{1}, {0}}, {.dtype = dtype});
    const Tensor y = broadcast_to(x, {2, 2, 3});
    CHECK(y.shape() == Shape{2, 2, 3});
    CHECK(y.dtype() == dtype);
    CHECK(values(y) == std::vector<double>{1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0});
  }
  for (const Dtype dtype : number_dtypes) {
    const Tensor x = iota({2, 3}, dtype);
    CHECK(sum_to(x, {3}).dtype() == dtype);
    CHECK(values(sum_to(x, {3})) == std::vector<double>{3, 5, 7});
    CHECK(values(sum_to(x, {1, 3})) == std::vector<double>{3, 5, 7});
    CHECK(values(sum_to(x, {2, 1})) == std::vector<double>{3, 12});
    CHECK(sum_to(x, {}).item() == 15);
    CHECK(sum_to(x, {1, 1}).shape() == Shape{1, 1});
    const Tensor z = iota({2, 3, 2, 2}, dtype);
    CHECK(values(sum_to(z, {3, 1, 1})) == std::vector<double>{60, 92, 124});
    CHECK(values(sum_to(z, {2, 1, 2, 1})) == std::vector<double>{27, 39, 99, 111});
  }
  const Tensor x = iota({2, 3});
  CHECK(values(broadcast_to(tensor(5), {2, 2})) == std::vector<double>{5, 5, 5, 5});
  CHECK(broadcast_to(zeros({1, 3}), {0, 3}).shape() == Shape{0, 3});
  CHECK(values(sum_to(zeros({0, 3}), {3})) == std::vector<double>{0, 0, 0});
  CHECK(values(sum_to(zeros({2, 0}), {2, 1})) == std::vector<double>{0, 0});
  CHECK(sum_to(zeros({0, 3}), {0, 1}).shape() == Shape{0, 1});
  CHECK(sum_to(zeros({4, 0}), {0}).shape() == Shape{0});
  const std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  CHECK(sum_to(from_vector(std::vector<std::int64_t>{largest, 1}), {}).item_int64() ==
        std::numeric_limits<std::int64_t>::min());

  CHECK_THROWS_WITH_AS(
      (void)broadcast_to(x, {3, 3}),
      "broadcast_to: the shape does not stretch: x is [2, 3], the shape is [3, 3]; sizes are "
      "aligned at the end, and only a 1 stretches",
      ShapeError);
  CHECK_THROWS_WITH_AS(
      (void)broadcast_to(x, {3}),
      "broadcast_to: the shape does not stretch: x is [2, 3], the shape is [3]; sizes are aligned "
      "at the end, and only a 1 stretches",
      ShapeError);
  CHECK_THROWS_WITH_AS((void)sum_to(x, {2}),
                       "sum_to: the shape does not broadcast to x's: x is [2, 3], the shape is [2]",
                       ShapeError);
  CHECK_THROWS_WITH_AS((void)sum_to(zeros({2}, {.dtype = Dtype::boolean}), {}),
                       "sum_to: needs numbers, got bool; convert with to(int64)", DtypeError);
}

TEST_CASE("slice follows Python") {
  for (const Dtype dtype : all_dtypes) {
    const Tensor x = tensor({0, 1, 1, 0, 1}, {.dtype = dtype});
    CHECK(slice(x, {.start = 1, .stop = 4}).dtype() == dtype);
    CHECK(values(slice(x, {.start = 1, .stop = 4})) == std::vector<double>{1, 1, 0});
  }
  const Tensor x = iota({5});
  CHECK(values(slice(x, {.start = -2})) == std::vector<double>{3, 4});
  CHECK(values(slice(x, {.stop = -2})) == std::vector<double>{0, 1, 2});
  CHECK(values(slice(x, {.step = 2})) == std::vector<double>{0, 2, 4});
  CHECK(values(slice(x, {.start = 1, .step = 3})) == std::vector<double>{1, 4});
  CHECK(values(slice(x, {.start = 3, .stop = 99})) == std::vector<double>{3, 4});
  CHECK(values(slice(x, {.start = -99, .stop = 1})) == std::vector<double>{0});
  constexpr std::int64_t far = std::numeric_limits<std::int64_t>::max();
  CHECK(values(slice(x, {.start = 1, .stop = far, .step = far})) == std::vector<double>{1});
  CHECK(slice(x, {.start = 4, .stop = 2}).shape() == Shape{0});
  CHECK(slice(x, {.start = 99}).shape() == Shape{0});
  CHECK(slice(zeros({0, 2}), {.step = 3}).shape() == Shape{0, 2});
  const Tensor matrix = iota({3, 4});
  CHECK(values(slice(matrix, {.axis = -1, .start = 1, .step = 2})) == std::vector<double>{1, 3, 5, 7, 9, 11});
  CHECK(values(slice(matrix, {.start = -1})) == std::vector<double>{8, 9, 10, 11});

  CHECK_THROWS_WITH_AS((void)slice(x, {.step = 0}), "slice: the step must be positive, got 0", ValueError);
  CHECK_THROWS_WITH_AS((void)slice(x, {.step = -1}), "slice: the step must be positive, got -1", ValueError);
  CHECK_THROWS_WITH_AS((void)slice(x, {.axis = 1}),
                       "slice: axis 1 is out of range: 1 dimensions have the axes -1 to 0", ShapeError);
  CHECK_THROWS_WITH_AS((void)slice(tensor(3), {}), "slice: axis 0 is out of range: a 0-d tensor has no axes",
                       ShapeError);
}

TEST_CASE("pad puts zeros in") {
  for (const Dtype dtype : all_dtypes) {
    const Tensor y = pad(tensor({1, 1}, {.dtype = dtype}), {.low = 1, .high = 2, .interior = 1});
    CHECK(y.dtype() == dtype);
    CHECK(values(y) == std::vector<double>{0, 1, 0, 1, 0, 0});
  }
  const Tensor x = tensor({{1, 2}, {3, 4}});
  CHECK(values(pad(x, {.axis = -1, .high = 1})) == std::vector<double>{1, 2, 0, 3, 4, 0});
  CHECK(values(pad(x, {.interior = 1})) == std::vector<double>{1, 2, 0, 0, 3, 4});
  CHECK(values(pad(zeros({0}), {.low = 1, .high = 1, .interior = 5})) == std::vector<double>{0, 0});
  CHECK(values(pad(tensor({7}), {.low = 1, .interior = 5})) == std::vector<double>{0, 7});

  CHECK_THROWS_WITH_AS(
      (void)pad(x, {.low = -1}),
      "pad: low, high and interior must not be negative, got -1, 0 and 0; slice removes elements",
      ValueError);
  constexpr std::int64_t far = std::numeric_limits<std::int64_t>::max();
  CHECK_THROWS_WITH_AS(
      (void)pad(x, {.axis = 1, .high = far}),
      "pad: more than 2^63 - 1 elements: x is [2, 2], axis 1 gets low 0, high 9223372036854775807, "
      "interior 0",
      ShapeError);
  CHECK_THROWS_WITH_AS((void)pad(tensor(3), {}), "pad: axis 0 is out of range: a 0-d tensor has no axes",
                       ShapeError);
}

TEST_CASE("concat and stack") {
  for (const Dtype dtype : all_dtypes) {
    const Tensor a = tensor({{0, 1}}, {.dtype = dtype});
    const Tensor b = tensor({{1, 1}, {0, 0}}, {.dtype = dtype});
    CHECK(concat({a, b}).dtype() == dtype);
    CHECK(concat({a, b}).shape() == Shape{3, 2});
    CHECK(values(concat({a, b})) == std::vector<double>{0, 1, 1, 1, 0, 0});
    CHECK(values(concat({b, b, transpose(a)}, -1)) == std::vector<double>{1, 1, 1, 1, 0, 0, 0, 0, 0, 1});
  }
  const Tensor a = tensor({1, 2});
  const Tensor b = tensor({3, 4});
  CHECK(values(stack({a, b})) == std::vector<double>{1, 2, 3, 4});
  CHECK(stack({a, b}).shape() == Shape{2, 2});
  CHECK(values(stack({a, b}, 1)) == std::vector<double>{1, 3, 2, 4});
  CHECK(values(stack({a, b}, -1)) == std::vector<double>{1, 3, 2, 4});
  CHECK(stack({iota({2, 3}), iota({2, 3}), iota({2, 3}), iota({2, 3})}, 1).shape() == Shape{2, 4, 3});
  CHECK(values(slice(stack({iota({2, 3}), neg(iota({2, 3}))}, 1), {.axis = 1, .start = 1})) ==
        values(neg(iota({2, 3}))));
  CHECK(values(stack({tensor(1), tensor(2)})) == std::vector<double>{1, 2});
  CHECK(stack({a}).shape() == Shape{1, 2});
  CHECK(concat({a, zeros({0}), b}).shape() == Shape{4});
  CHECK(concat({zeros({2, 0}), zeros({3, 0})}).shape() == Shape{5, 0});

  CHECK_THROWS_WITH_AS((void)concat(std::span<const Tensor>{}), "concat: needs at least one tensor, got none",
                       ValueError);
  CHECK_THROWS_WITH_AS((void)stack(std::span<const Tensor>{}), "stack: needs at least one tensor, got none",
                       ValueError);
  CHECK_THROWS_WITH_AS((void)concat({a, b, a.to(Dtype::int64)}),
                       "concat: dtypes differ: tensor 0 is float32, tensor 2 is int64; convert one with to()",
                       DtypeError);
  CHECK_THROWS_WITH_AS((void)concat({zeros({2, 3}), zeros({2, 5}), zeros({4, 3})}, 1),
                       "concat: shapes differ outside axis 1: tensor 0 is [2, 3], tensor 2 is [4, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS((void)concat({a, zeros({2, 1})}),
                       "concat: shapes differ outside axis 0: tensor 0 is [2], tensor 1 is [2, 1]",
                       ShapeError);
  CHECK_THROWS_WITH_AS((void)concat({tensor(1), tensor(2)}),
                       "concat: 0-d tensors have no axis to be joined along; stack makes a new one",
                       ShapeError);
  CHECK_THROWS_WITH_AS((void)stack({a, zeros({3})}), "stack: shapes differ: tensor 0 is [2], tensor 1 is [3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS((void)stack({a, b}, 2),
                       "stack: axis 2 is out of range: 2 dimensions have the axes -2 to 1", ShapeError);
}

TEST_CASE("concat gives gradients to those that want one") {
  Random random(11);
  const Tensor constant = whole_numbers({2, 3}, random);
  const Tensor x = whole_numbers({2, 1}, random, true);
  const Tensor unused = whole_numbers({2, 2}, random, true);
  const Tensor y = whole_numbers({2, 4}, random, true);
  const Tensor joined = concat({constant, x, unused, y, x}, 1);
  const Tensor g = whole_numbers({2, 11}, random);
  const std::vector<Tensor> gradients = grad({joined}, {x, y}, {.cotangents = {g}});
  const Tensor twice = slice(g, {.axis = 1, .start = 3, .stop = 4}) + slice(g, {.axis = 1, .start = 10});
  CHECK(values(gradients[0]) == values(twice));
  CHECK(values(gradients[1]) == values(slice(g, {.axis = 1, .start = 6, .stop = 10})));

  // More inputs than the sets of bits that say which of them want a gradient.
  std::vector<Tensor> many;
  for (int i = 0; i < 40; ++i) many.push_back(tensor({i}, {.dtype = Dtype::float64, .requires_grad = true}));
  const Tensor weights = arange(40, {}, {.dtype = Dtype::float64});
  sum(concat(many) * weights).backward();
  for (std::size_t i = 0; i < many.size(); ++i) CHECK(many[i].grad().item() == static_cast<double>(i));
}

TEST_CASE("each map is the adjoint of its rule") {
  check_adjoint([](const Tensor& x) { return reshape(x, {4, -1}); }, {2, 3, 4});
  check_adjoint([](const Tensor& x) { return permute(x, {2, 0, 3, 1}); }, {2, 3, 4, 5});
  check_adjoint([](const Tensor& x) { return transpose(x); }, {9, 17});
  check_adjoint([](const Tensor& x) { return broadcast_to(x, {2, 3, 4, 5}); }, {3, 1, 5});
  check_adjoint([](const Tensor& x) { return broadcast_to(x, {3, 2}); }, {});
  check_adjoint([](const Tensor& x) { return sum_to(x, {3, 1, 5}); }, {2, 3, 4, 5});
  check_adjoint([](const Tensor& x) { return sum_to(x, {}); }, {7, 11});
  check_adjoint([](const Tensor& x) { return sum_to(x, {40}); }, {21, 40});
  check_adjoint([](const Tensor& x) { return slice(x, {.axis = 1, .start = 1, .stop = -1, .step = 3}); },
                {2, 12, 3});
  check_adjoint([](const Tensor& x) { return slice(x, {.start = 3, .stop = 3}); }, {4, 2});
  check_adjoint([](const Tensor& x) { return slice(x, {.axis = -1, .start = -2}); }, {3, 5});
  check_adjoint([](const Tensor& x) { return pad(x, {.axis = 1, .low = 2, .high = 1, .interior = 3}); },
                {2, 4, 3});
  check_adjoint([](const Tensor& x) { return pad(x, {.low = 2, .high = 3, .interior = 1}); }, {0, 2});
  check_adjoint([](const Tensor& x) { return concat({x, x}, 1); }, {3, 2});
  check_adjoint([](const Tensor& x) { return stack({x, x, x}, 1); }, {3, 2});
  check_adjoint([](const Tensor& x) { return stack({x, x}, -1); }, {3, 2});
  const Tensor index = tensor({{2, 0, 1}, {2, 2, 0}, {2, 1, 1}, {0, 0, 0}}, {.dtype = Dtype::int64});
  check_adjoint([&](const Tensor& x) { return gather(x, 0, index); }, {3, 4});
  check_adjoint([&](const Tensor& x) { return gather(x, 1, index); }, {5, 3});
  check_adjoint(
      [&](const Tensor& x) {
        return scatter_add(zeros({3, 4}, {.dtype = Dtype::float64}), 0, index, x);
      },
      {4, 3});
  check_adjoint(
      [&](const Tensor& x) {
        return scatter_add(x, 1, index, zeros({4, 3}, {.dtype = Dtype::float64}));
      },
      {4, 6});
}

TEST_CASE("bits do not depend on the number of threads") {
  Random random(3);
  const Tensor x = randn({300, 1100}, random);
  check_thread_count([&] { return permute(x, {1, 0}); });
  check_thread_count([&] { return sum_to(x, {1100}); });
  check_thread_count([&] { return sum_to(x, {300, 1}); });
  check_thread_count([&] { return sum_to(x, {}); });
  check_thread_count([&] { return broadcast_to(sum_to(x, {1100}), {200, 1100}); });
  check_thread_count([&] { return pad(x, {.axis = 1, .low = 3, .interior = 1}); });
  // Every entry of the index is met by tens of others.
  std::vector<std::int64_t> places(300 * 1100);
  for (std::int64_t& place : places) place = random.next_below(9);
  const Tensor index = from_span(std::span<const std::int64_t>(places), {300, 1100});
  check_thread_count([&] { return scatter_add(zeros({9, 1100}), 0, index, x); });
  check_thread_count([&] { return scatter_add(zeros({300, 9}), 1, index, x); });
  check_thread_count([&] { return gather(x, 0, index); });
}
