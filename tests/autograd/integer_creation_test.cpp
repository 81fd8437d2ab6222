// Integers at the ends of their dtypes.
#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;
using xtgrad::testing::message_of;

namespace {

template <class T>
std::vector<T> values(const Tensor& x) {
  const std::span<const T> data = x.data<T>();
  return {data.begin(), data.end()};
}

}  // namespace

TEST_CASE("integers are exact up to the ends of their dtypes, in every function that makes them") {
  using Int64 = std::numeric_limits<std::int64_t>;
  using Int32 = std::numeric_limits<std::int32_t>;
  constexpr std::int64_t low = Int64::min(), high = Int64::max();
  using Values = std::vector<std::int64_t>;
  const TensorOptions wide{.dtype = int64};

  CHECK(values<std::int64_t>(linspace(low, high, 2, wide)) == Values{low, high});
  CHECK(values<std::int64_t>(linspace(high, low, 2, wide)) == Values{high, low});
  CHECK(values<std::int64_t>(linspace(low, high, 1, wide)) == Values{low});
  constexpr std::int64_t third = 6148914691236517205;  // of 2^64 - 1
  CHECK(values<std::int64_t>(linspace(low, high, 4, wide)) == Values{low, low + third, high - third, high});
  CHECK(values<std::int64_t>(linspace(high, low, 4, wide)) == Values{high, high - third, low + third, low});
  CHECK(values<std::int64_t>(linspace(high - 2, high, 3, wide)) == Values{high - 2, high - 1, high});
  CHECK(values<std::int64_t>(linspace(-0x1p63, low + 2, 3, wide)) == Values{low, low + 1, low + 2});
  CHECK(values<double>(linspace(low, high, 2, {.dtype = float64})) == std::vector<double>{-0x1p63, 0x1p63});
  CHECK(values<float>(linspace(low, high, 2)) == std::vector<float>{-0x1p63F, 0x1p63F});
  CHECK(values<std::uint8_t>(linspace(255, 0, 256, {.dtype = uint8}))[254] == 1);
  CHECK(values<std::int32_t>(linspace(Int32::min(), Int32::max(), 2, {.dtype = int32})) ==
        std::vector<std::int32_t>{Int32::min(), Int32::max()});

  CHECK(values<std::int64_t>(arange(high, {.start = low, .step = high}, wide)) == Values{low, -1, high - 1});
  CHECK(values<std::int64_t>(arange(low, {.start = high, .step = low}, wide)) == Values{high, -1});
  CHECK(values<std::int64_t>(arange(low, {.start = low + 2, .step = -1}, wide)) == Values{low + 2, low + 1});
  // The stop is no int64, the numbers are.
  CHECK(values<std::int64_t>(arange(0x1p63, {.start = high - 2}, wide)) == Values{high - 2, high - 1, high});
  CHECK(values<std::int64_t>(arange(1.5e19, {.start = high - 2, .step = high}, wide)) == Values{high - 2});
  CHECK(values<std::int64_t>(arange(-1.5e19, {.start = low + 1, .step = low}, wide)) == Values{low + 1});
  CHECK(arange(-0x1p64, {.start = low}, wide).numel() == 0);
  CHECK(arange(256, {}, {.dtype = uint8}).at({255}) == 255);
  CHECK(values<std::int32_t>(arange(std::int64_t{Int32::max()} + 1, {.start = Int32::max()},
                                    {.dtype = int32})) == std::vector<std::int32_t>{Int32::max()});

  for (const std::int64_t end : {low, high}) {
    CHECK(full({}, end, wide).item_int64() == end);
    CHECK(tensor({end}, wide).at_int64({0}) == end);
    CHECK(from_vector(std::vector<std::int64_t>{end}).at_int64({0}) == end);
  }
  for (const std::int32_t end : {Int32::min(), Int32::max()}) {
    CHECK(full({}, end, {.dtype = int32}).item_int64() == end);
    CHECK(from_vector(std::vector<std::int64_t>{end}, {.dtype = int32}).at_int64({0}) == end);
  }
  for (const int end : {0, 255}) CHECK(full({}, end, {.dtype = uint8}).item_int64() == end);
}

TEST_CASE("an element beyond an integer dtype, or between its numbers, is an error and never a neighbour") {
  constexpr std::int64_t low = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t high = std::numeric_limits<std::int64_t>::max();
  const auto refusal = [](auto make) { return message_of<DtypeError>([&] { static_cast<void>(make()); }); };
  const TensorOptions wide{.dtype = int64};
  CHECK(refusal([&] { return linspace(low, high, 3, wide); }) == "linspace: int64 cannot hold -0.5");
  // 2^61 + 0.5, which a double rounds to an integer.
  CHECK(refusal([&] { return linspace(0, (std::int64_t{1} << 62) + 1, 3, wide); }) ==
        "linspace: int64 cannot hold 2305843009213693952 + 0.5");
  CHECK(refusal([&] { return linspace(0, -(std::int64_t{1} << 62) - 1, 3, wide); }) ==
        "linspace: int64 cannot hold -2305843009213693952 - 0.5");
  CHECK(refusal([&] { return linspace(0, 0x1p63, 2, wide); }) ==
        "linspace: int64 cannot hold 9.223372036854776e+18");
  CHECK(refusal([] { return linspace(0, 256, 2, {.dtype = uint8}); }) == "linspace: uint8 cannot hold 256");
  CHECK(refusal([] { return linspace(-1, 1, 3, {.dtype = uint8}); }) == "linspace: uint8 cannot hold -1");
  CHECK(refusal([&] { return arange(0x1p63 + 4096, {.start = high - 1}, wide); }) ==
        "arange: int64 cannot hold 9223372036854775808");
  // A double takes each of these for the least int64.
  CHECK(refusal([&] { return arange(-0x1p63 - 4096, {.start = low + 1, .step = -2}, wide); }) ==
        "arange: int64 cannot hold -9223372036854775809");
  CHECK(refusal([] { return arange(257, {}, {.dtype = uint8}); }) == "arange: uint8 cannot hold 256");
  CHECK(refusal([] { return arange(-2, {.step = -1}, {.dtype = uint8}); }) == "arange: uint8 cannot hold -1");
  CHECK(refusal([] { return arange(0x1p31 + 1, {.start = 0x1p31}, {.dtype = int32}); }) ==
        "arange: int32 cannot hold 2147483648");
  CHECK(refusal([] { return full({}, 256, {.dtype = uint8}); }) == "full: uint8 cannot hold 256");
  CHECK(refusal([] { return full({}, -1, {.dtype = uint8}); }) == "full: uint8 cannot hold -1");
  CHECK(refusal([] { return full({}, 0x1p31, {.dtype = int32}); }) == "full: int32 cannot hold 2147483648");
  CHECK(refusal([] { return full({}, -0x1p31 - 1, {.dtype = int32}); }) ==
        "full: int32 cannot hold -2147483649");
  CHECK(refusal([&] { return full({}, std::uint64_t{1} << 63, wide); }) ==
        "full: int64 cannot hold 9.223372036854776e+18");
  CHECK(message_of<ShapeError>([&] { static_cast<void>(arange(high, {.start = low}, wide)); }) ==
        "arange: too many numbers from -9223372036854775808 to 9223372036854775807 in steps of 1");
  for (const std::int64_t label : {low, high}) {
    CHECK_THROWS_AS(static_cast<void>(one_hot(tensor({label}, wide), 3)), ValueError);
  }
}
