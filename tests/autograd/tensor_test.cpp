#include "xtgrad/autograd/tensor.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "tests/autograd/edge_numbers.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

TEST_CASE("an empty handle is told apart and refused everywhere else") {
  const Tensor none;
  CHECK_FALSE(none.defined());
  CHECK_THROWS_WITH_AS(static_cast<void>(none.shape()), doctest::Contains("the handle is empty"), ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(none.item()), doctest::Contains("the handle is empty"), ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(none + none), doctest::Contains("the handle is empty"), ValueError);
  Tensor x = ones({2});
  const Tensor moved = std::move(x);
  CHECK(moved.defined());
  CHECK_FALSE(x.defined());  // NOLINT(bugprone-use-after-move): that is the question
}

TEST_CASE("shape, rank, sizes and dtype") {
  const Tensor x = zeros({2, 3, 0}, {.dtype = float64});
  CHECK(x.rank() == 3);
  CHECK(x.size(0) == 2);
  CHECK(x.size(-2) == 3);
  CHECK(x.numel() == 0);
  CHECK(x.dtype() == float64);
  CHECK(tensor(5).rank() == 0);
  CHECK(tensor(5).numel() == 1);
  CHECK_THROWS_WITH_AS(static_cast<void>(x.size(3)), doctest::Contains("size: "), ShapeError);
}

TEST_CASE("elements by index, negative ones from the end") {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
  CHECK(x.at({1, 2}) == 6);
  CHECK(x.at({-1, -3}) == 4);
  CHECK(tensor(7).at({}) == 7);
  CHECK_THROWS_WITH_AS(static_cast<void>(x.at({2, 0})),
                       doctest::Contains("at: index 2 is out of range for dimension 0 of [2, 3]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(x.at({1})),
                       doctest::Contains("at: got 1 indices for the shape [2, 3]"), ShapeError);
}

TEST_CASE("item is for one element, whatever the rank") {
  CHECK(tensor({{{2.5}}}).item() == 2.5);
  const std::int64_t large = (std::int64_t{1} << 60) + 1;  // a double would round it
  CHECK(from_vector(std::vector<std::int64_t>{large}).item_int64() == large);
  CHECK_THROWS_WITH_AS(static_cast<void>(ones({2}).item()),
                       doctest::Contains("item: needs a tensor of one element, this one is [2]"), ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(ones({1}).item_int64()),
                       doctest::Contains("item_int64: needs an integer dtype, got float32"), DtypeError);
}

TEST_CASE("data is the elements in row-major order, of exactly the tensor's type") {
  const Tensor x = tensor({{1, 2}, {3, 4}}, {.dtype = float64});
  const std::span<const double> values = x.data<double>();
  CHECK(values.size() == 4);
  CHECK(values[2] == 3);
  CHECK(zeros({0, 5}).data<float>().empty());
  CHECK_THROWS_WITH_AS(static_cast<void>(x.data<float>()),
                       doctest::Contains("data: asked for float32, the tensor is float64"), DtypeError);
}

TEST_CASE("to converts values between all dtypes") {
  const Tensor x = tensor({0.0, -1.7, 2.9}, {.dtype = float64});
  CHECK(x.to(float32).at({1}) == static_cast<double>(-1.7F));
  CHECK(x.to(int64).at({1}) == -1);
  CHECK(x.to(int64).at({2}) == 2);
  CHECK(x.to(boolean).at({0}) == 0);
  CHECK(x.to(boolean).at({2}) == 1);
  CHECK(x.to(boolean).to(float32).at({2}) == 1);
  for (const double bad : {1e300, -0x1p63 * 2, std::numeric_limits<double>::infinity(), std::nan("")}) {
    CHECK_THROWS_WITH_AS(static_cast<void>(full({1}, bad, {.dtype = float64}).to(int64)),
                         doctest::Contains("does not fit int64"), DtypeError);
  }
}

TEST_CASE("to is differentiable between floating dtypes and cuts the graph elsewhere") {
  Tensor x = tensor({1.0, 2.0}, {.dtype = float64, .requires_grad = true});
  sum(square(x.to(float32))).backward();
  CHECK(x.grad().dtype() == float64);
  CHECK(x.grad().at({1}) == 4);
  CHECK_FALSE(x.to(int64).requires_grad());
}

TEST_CASE("detach shares the elements and has no history") {
  Tensor x = ones({3}, {.requires_grad = true});
  const Tensor y = x * 2.0;
  const Tensor z = y.detach();
  CHECK(z.is_leaf());
  CHECK_FALSE(z.requires_grad());
  CHECK(z.data<float>().data() == y.data<float>().data());
  CHECK_FALSE(y.is_leaf());
}

TEST_CASE("set_requires_grad goes both ways, and names stay") {
  Tensor x = ones({3});
  CHECK(x.name().empty());
  x.set_name("x");
  x.set_requires_grad();
  CHECK((x * 2.0).requires_grad());
  x.set_requires_grad(false);
  CHECK_FALSE((x * 2.0).requires_grad());
  CHECK(x.name() == "x");
}

TEST_CASE("item_int64 and at_int64 read exactly what item and at round") {
  using edges::odd;
  const Tensor x = edges::integers({odd, -odd});
  CHECK(x.at_int64({0}) == odd);
  CHECK(x.at_int64({-1}) == -odd);
  CHECK(x.at({0}) == 0x1p53);
  CHECK(tensor(odd, {.dtype = int64}).at_int64({}) == odd);
  CHECK(tensor({200}, {.dtype = uint8}).at_int64({0}) == 200);
  CHECK_THROWS_WITH_AS((void)ones({1}).at_int64({0}), "at_int64: needs an integer dtype, got float32",
                       DtypeError);
  CHECK_THROWS_WITH_AS((void)x.at_int64({2}), "at_int64: index 2 is out of range for dimension 0 of [2]",
                       ShapeError);
}
