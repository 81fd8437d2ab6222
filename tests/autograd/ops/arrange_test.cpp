// Flips, rolls, repetitions and grids: what the walk over the registry does not reach.
#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/arrange.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

TEST_CASE("where nothing is to be done the result is a tensor of its own") {
  const Tensor x = tensor({{1, 2}, {3, 4}}, {.requires_grad = true});
  const Tensor column = ones({1, 3});
  for (const Tensor& same : {roll(x, 2, 0), roll(x, {0, -4}, {0, 1}), tile(x, {1}), repeat(x, {1, 1}),
                             repeat_interleave(x, 1, 1)}) {
    CHECK(same.node() != x.node());
    CHECK(same_bits(same, x));
    CHECK(same.requires_grad());
  }
  for (const Tensor& same : {flip(column, 0), flip(ones({2}), Dims{}), flip(ones({}))}) CHECK(same.is_leaf());
  CHECK(same_bits(flip(column, 0), column));
  CHECK(roll(ones({}), 3).shape() == Shape{});
  CHECK(roll(ones({0, 3}), 1, 0).shape() == Shape{0, 3});
}

TEST_CASE("large tensors are turned round and rolled as small ones are") {
  constexpr std::int64_t n = 300001;
  for (const Dtype dtype : {float64, int32, int64}) {
    const Tensor x = arange(n).to(dtype);
    const Tensor back = flip(x), moved = roll(x, -7);
    for (const std::int64_t i : {std::int64_t{0}, std::int64_t{1}, std::int64_t{32767}, std::int64_t{32768},
                                 std::int64_t{150000}, n - 1}) {
      CHECK(back.at({i}) == static_cast<double>(n - 1 - i));
      CHECK(moved.at({i}) == static_cast<double>((i + 7) % n));
    }
    CHECK(same_bits(flip(back), x));
  }
}

TEST_CASE("a roll by any number of places is one by fewer") {
  const Tensor x = arange(5);
  CHECK(same_bits(roll(x, std::numeric_limits<std::int64_t>::max(), 0),
                  roll(x, std::numeric_limits<std::int64_t>::max() % 5, 0)));
  CHECK(same_bits(roll(x, std::numeric_limits<std::int64_t>::min(), 0),
                  roll(x, std::numeric_limits<std::int64_t>::min() % 5, 0)));
}

TEST_CASE("results too large to count are refused") {
  const Tensor x = ones({1 << 20});
  constexpr std::int64_t many = std::int64_t{1} << 50;
  CHECK(
      message_of<ShapeError>([&] { return tile(x, many); }).starts_with("tile: more than 2^63 - 1 elements"));
  CHECK(message_of<ShapeError>([&] {
          return repeat_interleave(x, many);
        }).starts_with("repeat_interleave: more than 2^63 - 1 elements"));
}

TEST_CASE("a grid has the coordinates of its points") {
  const std::vector<Tensor> grid = meshgrid({arange(2), arange(3) * 10});
  CHECK(values(grid[0]) == std::vector<double>{0, 0, 0, 1, 1, 1});
  CHECK(values(grid[1]) == std::vector<double>{0, 10, 20, 0, 10, 20});
  CHECK(meshgrid({arange(2), arange(3), arange(4)}, GridOrder::xy)[2].shape() == Shape{3, 2, 4});
  CHECK(meshgrid({}).empty());
  CHECK(message_of<ShapeError>([] { return meshgrid(std::vector<Tensor>(9, ones({1}))); }) ==
        "meshgrid: at most 8 vectors, for as many axes, got 9");
}

}}  // namespace xtgrad::v1::testing
