#include "xtgrad/autograd/dtype.h"

#include <doctest/doctest.h>

#include <thread>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;

TEST_CASE("a dtype has a name, and the name gives it back") {
  CHECK(to_string(boolean) == "bool");
  CHECK(to_string(uint8) == "uint8");
  CHECK(to_string(int32) == "int32");
  CHECK(to_string(int64) == "int64");
  CHECK(to_string(float32) == "float32");
  CHECK(to_string(float64) == "float64");
  for (const Dtype dtype : {boolean, uint8, int32, int64, float32, float64})
    CHECK(parse_dtype(to_string(dtype)) == dtype);
}

TEST_CASE("an unknown dtype is an error that lists the known ones") {
  CHECK_THROWS_WITH_AS(
      static_cast<void>(parse_dtype("float16")),
      "parse_dtype: unknown dtype \"float16\": known are bool, uint8, int32, int64, float32, float64",
      DtypeError);
  CHECK_THROWS_AS(static_cast<void>(parse_dtype("")), DtypeError);
  CHECK_THROWS_AS(static_cast<void>(parse_dtype("Float32")), DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(to_string(static_cast<Dtype>(9))),
                       "to_string: no dtype has the number 9", InternalError);
}

TEST_CASE("item_size is the size of the C++ type") {
  CHECK(item_size(boolean) == sizeof(bool));
  CHECK(item_size(uint8) == sizeof(std::uint8_t));
  CHECK(item_size(int32) == sizeof(std::int32_t));
  CHECK(item_size(int64) == sizeof(std::int64_t));
  CHECK(item_size(float32) == sizeof(float));
  CHECK(item_size(float64) == sizeof(double));
}

TEST_CASE("only float32 and float64 are floating") {
  CHECK(is_floating(float32));
  CHECK(is_floating(float64));
  CHECK_FALSE(is_floating(int64));
  CHECK_FALSE(is_floating(int32));
  CHECK_FALSE(is_floating(uint8));
  CHECK_FALSE(is_floating(boolean));
}

TEST_CASE("only uint8, int32 and int64 are integers") {
  for (const Dtype dtype : {uint8, int32, int64}) CHECK(is_integer(dtype));
  for (const Dtype dtype : {boolean, float32, float64}) CHECK_FALSE(is_integer(dtype));
}

TEST_CASE("DefaultDtype sets the default of its scope and thread alone") {
  CHECK(default_dtype() == float32);
  {
    const DefaultDtype in_double(float64);
    CHECK(default_dtype() == float64);
    CHECK(tensor({1, 2}).dtype() == float64);
    {
      const DefaultDtype in_float(float32);
      CHECK(zeros({2}).dtype() == float32);
    }
    CHECK(default_dtype() == float64);
    Dtype elsewhere = float64;
    std::thread([&] { elsewhere = default_dtype(); }).join();
    CHECK(elsewhere == float32);
  }
  CHECK(default_dtype() == float32);
}

TEST_CASE("DefaultDtype refuses a dtype without derivatives and leaves the default alone") {
  CHECK_THROWS_WITH_AS(DefaultDtype{int64}, "DefaultDtype: the default must be float32 or float64: got int64",
                       DtypeError);
  CHECK_THROWS_WITH_AS(DefaultDtype{boolean},
                       "DefaultDtype: the default must be float32 or float64: got bool", DtypeError);
  CHECK(default_dtype() == float32);
}
