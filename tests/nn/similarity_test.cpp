// Lengths and cosines of vectors whose squares or products are out of the dtype's range: results that are in
// it are right, and so are their derivatives.
#include "xtgrad/nn/similarity.h"

#include <doctest/doctest.h>

#include <cfenv>
#include <cmath>
#include <limits>

#include "tests/nn/loss_reference.h"
#include "xtgrad/nn/margin_losses.h"

using namespace xtgrad;
using namespace nn_test;

namespace {

const Numbers rows_a{0.5, -1, 2, 0.25, 1, -0.75};
const Numbers rows_b{1, 0.5, -2, 0.5, 2, -1.25};

Tensor scaled_rows(const Numbers& numbers, double scale, Dtype dtype) {
  Numbers scaled = numbers;
  for (double& x : scaled) x *= scale;
  return shaped(scaled, {2, 3}, dtype).set_requires_grad();
}

/// A function of rows, its gradient in the first of them, and that of the gradient's sum with these weights.
struct Orders {
  Numbers value, first, second;
};
template <class F>
Orders orders_of(const F& f, const Tensor& a, const Tensor& b) {
  const Tensor y = f(a, b);
  const Tensor plain = grad(sum(y), a, {.keep_graph = true});
  const Tensor first = grad(sum(y), a, {.create_graph = true});
  check_numbers(elements(plain), elements(first), a.dtype() == float32 ? 2e-6 : 1e-14, 0);
  const Tensor weights = shaped({1, -2, 0.5, 3, 0.25, 1}, {2, 3}, a.dtype());
  const Tensor second = grad(sum(first * weights), a);
  return {elements(y), elements(first), elements(second)};
}

void check_scaled(const Numbers& got, const Numbers& at_one, double factor, double tolerance) {
  Numbers want = at_one;
  for (double& x : want) x *= factor;
  check_numbers(got, want, tolerance, 0);
}

struct Scale {
  Dtype dtype;
  double scale;
};
// Of the largest second derivatives are subnormal, and not looked at.
const Scale scales[] = {{float32, 0x1p+66},  {float32, 0x1p+120}, {float32, 0x1p-83},  {float32, 0x1p-120},
                        {float64, 0x1p+600}, {float64, 0x1p-600}, {float64, 0x1p+1000}};

}  // namespace

TEST_CASE("the distance of far and of near vectors has its digits, and so have its derivatives") {
  for (const double p : {1.5, 2.0, 3.0, 9.0}) {
    const auto distance = [p](const Tensor& a, const Tensor& b) {
      return nn::pairwise_distance(a, b, {.p = p, .eps = 0});
    };
    for (const auto& [dtype, scale] : scales) {
      CAPTURE(p);
      CAPTURE(dtype);
      CAPTURE(scale);
      const double tolerance = dtype == float32 ? 4e-6 : 2e-14;
      const Orders at_one = orders_of(distance, scaled_rows(rows_a, 1, dtype), scaled_rows(rows_b, 1, dtype));
      const Orders got =
          orders_of(distance, scaled_rows(rows_a, scale, dtype), scaled_rows(rows_b, scale, dtype));
      check_scaled(got.value, at_one.value, scale, tolerance);
      check_scaled(got.first, at_one.first, 1, tolerance);
      if (scale < 0x1p+100 || dtype == float64) check_scaled(got.second, at_one.second, 1 / scale, tolerance);
    }
  }
}

TEST_CASE("a float's length is no longer than what a float holds, though the sum of its squares is") {
  const Tensor x = tensor({{3e38, 0, 0}, {2e38, 2e38, 1e38}, {1e-45, 0, 0}}).set_requires_grad();
  const Tensor y = nn::pairwise_distance(x, zeros_like(x), {.eps = 0});
  check_numbers(elements(y), {3e38, 3e38, 1.401298464324817e-45}, 1e-6, 0);
  check_numbers(elements(grad(sum(y), x)), {1, 0, 0, 2.0 / 3, 2.0 / 3, 1.0 / 3, 1, 0, 0}, 1e-6, 0);
}

