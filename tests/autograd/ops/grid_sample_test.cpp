// Images at points where the walk over the registry is too small: many channels and points, sums of many
// terms, places that are no numbers.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/image_sampling.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"

namespace xtgrad::inline v1::testing { namespace {

Tensor draws(const Shape& shape) { return randn(shape).to(float64); }

/// Bilinear interpolation with zeros outside, one point of one channel.
double value_at(const Tensor& x, std::int64_t n, std::int64_t c, double column, double row) {
  double sum = 0;
  const auto top = static_cast<std::int64_t>(std::floor(row)),
             left = static_cast<std::int64_t>(std::floor(column));
  for (std::int64_t i = top; i <= top + 1; ++i) {
    for (std::int64_t j = left; j <= left + 1; ++j) {
      if (i < 0 || j < 0 || i >= x.size(2) || j >= x.size(3)) continue;
      const double weight =
          (1 - std::abs(row - static_cast<double>(i))) * (1 - std::abs(column - static_cast<double>(j)));
      sum += weight * x.at({n, c, i, j});
    }
  }
  return sum;
}

TEST_CASE("grid_sample of many points and channels is its definition, and its gradients are its adjoints") {
  manual_seed(1);
  const Tensor x = draws({2, 21, 13, 17}).set_requires_grad();
  const Tensor grid = uniform({2, 31, 19, 2}, {.low = -1.2, .high = 1.2}).to(float64).set_requires_grad();
  const Tensor y = grid_sample(x, grid);
  REQUIRE(y.shape() == Shape{2, 21, 31, 19});
  double worst = 0;
  for (const std::int64_t n : {0, 1}) {
    for (std::int64_t c = 0; c < 21; ++c) {
      for (std::int64_t i = 0; i < 31; ++i) {
        for (std::int64_t j = 0; j < 19; ++j) {
          const double column = ((grid.at({n, i, j, 0}) + 1) * 17 - 1) / 2,
                       row = ((grid.at({n, i, j, 1}) + 1) * 13 - 1) / 2;
          worst = std::max(worst, std::abs(y.at({n, c, i, j}) - value_at(x, n, c, column, row)));
        }
      }
    }
  }
  CHECK(worst < 1e-13);
  const Tensor g = draws(y.shape()), u = draws(x.shape());
  const auto gradients = grad(std::vector{sum(y * g)}, std::vector{x, grid});
  // <g, Au> = <A'g, u>
  CHECK(sum(grid_sample(u, grid.detach()) * g).item() == doctest::Approx(sum(gradients[0] * u).item()));
  // The derivative along a direction of the grid, by a small step.
  const Tensor v = draws(grid.shape());
  const double h = 1e-7;
  const Tensor moved = grid_sample(x.detach(), grid.detach() + v * h),
               back = grid_sample(x.detach(), grid.detach() - v * h);
  const double numerical = sum((moved - back) * g).item() / (2 * h);
  CHECK(sum(gradients[1] * v).item() == doctest::Approx(numerical).epsilon(1e-4));
}

TEST_CASE("long sums: the gradient of a pixel that many points name") {
  constexpr std::int64_t count = 1 << 16;
  for (const Dtype dtype : {float32, float64}) {
    const double rounding = dtype == float32 ? 0x1p-24 : 0x1p-53, large = 1 / rounding;
    std::vector<double> terms(count, 1.0);
    terms.front() = large;
    terms.back() = -large;
    const Tensor g = reshape(from_vector(terms, {.dtype = dtype}), {1, 1, 1, count});
    const Tensor x = ones({1, 1, 1, 1}, {.dtype = dtype, .requires_grad = true});
    const Tensor y = grid_sample(x, zeros({1, 1, count, 2}, {.dtype = dtype}));
    const double error = grad(std::vector{sum(y * g)}, std::vector{x})[0].item() - (count - 2);
    CHECK(std::abs(error) <= 20 * rounding * (2 * large + count));
    // The sum over channels that a weight gets.
    const Tensor channels = reshape(from_vector(terms, {.dtype = dtype}), {1, count, 1, 1});
    const Tensor image = concat({zeros_like(channels), channels}, 3);  // [1, count, 1, 2]
    const Tensor place = zeros({1, 1, 1, 2}, {.dtype = dtype, .requires_grad = true});
    const Tensor slope = grad(std::vector{sum(grid_sample(image, place))}, std::vector{place})[0];
    CHECK(std::abs(slope.at({0, 0, 0, 0}) - (count - 2)) <= 20 * rounding * (2 * large + count));
  }
}

TEST_CASE("grid_sample at places that are no numbers, or far away") {
  const Tensor x = reshape(tensor({1, 2, 3, 4}), {1, 1, 2, 2});
  const auto at = [&](double place, const GridSampleOptions& options) {
    return grid_sample(x, reshape(tensor({place, 0.0}), {1, 1, 1, 2}), options).item();
  };
  CHECK(std::isnan(at(not_a_number, {})));
  CHECK(std::isnan(at(infinity, {})));
  CHECK(at(not_a_number, {.mode = Interpolation::nearest}) == 0);
  CHECK(at(infinity, {.padding = GridPadding::border}) == 3);
  CHECK(at(-infinity, {.padding = GridPadding::border}) == 2);
  for (const auto mode : {Interpolation::bilinear, Interpolation::nearest, Interpolation::bicubic})
    CHECK(at(1e30, {.mode = mode}) == 0);
  CHECK(at(1e30, {.padding = GridPadding::border}) == 3);
}

}}  // namespace xtgrad::testing
