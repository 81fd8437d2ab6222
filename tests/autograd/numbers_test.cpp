// Every function that takes a C++ number as an element, with every dtype and with numbers at the edges: one
// rule decides what a dtype holds, and an error names the function that was called.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "tests/autograd/edge_numbers.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/where_safe.h"

using namespace xtgrad;
using edges::edge_numbers;
using edges::exact;
using edges::integers;
using edges::least;
using edges::most;
using edges::Number;
using edges::odd;
using testing::infinity;
using testing::not_a_number;
using testing::Real;
using testing::same_bits;
using testing::values;

namespace {

constexpr Dtype all_dtypes[] = {boolean, uint8, int32, int64, float32, float64};

/// The rule, written again.
bool should_hold(Dtype dtype, Real value) {
  const auto whole_between = [value](Real low, Real high) {
    return value >= low && value <= high && std::floor(value) == value;
  };
  if (dtype == boolean) return value == 0 || value == 1;
  if (dtype == uint8) return whole_between(0, 255);
  if (dtype == int32) return whole_between(-0x1p31L, 0x1p31L - 1);
  if (dtype == int64) return whole_between(-0x1p63L, 0x1p63L - 1);
  return dtype == float64 || !std::isfinite(value) || std::abs(value) < 0x1.ffffffp+127L;
}

/// A function that puts a number into a tensor: the result must hold it, or an error name the function.
struct Entry {
  std::string_view function;
  std::string_view spelling;
  std::function<Tensor(const Tensor& x, Scalar number)> call;
  bool numeric = false;   ///< takes int64, float32 and float64
  bool floating = false;  ///< takes float32 and float64
  bool bound = false;     ///< an infinity may mean that there is no bound, and NaN is refused for itself
};

std::vector<Entry> entries() {
  const auto mask = [](const Tensor& x) { return ones(x.shape(), {.dtype = boolean}); };
  const auto same = [](const Tensor& t) { return t; };
  return {
      {"full", "full", [](auto& x, Scalar n) { return full(x.shape(), n, {.dtype = x.dtype()}); }},
      {"tensor", "braces",
       [](auto& x, Scalar n) {
         return tensor({{n, n}}, {.dtype = x.dtype()});
       }},
      {"tensor", "0-d", [](auto& x, Scalar n) { return tensor(n, {.dtype = x.dtype()}); }},
      {"where", "a", [=](auto& x, Scalar n) { return where(mask(x), n, x); }},
      {"where", "b", [=](auto& x, Scalar n) { return where(mask(x), x, n); }},
      {"where_safe", "other", [=](auto& x, Scalar n) { return where_safe(mask(x), x, same, n); }},
      {"where_safe", "harmless", [=](auto& x, Scalar n) { return where_safe(mask(x), x, same, 0, n); }},
      {"add", "add", [](auto& x, Scalar n) { return add(x, n); }, true},
      {"add", "x + n", [](auto& x, Scalar n) { return x + n; }, true},
      {"add", "n + x", [](auto& x, Scalar n) { return n + x; }, true},
      {"sub", "sub", [](auto& x, Scalar n) { return sub(x, n); }, true},
      {"sub", "x - n", [](auto& x, Scalar n) { return x - n; }, true},
      {"sub", "n - x", [](auto& x, Scalar n) { return n - x; }, true},
      {"mul", "mul", [](auto& x, Scalar n) { return mul(x, n); }, true},
      {"mul", "x * n", [](auto& x, Scalar n) { return x * n; }, true},
      {"mul", "n * x", [](auto& x, Scalar n) { return n * x; }, true},
      {"div", "x / n", [](auto& x, Scalar n) { return x / n; }, false, true},
      {"div", "n / x", [](auto& x, Scalar n) { return n / x; }, false, true},
      {"pow", "pow", [](auto& x, Scalar n) { return pow(x, n); }, false, true},
      {"maximum", "maximum", [](auto& x, Scalar n) { return maximum(x, n); }, true, false, true},
      {"minimum", "minimum", [](auto& x, Scalar n) { return minimum(x, n); }, true, false, true},
      {"clamp", "min", [](auto& x, Scalar n) { return clamp(x, {.min = n}); }, true, false, true},
      {"clamp", "max", [](auto& x, Scalar n) { return clamp(x, {.max = n}); }, true, false, true},
  };
}

bool takes(const Entry& entry, Dtype dtype) {
  if (entry.floating) return is_floating(dtype);
  return !entry.numeric || is_floating(dtype) || dtype == int64;
}

struct Relation {
  std::string_view function;
  std::function<Tensor(const Tensor& x, Scalar number)> call;
  std::function<bool(Real v, Real w)> holds;
};

std::vector<Relation> relations() {
  return {{"equal", [](auto& x, Scalar n) { return x == n; }, [](Real v, Real w) { return v == w; }},
          {"not_equal", [](auto& x, Scalar n) { return x != n; }, [](Real v, Real w) { return v != w; }},
          {"less", [](auto& x, Scalar n) { return x < n; }, [](Real v, Real w) { return v < w; }},
          {"less_equal", [](auto& x, Scalar n) { return x <= n; }, [](Real v, Real w) { return v <= w; }},
          {"greater", [](auto& x, Scalar n) { return x > n; }, [](Real v, Real w) { return v > w; }},
          {"greater_equal", [](auto& x, Scalar n) { return x >= n; }, [](Real v, Real w) { return v >= w; }}};
}

using Exact = std::vector<std::int64_t>;

std::string message_of(const std::function<Tensor()>& call) {
  try {
    static_cast<void>(call());
  } catch (const DtypeError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("numbers: every function holds what the dtype holds, and names itself and both values where not") {
  for (const Entry& entry : entries()) {
    for (const Dtype dtype : all_dtypes) {
      if (!takes(entry, dtype)) continue;
      for (const Number& number : edge_numbers()) {
        if (entry.bound && (std::isnan(number.value) || (std::isinf(number.value) && dtype == int64)))
          continue;
        for (const Shape& shape : {Shape{2}, Shape{}, Shape{0}}) {
          CAPTURE(entry.spelling);
          CAPTURE(dtype);
          CAPTURE(number.scalar);
          CAPTURE(shape);
          const Tensor x = ones(shape, {.dtype = dtype});
          const std::string message = message_of([&] {
            const Tensor y = entry.call(x, number.scalar);
            CHECK(y.dtype() == dtype);
            return y;
          });
          if (should_hold(dtype, number.value)) {
            CHECK(message.empty());
          } else {
            const std::string rule = std::string(entry.function) + ": " + std::string(to_string(dtype)) +
                                     " cannot hold " + to_string(number.scalar);
            CHECK(message.substr(0, rule.size()) == rule);
            CHECK((message.size() == rule.size() || message[rule.size()] == ';'));
          }
        }
      }
    }
  }
}

TEST_CASE("numbers: the advice is a dtype that holds the number") {
  CHECK(message_of([] { return integers({1}) + 0.5; }) ==
        "add: int64 cannot hold 0.5; convert the tensor with to(float32)");
  CHECK(message_of([] { return integers({1}) * 1e300; }) ==
        "mul: int64 cannot hold 1e+300; convert the tensor with to(float64)");
  CHECK(message_of([] { return ones({1}) * 1e300; }) ==
        "mul: float32 cannot hold 1e+300; convert the tensor with to(float64)");
  CHECK(message_of([] { return where(ones({1}, {.dtype = boolean}), 300, ones({1}, {.dtype = uint8})); }) ==
        "where: uint8 cannot hold 300; convert the tensor with to(int64)");
  CHECK(message_of([] { return full({1}, 300, {.dtype = uint8}); }) == "full: uint8 cannot hold 300");
}

TEST_CASE("numbers: infinities and NaN reach floating tensors, whatever the function") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = ones({1}, {.dtype = dtype});
    CHECK((x * infinity).item() == infinity);
    CHECK((x - infinity).item() == -infinity);
    CHECK(std::isnan((x + not_a_number).item()));
    CHECK(std::isnan(full({}, not_a_number, {.dtype = dtype}).item()));
    CHECK(values(x == not_a_number) == std::vector<double>{0});
  }
  CHECK_THROWS_WITH_AS((void)maximum(ones({1}), not_a_number), "maximum: the number must not be NaN",
                       ValueError);
  CHECK_THROWS_WITH_AS((void)minimum(ones({1}), not_a_number), "minimum: the number must not be NaN",
                       ValueError);
}

TEST_CASE("numbers: int64 arithmetic with integers is exact, and wraps around as between tensors") {
  CHECK((zeros({1}, {.dtype = int64}) + 9007199254740993).item_int64() == odd);
  CHECK(exact(odd + integers({0, 1, least})) == Exact{odd, odd + 1, least + odd});
  CHECK(exact(integers({odd, 0}) - odd) == Exact{0, -odd});
  CHECK(exact(odd - integers({1, odd})) == Exact{odd - 1, 0});
  CHECK(exact(integers({odd}) * 3) == Exact{3 * odd});
  CHECK(exact(3 * integers({odd})) == Exact{3 * odd});
  CHECK(exact(integers({7}) + 2.0) == Exact{9});
  for (const std::int64_t n : {most, least, odd, std::int64_t{-1}}) {
    CAPTURE(n);
    const Tensor x = integers({most, least, -1, 0, 3});
    const Tensor same = full({}, n, {.dtype = int64});
    CHECK(same_bits(x + n, x + same));
    CHECK(same_bits(x - n, x - same));
    CHECK(same_bits(n - x, same - x));
    CHECK(same_bits(x * n, x * same));
    CHECK(same_bits(maximum(x, n), maximum(x, same)));
    CHECK(same_bits(minimum(x, n), minimum(x, same)));
    CHECK(same_bits(clamp(x, {.min = n, .max = most}), maximum(x, same)));
    CHECK(same_bits(where(x > 0, x, n), where(x > 0, x, same)));
  }
  CHECK(exact(clamp(integers({odd - 1, odd + 2}), {.min = odd, .max = odd + 1})) == Exact{odd, odd + 1});
  CHECK(exact(clamp(integers({most, least}), {.min = -infinity, .max = infinity})) == Exact{most, least});
  CHECK_THROWS_WITH_AS((void)clamp(integers({1}), {.min = odd, .max = odd - 1}),
                       "clamp: min must not exceed max, got min 9007199254740993 and max 9007199254740992",
                       ValueError);
}

TEST_CASE("numbers: comparisons are exact for bool and integers, and in the dtype for floating tensors") {
  const std::vector<Tensor> tensors = {
      tensor({false, true}, {.dtype = boolean}),
      tensor({0, 1, 2, 255}, {.dtype = uint8}),
      tensor({-0x1p31, -1, 0, 1, 0x1p31 - 1}, {.dtype = int32}),
      integers({least, -1, 0, 1, odd - 1, odd, odd + 1, most}),
      tensor({-infinity, -0.25, 0, 0.5, 3e38, infinity, not_a_number}, {.dtype = float32}),
      tensor({-infinity, -0.25, 0, 0.5, 0x1p53, 1e300, infinity, not_a_number}, {.dtype = float64}),
      zeros({0}, {.dtype = int64}),
      tensor(odd, {.dtype = int64})};
  for (const Relation& relation : relations()) {
    for (const Tensor& x : tensors) {
      for (const Number& number : edge_numbers()) {
        CAPTURE(relation.function);
        CAPTURE(x.dtype());
        CAPTURE(number.scalar);
        if (is_floating(x.dtype()) && !should_hold(x.dtype(), number.value)) {
          const std::string message = message_of([&] { return relation.call(x, number.scalar); });
          CHECK(message == std::string(relation.function) + ": float32 cannot hold " +
                               to_string(number.scalar) + "; convert the tensor with to(float64)");
          continue;
        }
        Real other = number.value;
        if (x.dtype() == float32) other = static_cast<float>(number.scalar.to_double());
        if (x.dtype() == float64) other = number.scalar.to_double();
        const Tensor answer = relation.call(x, number.scalar);
        REQUIRE(answer.dtype() == boolean);
        REQUIRE(answer.shape() == x.shape());
        for (std::int64_t i = 0; i < x.numel(); ++i) {
          const Real element = x.dtype() == int64 ? Real(x.data<std::int64_t>()[static_cast<std::size_t>(i)])
                                                  : Real(values(x)[static_cast<std::size_t>(i)]);
          CHECK((values(answer)[static_cast<std::size_t>(i)] != 0) == relation.holds(element, other));
        }
      }
    }
  }
  CHECK(values(tensor({0.1, 0.2}) == 0.1) == std::vector<double>{1, 0});  // 0.1 as a float32, too
}

TEST_CASE("numbers: full, arange and linspace are exact in int64") {
  CHECK(full({}, odd, {.dtype = int64}).item_int64() == odd);
  CHECK(exact(arange(odd + 2, {.start = odd - 1})) == Exact{odd - 1, odd, odd + 1});
  CHECK(exact(arange(most, {.start = most - 2})) == Exact{most - 2, most - 1});
  CHECK(exact(arange(least, {.start = least + 4, .step = -3})) == Exact{least + 4, least + 1});
  CHECK(exact(arange(most, {.start = least, .step = most})) == Exact{least, -1, most - 1});
  CHECK(exact(arange(1, {.start = -1, .step = least})).empty());
  CHECK(exact(arange(-1, {.start = 0, .step = least})) == Exact{0});
  CHECK(exact(arange(2.5)) == Exact{0, 1, 2});
  CHECK(exact(arange(-1.5, {.start = 1, .step = -1})) == Exact{1, 0, -1});
  CHECK(exact(arange(std::size_t{3})) == Exact{0, 1, 2});
  CHECK(arange(-1e300).numel() == 0);
  CHECK_THROWS_WITH_AS(
      (void)arange(most, {.start = least}),
      "arange: too many numbers from -9223372036854775808 to 9223372036854775807 in steps of 1", ShapeError);
  CHECK_THROWS_WITH_AS((void)arange(300, {.start = 255}, {.dtype = uint8}), "arange: uint8 cannot hold 256",
                       DtypeError);
  // Past int64, in steps of whole doubles.
  CHECK(values(arange(1.2e19, {.start = 9e18, .step = 1e18}, {.dtype = float64})) ==
        std::vector<double>{9e18, 1e19, 1.1e19});
  CHECK(exact(linspace(odd, odd + 4, 3, {.dtype = int64})) == Exact{odd, odd + 2, odd + 4});
  CHECK(exact(linspace(most, most, 1, {.dtype = int64})) == Exact{most});
  CHECK(exact(linspace(odd, odd - 2, 3, {.dtype = int64})) == Exact{odd, odd - 1, odd - 2});
  CHECK(linspace(odd, odd, 0, {.dtype = int64}).numel() == 0);
  CHECK(values(linspace(0, 1, 3, {.dtype = float64})) == std::vector<double>{0, 0.5, 1});
  CHECK(std::signbit(linspace(-1.0, -0.0, 2).at({1})));
}

TEST_CASE("numbers: an integer and the double of its value give the same bits and gradients") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = tensor({-1.5, -0.0, 0.1, 2}, {.dtype = dtype, .requires_grad = true});
    const auto f = [&x](auto n) {
      return where(x > n, x, n) * n + (x - n) / n + (n - x) * (n / (x + 10)) + pow(x, n) + maximum(x, n);
    };
    CHECK(same_bits(f(3), f(3.0)));
    CHECK(same_bits(grad({sum(f(3))}, {x})[0], grad({sum(f(3.0))}, {x})[0]));
    CHECK(std::signbit((x - 0).at({1})));
  }
  // As the double nearest to it: what a float32 made of it directly would be is another number.
  const std::int64_t between = (std::int64_t{1} << 60) + (std::int64_t{1} << 36) + 1;
  CHECK((zeros({}) + between).item() ==
        static_cast<double>(static_cast<float>(static_cast<double>(between))));
  CHECK(full({}, between).item() == (zeros({}) + between).item());
}