TEST_CASE("the cosine of long and of short vectors has its digits, and so have its derivatives") {
  const auto cosine = [](const Tensor& a, const Tensor& b) {
    return nn::cosine_similarity(a, b, {.axis = -1, .eps = 1e-308});
  };
  for (const auto& [dtype, scale] : scales) {
    const Orders at_one = orders_of(cosine, scaled_rows(rows_a, 1, dtype), scaled_rows(rows_b, 1, dtype));
    for (const double other : {1.0, scale, 1 / scale}) {
      CAPTURE(dtype);
      CAPTURE(scale);
      CAPTURE(other);
      const double tolerance = dtype == float32 ? 4e-6 : 4e-15;
      const Orders got =
          orders_of(cosine, scaled_rows(rows_a, scale, dtype), scaled_rows(rows_b, other, dtype));
      check_scaled(got.value, at_one.value, 1, tolerance);
      check_scaled(got.first, at_one.first, 1 / scale, tolerance);
      const double second = 1 / scale / scale;
      const bool in_range = dtype == float32 ? second > 0x1p-100 && second < 0x1p+100
                                             : second > 0x1p-1000 && std::isfinite(second);
      if (in_range) check_scaled(got.second, at_one.second, second, tolerance);
    }
  }
}

TEST_CASE("the cosine along any axis is that along the last one") {
  const Tensor a =
      shaped({0.5, -1, 2, 0.25, 1, -0.75, 1.5, 2, -0.5, 3, 1, -2}, {2, 3, 2}).set_requires_grad();
  const Tensor b = shaped({1, 0.5, -2, 0.5, 2, -1.25, 1, 1, 0.5, -3, 2, 1}, {2, 3, 2}).set_requires_grad();
  for (const std::int64_t axis : {0, 1, 2}) {
    CAPTURE(axis);
    const auto across = [axis](const Tensor& x, const Tensor& y) {
      return nn::cosine_similarity(x, y, {.axis = axis});
    };
    const auto along_last = [axis](const Tensor& x, const Tensor& y) {
      return sum(transpose(x, axis, -1) * transpose(y, axis, -1), {.axes = {-1}, .keepdim = true}) /
             sqrt(sum(square(transpose(x, axis, -1)), {.axes = {-1}, .keepdim = true})) /
             sqrt(sum(square(transpose(y, axis, -1)), {.axes = {-1}, .keepdim = true}));
    };
    check_numbers(elements(across(a, b)), elements(transpose(along_last(a, b), axis, -1)), 1e-14);
    check_smooth([&](auto x) { return across(x[0], x[1]); }, {a, b});
  }
}

TEST_CASE("an eps that float32 cannot hold still divides") {
  const Tensor zero = zeros({2}).set_requires_grad(), b = tensor({1, 0}).set_requires_grad();
  const Tensor c = nn::cosine_similarity(zero, b, {.axis = 0, .eps = 1e-50});
  CHECK(c.item() == 0);
  for (const bool create_graph : {false, true}) {
    const std::vector<Tensor> slopes = grad(c, {zero, b}, {.keep_graph = true, .create_graph = create_graph});
    CHECK(elements(slopes[0]) == Numbers{std::numeric_limits<double>::infinity(), 0});  // b / |b| / eps
    CHECK(elements(slopes[1]) == Numbers{0, 0});
  }
}

TEST_CASE("mixed second derivatives of a norm agree beside an element that is 0") {
  for (const double p : {1.5, 2.0, 3.0}) {
    CAPTURE(p);
    const Tensor a = tensor(0.0).set_requires_grad(), b = tensor(2.0).set_requires_grad();
    const Tensor y = nn::pairwise_distance(stack({a, b}), zeros({2}), {.p = p, .eps = 0});
    const auto mixed = [&](const Tensor& first, const Tensor& second) {
      return grad(grad(y, first, {.create_graph = true}), second, {.keep_graph = true}).item();
    };
    CHECK(mixed(a, b) == 0);
    CHECK(mixed(b, a) == 0);
  }
}

