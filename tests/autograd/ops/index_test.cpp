// gather and scatter_add: values and messages. That each is the other's adjoint is in shape_test.
#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace {

using namespace xtgrad;
using xtgrad::testing::values;

constexpr Dtype all_dtypes[] = {float32, float64, int64, int32, uint8, boolean};
constexpr Dtype number_dtypes[] = {Dtype::float32, Dtype::float64, Dtype::int64};

}  // namespace

TEST_CASE("gather reads and scatter_add adds at the index") {
  const Tensor index = tensor({{0, 2}, {1, 1}}, {.dtype = Dtype::int64});
  for (const Dtype dtype : all_dtypes) {
    const Tensor x = tensor({{1, 0, 0}, {0, 1, 0}, {1, 1, 1}}, {.dtype = dtype});
    CHECK(gather(x, 1, index).dtype() == dtype);
    CHECK(values(gather(x, 1, index)) == std::vector<double>{1, 0, 1, 1});
    CHECK(values(gather(x, 0, index)) == std::vector<double>{1, 1, 0, 1});
  }
  for (const Dtype dtype : number_dtypes) {
    const Tensor x = ones({2, 3}, {.dtype = dtype});
    const Tensor source = tensor({{10, 20}, {30, 40}}, {.dtype = dtype});
    CHECK(scatter_add(x, 1, index, source).dtype() == dtype);
    CHECK(values(scatter_add(x, -1, index, source)) == std::vector<double>{11, 1, 21, 1, 71, 1});
    CHECK(values(scatter_add(zeros({3, 2}, {.dtype = dtype}), 0, index, source)) ==
          std::vector<double>{10, 0, 30, 40, 0, 20});
    CHECK(values(x) == std::vector<double>(6, 1));
  }
  const Tensor deep = reshape(arange(24, {}, {.dtype = Dtype::float32}), {2, 3, 2, 2});
  const Tensor places = tensor({{{{2, 0}}}, {{{1, 1}}}}, {.dtype = Dtype::int64});  // [2, 1, 1, 2]
  CHECK(values(gather(deep, 1, places)) == std::vector<double>{8, 1, 16, 17});
  const Tensor none = zeros({0, 2}, {.dtype = Dtype::int64});
  CHECK(gather(deep, 0, zeros({0, 3, 2, 2}, {.dtype = Dtype::int64})).shape() == Shape{0, 3, 2, 2});
  CHECK(gather(zeros({0, 2}), 0, none).shape() == Shape{0, 2});
  CHECK(values(scatter_add(ones({3, 2}), 0, none, zeros({0, 2}))) == std::vector<double>(6, 1));
  CHECK(gather(tensor({7}), 0, tensor({0}, {.dtype = Dtype::int64})).item() == 7);
}

TEST_CASE("an int32 index picks what the int64 one does, gradients too") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = tensor({{1, 2}, {3, 4}, {5, 6}}, {.dtype = dtype, .requires_grad = true});
    const Tensor index = tensor({{2, 0}, {2, 1}}, {.dtype = int32});
    const Tensor wide = index.to(int64);
    CHECK(testing::same_bits(gather(x, 0, index), gather(x, 0, wide)));
    CHECK(testing::same_bits(scatter_add(x, 0, index, ones({2, 2}, {.dtype = dtype})),
                             scatter_add(x, 0, wide, ones({2, 2}, {.dtype = dtype}))));
    sum(gather(x, 0, index)).backward();
    CHECK(values(x.grad()) == std::vector<double>{0, 1, 0, 1, 2, 0});
  }
  CHECK(gather(ones({3}), 0, zeros({0}, {.dtype = int32})).shape() == Shape{0});
  CHECK_THROWS_WITH_AS((void)gather(ones({3}), 0, tensor({-1}, {.dtype = int32})),
                       "gather: the index is out of range: -1 at [0], but axis 0 of x has size 3",
                       ValueError);
}

