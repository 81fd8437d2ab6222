// Norms that are made of other operations, and those of numbers whose powers leave the range.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/statistics.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/testing.h"

using namespace xtgrad;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

double fold(double p, std::span<const testing::Real> values) {
  testing::Real result = p < 0 ? testing::Real(inf) : testing::Real(0);
  for (const testing::Real v : values) {
    const testing::Real size = std::abs(v);
    result = p == 1 ? result + size : p > 0 ? std::max(result, size) : std::min(result, size);
  }
  return static_cast<double>(result);
}

}  // namespace

TEST_CASE("norms of p = 1, infinity and -infinity pass the checks of an operation") {
  for (const double p : {1.0, inf, -inf}) {
    CAPTURE(p);
    const testing::Operation operation{
        .name = "norm",
        .apply = [=](std::span<const Tensor> in) { return std::vector{norm(in[0], {.p = p, .axes = {-1}})}; },
        .inputs = {tensor({{0.5, -2, 1.25}, {3, 0.75, -1.5}}, {.dtype = float64})},
        .reference =
            [=](std::span<const testing::Values> in) {
              testing::Values out{Shape{2}, {}};
              for (std::size_t row = 0; row < 2; ++row)
                out.data.push_back(fold(p, std::span(in[0].data).subspan(3 * row, 3)));
              return std::vector{out};
            },
        .accuracy = {.ulps = 1},
        .recorded = testing::Recorded::others,
        .takes = [](double v) { return std::abs(v) < 1e30; },
        .other_names = {"sum", "abs", "amax", "amin"},
        .names_empty_handles = false};
    const testing::Report report = testing::check_operation(operation);
    CHECK_MESSAGE(report.ok(), report.text());
  }
}

TEST_CASE("the largest and the smallest size split the gradient among ties") {
  const Tensor x = tensor({-3, 1, 3, -1}, {.dtype = float64, .requires_grad = true});
  const Tensor of_largest = grad({norm(x, {.p = inf})}, {x})[0],
               of_smallest = grad({norm(x, {.p = -inf})}, {x})[0];
  CHECK(std::ranges::equal(of_largest.data<double>(), std::vector{-0.5, 0.0, 0.5, 0.0}));
  CHECK(std::ranges::equal(of_smallest.data<double>(), std::vector{0.0, 0.5, 0.0, -0.5}));
}

TEST_CASE("p = 0 counts what is other than 0, without a gradient") {
  const Tensor x = tensor({{0, 2, -1}, {0, 0, 5}}, {.dtype = float32, .requires_grad = true});
  const Tensor count = norm(x, {.p = 0, .axes = {1}});
  CHECK(count.at({0}) == 2);
  CHECK(count.at({1}) == 1);
  CHECK(count.dtype() == float32);
  CHECK_FALSE(count.requires_grad());
}

TEST_CASE("norms of numbers whose powers are out of the range") {
  for (const double size : {1e30, 1e-30}) {
    CAPTURE(size);
    const Tensor x = full({4, 3}, size, {.dtype = float32, .requires_grad = true});
    const Tensor square = norm(x, {.axes = {0}});
    CHECK(square.at({1}) == doctest::Approx(2 * size).epsilon(1e-6));
    CHECK(norm(x, {.p = 3}).item() == doctest::Approx(std::cbrt(12) * size).epsilon(1e-6));
    CHECK(norm(x, {.p = 0.5, .axes = {1}}).at({0}) == doctest::Approx(9 * size).epsilon(1e-6));
    CHECK(grad({sum(square)}, {x})[0].at({3, 2}) == doctest::Approx(0.5));
  }
}

TEST_CASE("second derivatives of the 2-norm at 0 are 0, as its gradient is") {
  const Tensor x = zeros({3}, {.dtype = float64, .requires_grad = true});
  const Tensor g = grad({norm(x)}, {x}, {.create_graph = true})[0];
  const Tensor second = grad({sum(g * tensor({1, 2, 3}, {.dtype = float64}))}, {x})[0];
  for (const double v : g.data<double>()) CHECK(v == 0);
  for (const double v : second.data<double>()) CHECK(v == 0);
}
