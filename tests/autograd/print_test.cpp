#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/tensor.h"

using namespace xtgrad;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

std::vector<std::string> lines_of(const Tensor& x) {
  std::istringstream in(to_string(x));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("a matrix prints as rows of aligned columns, then dtype and shape") {
  CHECK(to_string(tensor({{1, 2.5}, {-10, 0.25}})) ==
        "[[  1.00,   2.50],\n"
        " [-10.00,   0.25]]\n"
        "float32 [2, 2]");
}

TEST_CASE("the stream operator prints the same") {
  std::ostringstream out;
  out << tensor({1, 2}) << '!';
  CHECK(out.str() == "[1., 2.]\nfloat32 [2]!");
}

TEST_CASE("integers, truths and whole numbers of a floating dtype look different") {
  CHECK(to_string(tensor({1, -20}, {.dtype = int64})) == "[  1, -20]\nint64 [2]");
  CHECK(to_string(tensor({1, 0}, {.dtype = boolean})) == "[ true, false]\nbool [2]");
  CHECK(to_string(tensor({1, -20}, {.dtype = float64})) == "[  1., -20.]\nfloat64 [2]");
  CHECK(to_string(tensor({0, 0})) == "[0., 0.]\nfloat32 [2]");
  CHECK(to_string(tensor({-0.0, 0})) == "[-0.,  0.]\nfloat32 [2]");
  CHECK(to_string(tensor({1234567, 1})) == "[1234567.,       1.]\nfloat32 [2]");
}

TEST_CASE("a 0-d tensor prints its number") {
  CHECK(to_string(tensor(3)) == "3.\nfloat32 []");
  CHECK(to_string(tensor(0.6931471805599453, {.dtype = float64})) == "0.6931\nfloat64 []");
  CHECK(to_string(tensor(7, {.dtype = int64})) == "7\nint64 []");
  CHECK(to_string(tensor(true, {.dtype = boolean})) == "true\nbool []");
}

TEST_CASE("an empty tensor prints empty brackets and its shape") {
  CHECK(to_string(zeros({0})) == "[]\nfloat32 [0]");
  CHECK(to_string(zeros({2, 0, 3}, {.dtype = int64})) == "[]\nint64 [2, 0, 3]");
}

TEST_CASE("an empty handle says so") { CHECK(to_string(Tensor()) == "undefined tensor"); }

TEST_CASE("the smallest number shows four digits, and all show as many decimals") {
  CHECK(to_string(tensor({0.123456, 12.3456})) == "[ 0.1235, 12.3456]\nfloat32 [2]");
  CHECK(to_string(tensor({0.5, 0.25})) == "[0.50, 0.25]\nfloat32 [2]");
  CHECK(to_string(tensor({0.1, 1})) == "[0.1, 1.0]\nfloat32 [2]");
  CHECK(to_string(tensor({1234.56, 2345.67})) == "[1234.6, 2345.7]\nfloat32 [2]");
  CHECK(to_string(tensor({0.001234567, 1})) == "[0.001235, 1.000000]\nfloat32 [2]");
  CHECK(to_string(tensor({0.99999, 0.99998})) == "[1.0, 1.0]\nfloat32 [2]");
}

TEST_CASE("numbers far apart, tiny or huge are scientific") {
  CHECK(to_string(tensor({1e10, 2.5e-5, 0})) == "[1.0e+10, 2.5e-05, 0.0e+00]\nfloat32 [3]");
  CHECK(to_string(tensor({1e8, 2e8})) == "[1.e+08, 2.e+08]\nfloat32 [2]");
  CHECK(to_string(tensor({99999999, 1}, {.dtype = float64})) == "[99999999.,        1.]\nfloat64 [2]");
  CHECK(to_string(tensor({0.00001234567})) == "[1.235e-05]\nfloat32 [1]");
  CHECK(to_string(tensor({2345.6, 1.0})) == "[2.346e+03, 1.000e+00]\nfloat32 [2]");
  CHECK(to_string(tensor({1e-300, -1.5e300}, {.dtype = float64})) == "[ 1.0e-300, -1.5e+300]\nfloat64 [2]");
}

TEST_CASE("nan and infinities do not decide the notation of the others") {
  CHECK(to_string(tensor({not_a_number, -not_a_number, infinity, -infinity, 1})) ==
        "[ nan,  nan,  inf, -inf,   1.]\nfloat32 [5]");
  CHECK(to_string(tensor({infinity, 0.5})) == "[inf, 0.5]\nfloat32 [2]");
  CHECK(to_string(tensor(not_a_number)) == "nan\nfloat32 []");
}

TEST_CASE("matrices of a higher rank stand apart by blank lines") {
  CHECK(to_string(arange(8)) == "[0, 1, 2, 3, 4, 5, 6, 7]\nint64 [8]");
  CHECK(to_string(tensor({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}, {.dtype = int64})) ==
        "[[[1, 2],\n"
        "  [3, 4]],\n"
        "\n"
        " [[5, 6],\n"
        "  [7, 8]]]\n"
        "int64 [2, 2, 2]");
  CHECK(to_string(tensor({{{{1}}}, {{{2}}}}, {.dtype = int64})) ==
        "[[[[1]]],\n"
        "\n"
        "\n"
        " [[[2]]]]\n"
        "int64 [2, 1, 1, 1]");
}

TEST_CASE("up to 1000 elements are printed in full, more are elided in the middle") {
  CHECK(to_string(arange(1000)).find("...") == std::string::npos);
  CHECK(to_string(arange(1001)) == "[   0,    1,    2, ...,  998,  999, 1000]\nint64 [1001]");
  const std::vector<std::string> lines = lines_of(full({20, 100}, 0.5));
  REQUIRE(lines.size() == 8);
  CHECK(lines[0] == "[[0.5, 0.5, 0.5, ..., 0.5, 0.5, 0.5],");
  CHECK(lines[1] == " [0.5, 0.5, 0.5, ..., 0.5, 0.5, 0.5],");
  CHECK(lines[3] == " ...,");
  CHECK(lines[6] == " [0.5, 0.5, 0.5, ..., 0.5, 0.5, 0.5]]");
  CHECK(lines[7] == "float32 [20, 100]");
}

TEST_CASE("only long dimensions are elided, and the right elements are left") {
  std::vector<std::int64_t> numbers(6 * 200);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<std::int64_t>(i);
  const std::vector<std::string> lines =
      lines_of(from_span(std::span<const std::int64_t>(numbers), {6, 200}));
  REQUIRE(lines.size() == 7);
  CHECK(lines[0] == "[[   0,    1,    2, ...,  197,  198,  199],");
  CHECK(lines[4] == " [ 800,  801,  802, ...,  997,  998,  999],");
  CHECK(lines[5] == " [1000, 1001, 1002, ..., 1197, 1198, 1199]]");
  const std::vector<std::string> tall = lines_of(from_span(std::span<const std::int64_t>(numbers), {600, 2}));
  REQUIRE(tall.size() == 8);
  CHECK(tall[2] == " [   4,    5],");
  CHECK(tall[3] == " ...,");
  CHECK(tall[4] == " [1194, 1195],");
}

TEST_CASE("a number that is not shown does not decide the notation") {
  std::vector<float> numbers(2000, 1);
  numbers[1000] = 1e-30F;
  CHECK(to_string(from_vector(numbers)) == "[1., 1., 1., ..., 1., 1., 1.]\nfloat32 [2000]");
}

TEST_CASE("long rows wrap within 80 columns, under their first number") {
  const std::vector<std::string> lines = lines_of(arange(60));
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == "[ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,");
  CHECK(lines[1].rfind(" 20, 21,", 0) == 0);
  CHECK(lines[2].rfind(" 40, 41,", 0) == 0);
  for (const Tensor& x : {randn({2, 3, 50}), full({1, 1, 1, 60}, -1e-300, {.dtype = float64})}) {
    const std::vector<std::string> wrapped = lines_of(x);
    CHECK(wrapped.size() > 6);
    for (const std::string& line : wrapped) CHECK(line.size() <= 80);
  }
}

TEST_CASE("name and requires_grad are noted") {
  Tensor x = tensor({1, 2}, {.requires_grad = true});
  CHECK(to_string(x) == "[1., 2.]\nfloat32 [2], requires_grad");
  x.set_name("weight");
  CHECK(to_string(x) == "[1., 2.]\nfloat32 [2], name weight, requires_grad");
  const Tensor y = tensor({1, 2});
  y.set_name("input");
  CHECK(to_string(y) == "[1., 2.]\nfloat32 [2], name input");
}
