// Distances by other norms, and those of points that are near to each other or far from 0.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/distance.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/testing.h"

using namespace xtgrad;

TEST_CASE("distances of p = 1, 3 and infinity pass the checks of an operation") {
  constexpr double inf = std::numeric_limits<double>::infinity();
  for (const double p : {1.0, 3.0, inf}) {
    CAPTURE(p);
    const testing::Operation operation{
        .name = "cdist",
        .apply = [=](std::span<const Tensor> in) { return std::vector{cdist(in[0], in[1], p)}; },
        .inputs = {tensor({{0.5, -2}, {3, 0.75}}, {.dtype = float64}),
                   tensor({{1.25, 7}, {-4, 3}, {9, -1}}, {.dtype = float64})},
        .reference =
            [=](std::span<const testing::Values> in) {
              testing::Values out{Shape{2, 3}, {}};
              for (std::int64_t i = 0; i < 2; ++i) {
                for (std::int64_t j = 0; j < 3; ++j) {
                  const testing::Real x = std::abs(in[0].at({i, 0}) - in[1].at({j, 0}));
                  const testing::Real y = std::abs(in[0].at({i, 1}) - in[1].at({j, 1}));
                  const auto power = static_cast<testing::Real>(p);
                  out.data.push_back(p == inf ? std::max(x, y)
                                              : std::pow(std::pow(x, power) + std::pow(y, power), 1 / power));
                }
              }
              return std::vector{out};
            },
        .accuracy = {.ulps = 6, .gradient_ulps = 4, .gradient_floor = 1},
        .recorded = testing::Recorded::others,
        .takes = [](double v) { return std::abs(v) == 1000; },
        .other_names = {"sub", "norm"},
        .names_empty_handles = false};
    const testing::Report report = testing::check_operation(operation);
    CHECK_MESSAGE(report.ok(), report.text());
  }
}

TEST_CASE("a small distance of points far from 0 has all its digits") {
  const Tensor a = tensor({{1e4, 1e4}}, {.dtype = float64}),
               b = tensor({{1e4 + 3e-5, 1e4 - 4e-5}}, {.dtype = float64});
  const double x = (1e4 + 3e-5) - 1e4, y = (1e4 - 4e-5) - 1e4;
  CHECK(cdist(a, b).item() == doctest::Approx(std::hypot(x, y)).epsilon(1e-15));
  for (const double size : {1e300, 1e-300, 5e-324}) {
    CAPTURE(size);
    const Tensor far = full({1, 4}, size, {.dtype = float64}), zero = zeros({1, 4}, {.dtype = float64});
    CHECK(cdist(far, zero).item() == 2 * size);
    CHECK(cdist(zero, -far).item() == 2 * size);
  }
}

TEST_CASE("equal points have no share in gradients of any order") {
  const Tensor a = tensor({{1, 2}, {4, 6}}, {.dtype = float64, .requires_grad = true});
  const Tensor g = grad({sum(cdist(a, a))}, {a}, {.create_graph = true})[0];
  CHECK(g.at({0, 0}) == doctest::Approx(-1.2));
  const Tensor second = grad({sum(square(g))}, {a})[0];
  for (const double v : second.data<double>()) CHECK(std::isfinite(v));
}
