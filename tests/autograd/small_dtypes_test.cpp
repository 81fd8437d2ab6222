// uint8 and int32: what they take part in, what refuses them, and conversions with their ranges. The walk
// over the registry (ops/op_walk.h) gives both to every operation.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/npy.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using testing::same_bits;
using testing::values;

namespace {

constexpr Dtype small_dtypes[] = {uint8, int32};
constexpr Dtype all_dtypes[] = {boolean, uint8, int32, int64, float32, float64};

}  // namespace

TEST_CASE("uint8 and int32: every creation function makes them") {
  for (const Dtype dtype : small_dtypes) {
    CAPTURE(dtype);
    CHECK(tensor({{1, 2}, {3, 4}}, {.dtype = dtype}).dtype() == dtype);
    CHECK(values(zeros({2}, {.dtype = dtype})) == std::vector<double>{0, 0});
    CHECK(values(ones({2}, {.dtype = dtype})) == std::vector<double>{1, 1});
    CHECK(values(full({2}, 127, {.dtype = dtype})) == std::vector<double>{127, 127});
    CHECK(values(arange(3, {}, {.dtype = dtype})) == std::vector<double>{0, 1, 2});
    CHECK(values(linspace(0, 4, 3, {.dtype = dtype})) == std::vector<double>{0, 2, 4});
    CHECK(values(eye(2, {}, {.dtype = dtype})) == std::vector<double>{1, 0, 0, 1});
    CHECK(values(one_hot(tensor({1, 0}, {.dtype = int32}), 2, {.dtype = dtype})) ==
          std::vector<double>{0, 1, 1, 0});
    CHECK(ones_like(zeros({0, 3}, {.dtype = dtype})).dtype() == dtype);
    CHECK_THROWS_AS((void)ones({2}, {.dtype = dtype, .requires_grad = true}), DtypeError);
  }
  const std::vector<std::uint8_t> bytes = {0, 255};
  const std::vector<std::int32_t> words = {std::numeric_limits<std::int32_t>::min(), 7};
  CHECK(from_vector(bytes).dtype() == uint8);
  CHECK(values(from_vector(bytes)) == std::vector<double>{0, 255});
  CHECK(from_span(words, {2, 1}).dtype() == int32);
  CHECK(from_vector(words).data<std::int32_t>()[0] == words[0]);
  CHECK(values(from_vector(bytes, {.dtype = float32})) == std::vector<double>{0, 255});
  CHECK(tensor(200, {.dtype = uint8}).item() == 200);
  CHECK(tensor(200, {.dtype = uint8}).item_int64() == 200);
  CHECK(tensor(-3, {.dtype = int32}).item_int64() == -3);
  CHECK_THROWS_WITH_AS((void)ones({}).item_int64(), "item_int64: needs an integer dtype, got float32",
                       DtypeError);
}

TEST_CASE("uint8 and int32: a number out of range is refused, whatever it comes from") {
  CHECK_THROWS_WITH_AS((void)tensor({256}, {.dtype = uint8}), "tensor: uint8 cannot hold 256", DtypeError);
  CHECK_THROWS_WITH_AS((void)full({1}, -1, {.dtype = uint8}), "full: uint8 cannot hold -1", DtypeError);
  CHECK_THROWS_WITH_AS((void)full({1}, 0.5, {.dtype = uint8}), "full: uint8 cannot hold 0.5", DtypeError);
  CHECK_THROWS_WITH_AS((void)full({1}, 0x1p31, {.dtype = int32}), "full: int32 cannot hold 2147483648",
                       DtypeError);
  CHECK(full({1}, -0x1p31, {.dtype = int32}).item() == -0x1p31);
  CHECK_THROWS_AS((void)full({1}, std::nan(""), {.dtype = int32}), DtypeError);
  const std::vector<std::int64_t> large = {std::int64_t{1} << 40};
  CHECK_THROWS_WITH_AS((void)from_vector(large, {.dtype = int32}),
                       "from_vector: int32 cannot hold 1099511627776", DtypeError);
  CHECK_THROWS_WITH_AS((void)from_vector(std::vector<std::int32_t>{-1}, {.dtype = uint8}),
                       "from_vector: uint8 cannot hold -1", DtypeError);
  CHECK_THROWS_WITH_AS((void)from_vector(std::vector<std::uint8_t>{2}, {.dtype = boolean}),
                       "from_vector: bool cannot hold 2", DtypeError);
}