TEST_CASE("lengths and cosines of infinities, NaN and nothing") {
  constexpr double inf = std::numeric_limits<double>::infinity();
  constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(dtype);
    const auto vector = [dtype](const Numbers& numbers) {
      return shaped(numbers, {1, static_cast<std::int64_t>(numbers.size())}, dtype).set_requires_grad();
    };
    const Tensor zero = vector({0, 0});
    CHECK(std::isnan(nn::cosine_similarity(vector({not_a_number, 1}), zero).item()));
    CHECK(std::isnan(nn::cosine_similarity(vector({inf, 1}), zero).item()));
    CHECK(nn::cosine_similarity(vector({1e-30, 1}), zero).item() == 0);

    std::feclearexcept(FE_INVALID);
    const Tensor far = vector({inf, 1});
    CHECK(nn::pairwise_distance(far, zero).item() == inf);
    CHECK(std::fetestexcept(FE_INVALID) == 0);
    const Tensor none = shaped({}, {3, 0}, dtype);
    for (const double p : {1.0, 2.0, 3.0}) {
      for (const double length : elements(nn::pairwise_distance(none, none, {.p = p}))) {
        CHECK(length == 0);
        CHECK_FALSE(std::signbit(length));
      }
    }
  }
}

namespace {

/// The gradient of the lengths' weighted sum, recorded or not, and of its weighted sum.
void check_slopes_at_infinities(double p, Dtype dtype) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const Tensor x =
      shaped({inf, 1, -2, 3, -inf, inf, 0, -inf, 7, 1, -2, 2}, {4, 3}, dtype).set_requires_grad();
  const Tensor w = shaped({3, 0, -2, 1}, {4}, dtype).set_requires_grad();
  const Tensor length = nn::pairwise_distance(x, zeros_like(x), {.p = p, .eps = 0});
  const double two = p == inf ? 0.5 : std::pow(2.0, 1 / p - 1);  // each of two equal numbers
  const bool all = p == 1;
  // A row that is finite, (1, -2, 2), is what it was.
  const Tensor near = shaped({1, -2, 2}, {1, 3}, dtype).set_requires_grad();
  const Tensor near_length = nn::pairwise_distance(near, zeros_like(near), {.p = p, .eps = 0});
  const Numbers last = elements(grad(near_length, near));
  const Numbers signs{1,  all ? 1.0 : 0, all ? -1.0 : 0, all ? 1.0 : 0, -two,   two, 0,
                      -1, all ? 1.0 : 0, last[0],        last[1],       last[2]};
  const Numbers of_rows{3, 0, -2, 1};
  Numbers want = signs;
  for (std::size_t i = 0; i < want.size(); ++i) want[i] *= of_rows[i / 3];
  const double tolerance = dtype == float32 ? 2e-7 : 1e-15;
  for (const bool create_graph : {false, true}) {
    CAPTURE(create_graph);
    const Tensor slope =
        grad(length, x, {.cotangents = {w}, .keep_graph = true, .create_graph = create_graph});
    check_numbers(elements(slope), want, tolerance, 1);
    if (!create_graph) continue;
    const Tensor v = shaped({1, 2, -1, 0.5, 1, 3, 1, 1, -1, 1, 1, 1}, {4, 3}, dtype);
    const std::vector<Tensor> second = grad(sum(slope * v), {x, w}, {.materialize_grads = true});
    const Numbers bends = elements(second[0]);
    CHECK(Numbers(bends.begin(), bends.begin() + 9) == Numbers(9, 0));
    for (const double bend : bends) CHECK(std::isfinite(bend));
    Numbers sums(4, 0);
    const Numbers of_v = elements(v);
    for (std::size_t i = 0; i < 12; ++i) sums[i / 3] += of_v[i] * signs[i];
    check_numbers(elements(second[1]), sums, 4 * tolerance, 1);
  }
}

}  // namespace

TEST_CASE("at infinite differences the distance has the slope of as many equal ones, and no bend") {
  for (const double p : {1.0, 1.5, 2.0, 3.0, std::numeric_limits<double>::infinity()}) {
    CAPTURE(p);
    for (const Dtype dtype : {float32, float64}) check_slopes_at_infinities(p, dtype);
  }
  constexpr double inf = std::numeric_limits<double>::infinity();
  const Tensor x = tensor({{inf, std::numeric_limits<double>::quiet_NaN()}}).set_requires_grad();
  for (const double of_x : elements(grad(nn::pairwise_distance(x, zeros_like(x)), x)))
    CHECK(std::isnan(of_x));
}
