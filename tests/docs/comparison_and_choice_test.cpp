// The code of docs/operations/comparison_and_choice.md.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/functions/logic.h"
#include "xtgrad/autograd/where_safe.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using testing::message_of;
using testing::values;

using Numbers = std::vector<double>;

TEST_CASE("docs/operations/comparison_and_choice.md: comparisons and masks") {
  Tensor x = tensor({-2, 0.5, 3}), y = tensor({0, 0.5, 1});
  Tensor larger = x > y;                                    // {false, false, true}
  Tensor inside = (x > -1) & (x < 1) & isfinite(x);         // {false, true, false}
  Tensor share = mean(inside.to(float32));                  // 1/3
  Tensor either = logical_xor(x, tensor({0.0, 0.0, 2.0}));  // {true, true, false}
  Tensor bits = left_shift(arange(3), arange(3));           // {0, 2, 8}
  CHECK(values(larger) == Numbers{0, 0, 1});
  CHECK(values(inside) == Numbers{0, 1, 0});
  CHECK(share.item() == doctest::Approx(1.0 / 3));
  CHECK(values(either) == Numbers{1, 1, 0});
  CHECK(values(bits) == Numbers{0, 2, 8});
}

TEST_CASE(
    "docs/operations/comparison_and_choice.md: a choice, and one whose other branch has no derivative") {
  Tensor x = tensor({-1, 0, 4}, {.dtype = float64, .requires_grad = true});
  Tensor plain = where(x > 0, sqrt(x), 0);  // {0, 0, 2}, with a gradient of NaN
  Tensor safe = where_safe(
      x > 0, x, [](const Tensor& t) { return sqrt(t); }, 0);
  Tensor slope = grad(sum(safe), x);  // {0, 0, 0.25}
  CHECK(values(plain) == Numbers{0, 0, 2});
  CHECK(std::isnan(values(grad(sum(plain), x))[1]));
  CHECK(values(safe) == Numbers{0, 0, 2});
  CHECK(values(slope) == Numbers{0, 0, 0.25});
}

TEST_CASE("docs/operations/comparison_and_choice.md: other dtypes") {
  Tensor x = tensor({1.5, -2}, {.dtype = float32, .requires_grad = true});
  Tensor wide = x.to(float64);   // recorded
  Tensor whole = x.to(int64);    // {1, -2}, a constant
  Tensor truth = x.to(boolean);  // {true, true}
  CHECK(grad(sum(wide * wide), x).dtype() == float32);
  CHECK(values(whole) == Numbers{1, -2});
  CHECK_FALSE(whole.requires_grad());
  CHECK(values(truth) == Numbers{1, 1});
}

TEST_CASE("docs/operations/comparison_and_choice.md: errors") {
  const Tensor x = tensor({1, 2}, {.dtype = float32}), wide = tensor({1, 2}, {.dtype = float64});
  const Tensor whole = tensor({1, -1}, {.dtype = int64});
  CHECK(message_of<DtypeError>([&] { return x < wide; }) ==
        "less: dtypes differ: a is float32, b is float64; convert one with to()");
  CHECK(message_of<ShapeError>([&] { return x < ones({3}); }) ==
        "less: shapes do not broadcast: a is [2], b is [3]");
  CHECK(message_of<DtypeError>([&] { return where(x, x, x); }) ==
        "where: the mask must be bool, got float32; compare it first");
  CHECK(message_of<DtypeError>([&] { return x & x; }) ==
        "bitwise_and: needs bool or integers, got float32; compare first, or convert with to(int64)");
  CHECK(message_of<ValueError>([&] { return left_shift(whole, whole); }) ==
        "left_shift: count must not be negative, got -1 at element 1 of [2]");
  CHECK(message_of<DtypeError>([&] { return log(tensor({0}, {.dtype = float32})).to(int64); }) ==
        "cast: the value -inf does not fit int64");
}
