#include "xtgrad/autograd/scalar.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "tests/autograd/edge_numbers.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;
using edges::edge_numbers;
using edges::least;
using edges::most;
using edges::Number;
using edges::odd;
using testing::infinity;

namespace {

enum Animal { cat, dog };

template <class From>
constexpr bool converts = std::is_convertible_v<From, Scalar>;

static_assert(sizeof(Scalar) == 16 && std::is_trivially_copyable_v<Scalar>);
static_assert(converts<bool> && converts<char> && converts<signed char> && converts<unsigned char> &&
              converts<short> && converts<unsigned short> && converts<int> && converts<unsigned> &&
              converts<long> && converts<unsigned long> && converts<long long> &&
              converts<unsigned long long> && converts<float> && converts<double> && converts<long double> &&
              converts<char16_t> && converts<wchar_t> && converts<Animal>);
static_assert(!converts<int*> && !converts<const char*> && !converts<std::nullptr_t> &&
              !converts<std::string> && !converts<Tensor> && !converts<Dtype> && !converts<Shape>);
static_assert(!std::is_convertible_v<Scalar, double> && !std::is_convertible_v<double, Tensor>);
static_assert(Scalar(3).is_integer() && !Scalar(3.0).is_integer() && Scalar(3) == Scalar(3.0));
static_assert(Scalar(0).is_integer() && !Scalar(0.0).is_integer() && !Scalar(-0.0).is_integer());

}  // namespace

TEST_CASE("Scalar: integers stay integers, from 2^63 on they are doubles, and so are floating types") {
  CHECK(Scalar(odd).is_integer());
  CHECK(Scalar(odd).to_int64() == odd);
  CHECK(Scalar(odd).to_double() == 0x1p53);
  CHECK(Scalar(least).to_int64() == least);
  CHECK(Scalar(true).to_int64() == 1);
  CHECK(Scalar('a').to_int64() == 'a');
  CHECK(Scalar(dog).to_int64() == 1);
  CHECK(Scalar(std::uint64_t{most}).to_int64() == most);
  CHECK_FALSE(Scalar(std::uint64_t{1} << 63).is_integer());
  CHECK(Scalar(std::uint64_t{1} << 63).to_double() == 0x1p63);
  CHECK(Scalar(std::numeric_limits<std::uint64_t>::max()).to_double() == 0x1p64);
  CHECK(Scalar(0.1F).to_double() == double{0.1F});
  CHECK(Scalar(0.1L).to_double() == 0.1);
  CHECK(Scalar(std::numeric_limits<long double>::max()).to_double() == infinity);
  CHECK(std::signbit(Scalar(-0.0).to_double()));
  CHECK(Scalar(3.0).to_int64() == 3);
  CHECK_THROWS_WITH_AS((void)Scalar(0.5).to_int64(), "to_int64: int64 cannot hold 0.5", DtypeError);
  CHECK_THROWS_WITH_AS((void)Scalar(0x1p63).to_int64(), "to_int64: int64 cannot hold 9.223372036854776e+18",
                       DtypeError);
  for (const Number& number : edge_numbers()) {
    CAPTURE(number.scalar);
    CHECK(Scalar(number.scalar.to_double()).is_integer() == false);
  }
}

TEST_CASE("Scalar: values compare exactly, across both kinds") {
  const std::vector<Number> numbers = edge_numbers();
  for (const Number& a : numbers) {
    for (const Number& b : numbers) {
      CAPTURE(a.scalar);
      CAPTURE(b.scalar);
      CHECK((a.scalar == b.scalar) == (a.value == b.value));
      CHECK((a.scalar < b.scalar) == (a.value < b.value));
      CHECK((a.scalar >= b.scalar) == (a.value >= b.value));
    }
  }
}

TEST_CASE("Scalar: text has all digits") {
  CHECK(to_string(Scalar(odd)) == "9007199254740993");
  CHECK(to_string(Scalar(0.1)) == "0.1");
  CHECK(to_string(Scalar(2.0)) == "2");
  std::ostringstream out;
  out << Scalar(least);
  CHECK(out.str() == "-9223372036854775808");
}