TEST_CASE("to: between all dtypes, values that both hold stay the same") {
  for (const Dtype from : all_dtypes) {
    for (const Dtype to : all_dtypes) {
      CAPTURE(from);
      CAPTURE(to);
      const Tensor x = tensor({0, 1}, {.dtype = from});
      CHECK(x.to(to).dtype() == to);
      CHECK(values(x.to(to)) == std::vector<double>{0, 1});
      CHECK(zeros({0, 2}, {.dtype = from}).to(to).shape() == Shape{0, 2});
      CHECK(ones({}, {.dtype = from}).to(to).item() == 1);
    }
  }
}

TEST_CASE("to an integer dtype: fractions are cut off, and both ends of the range are exact") {
  struct Range {
    Dtype dtype;
    double least;
    double most;  // as doubles hold it: the last below 2^63 for int64
  };
  for (const Range& range :
       {Range{uint8, 0, 255}, Range{int32, -0x1p31, 0x1p31 - 1}, Range{int64, -0x1p63, 0x1p63 - 1024}}) {
    CAPTURE(range.dtype);
    const auto convert = [&](double value, Dtype from = float64) {
      return full({1}, value, {.dtype = from}).to(range.dtype).item();
    };
    CHECK(convert(range.least) == range.least);
    CHECK(convert(range.most) == range.most);
    CHECK(convert(2.9) == 2);
    CHECK(convert(2.9, float32) == 2);
    if (range.dtype != int64) {
      CHECK(convert(range.most + 0.75) == range.most);
      CHECK(convert(range.least - 0.75) == range.least);
      CHECK_THROWS_AS((void)convert(range.least - 1), DtypeError);
    }
    CHECK_THROWS_AS((void)convert(range.most + (range.dtype == int64 ? 1024 : 1)), DtypeError);
    for (const Dtype from : {float32, float64}) {
      for (const double bad : {1e30, -1e30, std::numeric_limits<double>::infinity(), std::nan("")}) {
        CHECK_THROWS_WITH_AS(
            (void)convert(bad, from),
            doctest::Contains(("does not fit " + std::string(to_string(range.dtype))).c_str()), DtypeError);
      }
    }
  }
  CHECK_THROWS_WITH_AS((void)tensor({1, 300.5}).to(uint8), "cast: the value 300.5 does not fit uint8",
                       DtypeError);
}

TEST_CASE("to a narrower integer dtype: a value out of range is named, never wrapped around") {
  const Tensor wide = tensor({1, 300}, {.dtype = int64});
  CHECK_THROWS_WITH_AS((void)wide.to(uint8), "cast: the value 300 does not fit uint8", DtypeError);
  CHECK_THROWS_WITH_AS((void)wide.to(int32).to(uint8), "cast: the value 300 does not fit uint8", DtypeError);
  CHECK_THROWS_WITH_AS((void)tensor({-1}, {.dtype = int32}).to(uint8),
                       "cast: the value -1 does not fit uint8", DtypeError);
  CHECK_THROWS_WITH_AS((void)full({1}, 0x1p31, {.dtype = int64}).to(int32),
                       "cast: the value 2147483648 does not fit int32", DtypeError);
  CHECK(full({1}, -0x1p31, {.dtype = int64}).to(int32).item() == -0x1p31);
  CHECK(tensor({0, 7}, {.dtype = uint8}).to(boolean).at({1}) == 1);
}

TEST_CASE("to an integer dtype cuts the graph, and to itself is no copy") {
  const Tensor x = tensor({1.0, 2.0}, {.requires_grad = true});
  for (const Dtype dtype : small_dtypes) {
    const Tensor y = x.to(dtype);
    CHECK_FALSE(y.requires_grad());
  }
}

TEST_CASE("uint8 and int32 are printed as numbers") {
  CHECK(to_string(tensor({65, 255}, {.dtype = uint8})) == "[ 65, 255]\nuint8 [2]");
  CHECK(to_string(tensor({-5, 70000}, {.dtype = int32})) == "[   -5, 70000]\nint32 [2]");
  CHECK(to_string(tensor(7, {.dtype = uint8})) == "7\nuint8 []");
}

