#include "xtgrad/autograd/from_values.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "tests/autograd/edge_numbers.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;
using edges::exact;
using edges::least;
using edges::most;
using edges::odd;
using testing::values;

namespace {

using Exact = std::vector<std::int64_t>;

enum Animal { cat, dog };

}  // namespace

TEST_CASE("braces take numbers of any types side by side") {
  const std::vector<float> v(3);
  const int n = 4;
  CHECK(values(tensor({v.size(), n})) == std::vector<double>{3, 4});
  CHECK(values(tensor({{v.size(), 0.5, n}, {true, 2.0F, 'a'}})) == std::vector<double>{3, 0.5, 4, 1, 2, 97});
  CHECK(values(tensor({1.5L, std::uint8_t{7}, std::int64_t{-2}, 3U, dog})) ==
        std::vector<double>{1.5, 7, -2, 3, 1});
  CHECK(tensor(v.size()).item() == 3);
  CHECK(exact(tensor({odd, most, least}, {.dtype = int64})) == Exact{odd, most, least});
  CHECK(tensor(odd, {.dtype = float64}).item() == 0x1p53);
  CHECK_THROWS_WITH_AS((void)tensor({std::numeric_limits<std::uint64_t>::max()}, {.dtype = int64}),
                       "tensor: int64 cannot hold 1.8446744073709552e+19", DtypeError);
  CHECK(tensor({v.size(), n}).dtype() == float32);  // the default dtype, whatever was written
}

TEST_CASE("from_vector and from_span take every element type") {
  const auto check = [](const Tensor& x, Dtype dtype) {
    CHECK(x.dtype() == dtype);
    CHECK(values(x) == std::vector<double>{1, 0});
  };
  check(from_vector(std::vector<bool>{true, false}), boolean);
  check(from_vector(std::vector<std::int8_t>{1, 0}), int64);
  check(from_vector(std::vector<short>{1, 0}), int64);
  check(from_vector(std::vector<int>{1, 0}), int32);
  check(from_vector(std::vector<unsigned>{1, 0}), int64);
  check(from_vector(std::vector<std::size_t>{1, 0}), int64);
  check(from_vector(std::vector<long long>{1, 0}), int64);
  check(from_vector(std::vector<Animal>{dog, cat}), int64);
  check(from_vector(std::vector<long double>{1, 0}), float64);
  check(from_vector(std::vector<std::size_t>{1, 0}, {.dtype = float32}), float32);
  std::vector<unsigned> words{1, 0};
  check(from_span(std::span(words), {2}), int64);
  check(from_span(std::span<const unsigned>(words), {2}, {.dtype = uint8}), uint8);
  CHECK(from_vector(std::vector<std::size_t>{}).shape() == Shape{0});
  CHECK(from_vector(std::vector<unsigned long long>{std::uint64_t{most}}).item_int64() == most);
  CHECK_THROWS_WITH_AS((void)from_vector(std::vector<std::uint64_t>{std::uint64_t{1} << 63}),
                       "from_vector: int64 cannot hold 9.223372036854776e+18", DtypeError);
  CHECK_THROWS_WITH_AS((void)from_span(std::span<const unsigned>(words), {3}),
                       "from_span: sizes disagree: 2 values, shape [3] has 3", ShapeError);
}