TEST_CASE("gather and scatter_add say what does not fit") {
  const Tensor x = zeros({3, 2});
  const Tensor index = zeros({2, 2}, {.dtype = Dtype::int64});
  const auto at = [](std::int64_t place) { return tensor({{0, 1}, {1, place}}, {.dtype = Dtype::int64}); };
  CHECK_THROWS_WITH_AS((void)gather(x, 0, at(3)),
                       "gather: the index is out of range: 3 at [1, 1], but axis 0 of x has size 3",
                       ValueError);
  CHECK_THROWS_WITH_AS((void)scatter_add(x, 1, at(-1), zeros({2, 2})),
                       "scatter_add: the index is out of range: -1 at [1, 1], but axis 1 of x has size 2",
                       ValueError);
  CHECK_THROWS_WITH_AS((void)gather(x, 0, zeros({2, 2})),
                       "gather: the index must be int64 or int32, got float32; convert with to(int64)",
                       DtypeError);
  CHECK_THROWS_WITH_AS((void)scatter_add(x, 0, zeros({2, 2}, {.dtype = uint8}), zeros({2, 2})),
                       "scatter_add: the index must be int64 or int32, got uint8; convert with to(int64)",
                       DtypeError);
  CHECK_THROWS_WITH_AS((void)gather(x, 0, zeros({2}, {.dtype = Dtype::int64})),
                       "gather: the index must have as many dimensions as x: x is [3, 2], the index is [2]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(
      (void)gather(x, 0, zeros({1, 4}, {.dtype = Dtype::int64})),
      "gather: the index must be no larger than x outside axis 0: x is [3, 2], the index is [1, 4]",
      ShapeError);
  CHECK_THROWS_WITH_AS((void)gather(tensor(1), 0, index),
                       "gather: axis 0 is out of range: a 0-d tensor has no axes", ShapeError);
  CHECK_THROWS_WITH_AS((void)scatter_add(x, 0, index, zeros({1, 2})),
                       "scatter_add: source and index must have one shape: source is [1, 2], index is [2, 2]",
                       ShapeError);
  CHECK_THROWS_WITH_AS((void)scatter_add(x, 0, index, zeros({2, 2}, {.dtype = Dtype::float64})),
                       "scatter_add: dtypes differ: x is float32, source is float64; convert one with to()",
                       DtypeError);
  const Tensor mask = zeros({3, 2}, {.dtype = Dtype::boolean});
  CHECK_THROWS_WITH_AS((void)scatter_add(mask, 0, index, mask),
                       "scatter_add: needs numbers, got bool; convert with to(int64)", DtypeError);
}

TEST_CASE("gather takes rows that name one place each, and others, in one index") {
  constexpr std::int64_t rows = 50;
  for (const std::int64_t columns : {1, 2, 5, 17, 64, 131}) {
    CAPTURE(columns);
    std::vector<double> table(static_cast<std::size_t>(7 * columns));
    for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<double>(i);
    std::vector<std::int64_t> places(static_cast<std::size_t>(rows * columns));
    std::vector<double> want(places.size());
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t j = 0; j < columns; ++j) {
        const auto i = static_cast<std::size_t>(row * columns + j);
        const bool is_odd_one = row % 3 == 1 && j == (row % 2 == 0 ? columns - 1 : columns / 2);
        places[i] = is_odd_one ? (row + 1) % 7 : row % 7;
        want[i] = table[static_cast<std::size_t>(places[i] * columns + j)];
      }
    }
    const Tensor index = from_span(std::span<const std::int64_t>(places), {rows, columns});
    const Tensor x = from_span(std::span<const double>(table), {7, columns});
    for (const Dtype dtype : {float32, float64, int64}) CHECK(values(gather(x.to(dtype), 0, index)) == want);
  }
}

TEST_CASE("an index at the ends of int64 is out of range") {
  using Limits = std::numeric_limits<std::int64_t>;
  for (const std::int64_t place : {Limits::min(), std::int64_t{-1}, std::int64_t{3}, Limits::max()}) {
    CAPTURE(place);
    const Tensor index = tensor({0, 1, 2, 1, 0, 2, place, 1, 0, 1, 2}, {.dtype = int64});
    CHECK_THROWS_AS((void)gather(ones({3}), 0, index), ValueError);
  }
  CHECK_THROWS_AS((void)gather(ones({0}), 0, tensor({0}, {.dtype = int64})), ValueError);
  CHECK(values(gather(ones({3}), 0, tensor({2, 0}, {.dtype = int64}))) == std::vector<double>{1, 1});
}
