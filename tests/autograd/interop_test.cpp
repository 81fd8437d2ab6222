#include "xtgrad/autograd/interop.h"

#include <doctest/doctest.h>

#if __has_include(<xtensor/containers/xtensor.hpp>)  // 0.26 and later
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/core/xmath.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>
#endif

#include <cstdint>
#include <vector>

using namespace xtgrad;

namespace {

template <class T>
std::vector<T> values(const Tensor& x) {
  const std::span<const T> data = x.data<T>();
  return {data.begin(), data.end()};
}

}  // namespace

TEST_CASE("an xarray becomes a tensor of its shape and element type") {
  const xt::xarray<float> floats{{1, 2, 3}, {4, 5, 6}};
  const Tensor x = from_xarray(floats, {.requires_grad = true});
  CHECK(x.shape() == Shape{2, 3});
  CHECK(x.dtype() == float32);
  CHECK(x.requires_grad());
  CHECK(values<float>(x) == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(from_xarray(xt::xarray<double>{0.1}).dtype() == float64);
  CHECK(from_xarray(xt::xarray<double>{0.1}).item() == 0.1);
  CHECK(values<bool>(from_xarray(xt::xarray<bool>{true, false})) == std::vector<bool>{true, false});
  CHECK(from_xarray(xt::xarray<double>(7.0)).shape() == Shape{});
  CHECK(from_xarray(xt::xarray<double>::from_shape({0, 3})).shape() == Shape{0, 3});
}

TEST_CASE("an integer type is itself where a dtype has it, and else becomes int64 if it fits") {
  CHECK(from_xarray(xt::xarray<std::int64_t>{1, 2}).dtype() == int64);
  CHECK(values<std::int32_t>(from_xarray(xt::xarray<int>{-1, 2})) == std::vector<std::int32_t>{-1, 2});
  CHECK(values<std::uint8_t>(from_xarray(xt::xarray<std::uint8_t>{255})) == std::vector<std::uint8_t>{255});
  CHECK(values<std::int64_t>(from_xarray(xt::xarray<std::int16_t>{-3})) == std::vector<std::int64_t>{-3});
  CHECK(values<std::int64_t>(from_xarray(xt::xarray<std::uint32_t>{4294967295U})) ==
        std::vector<std::int64_t>{4294967295});
  CHECK(values<std::int64_t>(from_xarray(xt::xarray<long long>{-7})) == std::vector<std::int64_t>{-7});
  CHECK(values<std::int64_t>(from_xarray(xt::xarray<int>{-1, 2}, {.dtype = int64})) ==
        std::vector<std::int64_t>{-1, 2});
}

TEST_CASE("an expression is evaluated once") {
  int calls = 0;
  const xt::xarray<double> x{1, 2, 3};
  const auto count = xt::make_lambda_xfunction(
      [&calls](double v) {
        ++calls;
        return 2 * v;
      },
      x);
  CHECK(values<double>(from_xarray(count)) == std::vector<double>{2, 4, 6});
  CHECK(calls == 3);
  CHECK(values<double>(from_xarray(x * x + 1.0)) == std::vector<double>{2, 5, 10});
}

TEST_CASE("column-major arrays, views and fixed ranks keep their elements' places") {
  const xt::xarray<double, xt::layout_type::column_major> columns{{1, 2, 3}, {4, 5, 6}};
  CHECK(values<double>(from_xarray(columns)) == std::vector<double>{1, 2, 3, 4, 5, 6});
  const xt::xtensor<double, 2> matrix{{1, 2, 3}, {4, 5, 6}};
  CHECK(from_xarray(matrix).shape() == Shape{2, 3});
  const Tensor column = from_xarray(xt::view(matrix, xt::all(), 1));
  CHECK(column.shape() == Shape{2});
  CHECK(values<double>(column) == std::vector<double>{2, 5});
  const Tensor turned = from_xarray(xt::transpose(matrix));
  CHECK(turned.shape() == Shape{3, 2});
  CHECK(values<double>(turned) == std::vector<double>{1, 4, 2, 5, 3, 6});
}

TEST_CASE("from_xarray converts to the dtype of the options, with its checks") {
  CHECK(from_xarray(xt::xarray<double>{1.5}, {.dtype = float32}).dtype() == float32);
  CHECK(from_xarray(xt::xarray<int>{3}, {.dtype = float32}).item() == 3);
  CHECK_THROWS_WITH_AS(static_cast<void>(from_xarray(xt::xarray<double>{1.5}, {.dtype = int64})),
                       "from_span: int64 cannot hold 1.5", DtypeError);
  CHECK_THROWS_AS(static_cast<void>(from_xarray(xt::xarray<int>{1}, {.requires_grad = true})), DtypeError);
}

TEST_CASE("more than eight dimensions are an error") {
  const xt::xarray<double> deep = xt::xarray<double>::from_shape(std::vector<std::size_t>(9, 1));
  CHECK_THROWS_WITH_AS(static_cast<void>(from_xarray(deep)),
                       "Shape: at most 8 dimensions: got 9 in [1, 1, 1, 1, 1, 1, 1, 1, 1]", ShapeError);
}

TEST_CASE("a tensor becomes an xarray") {
  const xt::xarray<float> matrix = to_xarray<float>(tensor({{1, 2, 3}, {4, 5, 6}}));
  CHECK(matrix.dimension() == 2);
  CHECK(matrix == xt::xarray<float>{{1, 2, 3}, {4, 5, 6}});
  CHECK(to_xarray<double>(tensor(0.1, {.dtype = float64}))() == 0.1);
  CHECK(to_xarray<double>(tensor(0.1, {.dtype = float64})).dimension() == 0);
  CHECK(to_xarray<std::int64_t>(arange(3)) == xt::xarray<std::int64_t>{0, 1, 2});
  CHECK(to_xarray<std::int32_t>(tensor({-1, 2}, {.dtype = int32})) == xt::xarray<std::int32_t>{-1, 2});
  CHECK(to_xarray<std::uint8_t>(tensor({0, 255}, {.dtype = uint8})) == xt::xarray<std::uint8_t>{0, 255});
  CHECK(to_xarray<bool>(tensor({1, 0}, {.dtype = boolean})) == xt::xarray<bool>{true, false});
  const xt::xarray<float> empty = to_xarray<float>(zeros({0, 3}));
  CHECK(empty.size() == 0);
  CHECK(empty.shape(1) == 3);
}

TEST_CASE("there and back gives the same tensor, also through a size of 1") {
  const Tensor x = tensor({{{1, 2, 3}}, {{4, 5, 6}}});
  const Tensor back = from_xarray(to_xarray<float>(x));
  CHECK(back.shape() == Shape{2, 1, 3});
  CHECK(values<float>(back) == values<float>(x));
}

TEST_CASE("an xarray does not share the tensor's elements") {
  const Tensor x = tensor({1, 2});
  xt::xarray<float> copy = to_xarray<float>(x);
  copy(0) = 100;
  CHECK(x.at({0}) == 1);
}

TEST_CASE("to_xarray wants the tensor's own dtype") {
  CHECK_THROWS_WITH_AS(
      static_cast<void>(to_xarray<double>(tensor({1, 2}))),
      "to_xarray: dtypes differ: T is float64, the tensor is float32; convert it with to(float64)",
      DtypeError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(to_xarray<float>(arange(2))),
      "to_xarray: dtypes differ: T is float32, the tensor is int64; convert it with to(float32)", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(to_xarray<bool>(arange(2))),
                       "to_xarray: dtypes differ: T is bool, the tensor is int64; convert it with to(bool)",
                       DtypeError);
}