namespace {

/// Puts another number into the attribute of that name.
class SetNumber final : public Attributes {
 public:
  SetNumber(std::string_view name, AttributeValue number) : name_(name), number_(std::move(number)) {}

 protected:
  bool visit(std::string_view name, AttributeValue& value, bool) override {
    if (name != name_) return false;
    value = number_;
    return true;
  }

 private:
  std::string_view name_;
  AttributeValue number_;
};

detail::Primitive& primitive_of(const Tensor& y) { return detail::node_of(y).primitive(); }

}  // namespace

TEST_CASE("numbers are attributes: integers with all their digits, and read back as what they were") {
  const Tensor x = ones({2}, {.dtype = float64, .requires_grad = true});
  const Tensor by_integer = x * odd;
  const Tensor by_double = x * 0.1;
  const std::vector<detail::NamedAttribute> integer = detail::attributes_of(primitive_of(by_integer));
  REQUIRE(integer.size() == 1);
  CHECK(integer[0].name == "number");
  CHECK(std::get<std::int64_t>(integer[0].value) == odd);
  CHECK(detail::attribute_text(primitive_of(by_integer)) == "9007199254740993");
  CHECK(std::get<double>(detail::attributes_of(primitive_of(by_double))[0].value) == 0.1);
  CHECK_FALSE(detail::same_primitive(primitive_of(by_integer), primitive_of(by_double)));

  SetNumber set("number", AttributeValue(odd));
  primitive_of(by_double).describe(set);
  CHECK(detail::same_primitive(primitive_of(by_integer), primitive_of(by_double)));
  SetNumber back("number", AttributeValue(0.1));
  primitive_of(by_double).describe(back);
  CHECK(std::get<double>(detail::attributes_of(primitive_of(by_double))[0].value) == 0.1);

  const Tensor clamped = clamp(x, {.min = odd});
  CHECK(detail::attribute_text(primitive_of(clamped)) == "min=9007199254740993, max=inf");
}