TEST_CASE("uint8 and int32 are compared, with numbers too, and chosen by masks") {
  for (const Dtype dtype : small_dtypes) {
    CAPTURE(dtype);
    const Tensor x = tensor({1, 2, 200}, {.dtype = dtype});
    CHECK(values(x == tensor({1, 3, 200}, {.dtype = dtype})) == std::vector<double>{1, 0, 1});
    CHECK(values(x > 1) == std::vector<double>{0, 1, 1});
    CHECK(values(where(x > 1, x, 9)) == std::vector<double>{9, 2, 200});
    CHECK(where(x > 1, x, 9).dtype() == dtype);
    CHECK_THROWS_AS((void)(x < ones({3})), DtypeError);
  }
  CHECK(values(less(ones({2}, {.dtype = uint8}), 256)) == std::vector<double>{1, 1});
  CHECK(values(ones({2}, {.dtype = int32}) > 0.5) == std::vector<double>{1, 1});
  CHECK_THROWS_WITH_AS((void)where(ones({2}, {.dtype = boolean}), 0.5, ones({2}, {.dtype = int32})),
                       "where: int32 cannot hold 0.5; convert the tensor with to(float32)", DtypeError);
}

TEST_CASE("uint8 and int32 keep arithmetic to those that say what to convert to") {
  for (const Dtype dtype : small_dtypes) {
    CAPTURE(dtype);
    const Tensor x = ones({2, 2}, {.dtype = dtype});
    const std::string got(to_string(dtype));
    CHECK_THROWS_WITH_AS(
        (void)(x + x),
        ("add: needs int64, float32 or float64, got " + got + "; convert with to(int64)").c_str(),
        DtypeError);
    CHECK_THROWS_WITH_AS(
        (void)sum(x),
        ("sum: needs int64, float32 or float64, got " + got + "; convert with to(int64)").c_str(),
        DtypeError);
    CHECK_THROWS_WITH_AS(
        (void)matmul(x, x),
        ("matmul: needs float32 or float64, got " + got + "; convert with to(float32)").c_str(), DtypeError);
  }
}

TEST_CASE("uint8 and int32 are what they were after being saved and loaded") {
  for (const Dtype dtype : small_dtypes) {
    for (const Shape& shape : {Shape{}, Shape{0, 2}, Shape{3, 5}}) {
      const Tensor x = full(shape, 201, {.dtype = dtype});
      CHECK(same_bits(decode_npy(encode_npy(x), "x"), x));
      const Safetensors file{.tensors = {{"a", ones({3}, {.dtype = boolean})},
                                         {"x", x},
                                         {"b", arange(3)},
                                         {"c", ones({3}, {.dtype = uint8})}},
                             .metadata = {}};
      const Safetensors loaded = decode_safetensors(encode_safetensors(file), "f");
      for (std::size_t i = 0; i < 4; ++i) {
        CHECK(same_bits(loaded.tensors.at(i).value, file.tensors[i].value));
      }
    }
  }
}

TEST_CASE("a visit serves what its list has, and throws for the rest and for what is no dtype") {
  const auto size = [](auto zero) { return sizeof(zero); };
  for (const Dtype dtype : all_dtypes) {
    CHECK(detail::visit(dtype, size) == item_size(dtype));
    if (is_floating(dtype)) {
      CHECK(detail::visit_floating(dtype, size) == item_size(dtype));
    } else {
      CHECK_THROWS_WITH_AS(
          (void)detail::visit_floating(dtype, size),
          ("visit: " + std::string(to_string(dtype)) + " is not served here, only float32, float64").c_str(),
          InternalError);
    }
    if (is_integer(dtype)) CHECK(detail::visit_listed<detail::IntegerTypes>(dtype, size) == item_size(dtype));
  }
  CHECK_THROWS_AS((void)detail::visit_numeric(uint8, size), InternalError);
  CHECK_THROWS_AS((void)detail::visit(static_cast<Dtype>(99), size), InternalError);
  CHECK_THROWS_AS((void)detail::visit_floating(static_cast<Dtype>(99), size), InternalError);
}
