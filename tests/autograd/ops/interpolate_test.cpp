// Resampling where the walk over the registry is too small: several tiles, sums of many terms, and what stays
// bit by bit.
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

/// What resample does, as a product with a matrix that it makes of the identity.
Tensor by_matrix(const Tensor& x, std::int64_t axis, std::int64_t size, Interpolation mode) {
  const Tensor weights =
      resample(eye(x.size(axis), {}, {.dtype = x.dtype()}), {.axis = 0, .size = size, .mode = mode});
  return matmul(weights, reshape(movedim(x, {axis}, {0}), {x.size(axis), -1}));
}

TEST_CASE("resampling of many rows is a product with its matrix, along every axis") {
  manual_seed(1);
  const Tensor x = draws({9, 90, 71});
  for (const auto mode :
       {Interpolation::nearest, Interpolation::linear, Interpolation::cubic, Interpolation::area}) {
    for (const std::int64_t axis : {0, 1, 2}) {
      for (const std::int64_t size : {7, 131}) {
        const Tensor y = resample(x, {.axis = axis, .size = size, .mode = mode});
        const Tensor rows = reshape(movedim(y, {axis}, {0}), {size, -1});
        CHECK(amax(abs(rows - by_matrix(x, axis, size, mode))).item() < 1e-13);
        const Tensor g = draws(y.shape());
        const Tensor input = x.detach().set_requires_grad();
        const Tensor gradient =
            grad(std::vector{sum(resample(input, {.axis = axis, .size = size, .mode = mode}) * g)},
                 std::vector{input})[0];
        CHECK(sum(gradient * x).item() == doctest::Approx(sum(y * g).item()));
      }
    }
  }
}

TEST_CASE("long sums: means of many elements, and gradients of elements at many places") {
  constexpr std::int64_t count = 1 << 16;
  for (const Dtype dtype : {float32, float64}) {
    const double rounding = dtype == float32 ? 0x1p-24 : 0x1p-53, large = 1 / rounding;
    std::vector<double> terms(count, 1.0);
    terms.front() = large;
    terms.back() = -large;
    const double allowed = 20 * rounding * (2 * large + count);
    for (const bool side_by_side : {false, true}) {
      const Tensor column = reshape(from_vector(terms, {.dtype = dtype}), {count, 1});
      const Tensor x = side_by_side ? concat({column, column}, 1) : column;
      const Tensor mean = resample(x, {.axis = 0, .size = 1, .mode = Interpolation::area});
      CHECK(std::abs(mean.at({0, 0}) * count - (count - 2)) <= allowed);
      const Tensor one = ones({1, x.size(1)}, {.dtype = dtype, .requires_grad = true});
      const Tensor gradient =
          grad(std::vector{sum(resample(one, {.axis = 0, .size = count}) * x)}, std::vector{one})[0];
      CHECK(std::abs(gradient.at({0, 0}) - (count - 2)) <= allowed);
    }
  }
}

TEST_CASE("an element at a place is that element, bit by bit") {
  manual_seed(2);
  const Tensor x = randn({3, 11});
  const Tensor finer = resample(x, {.size = 51, .align_corners = true});  // every fifth
  CHECK(same_bits(slice(finer, {.axis = 1, .step = 5}), x));
  const Tensor smooth = resample(x, {.size = 51, .mode = Interpolation::cubic, .align_corners = true});
  CHECK(same_bits(slice(smooth, {.axis = 1, .step = 5}), x));
  for (const auto mode : {Interpolation::nearest, Interpolation::nearest_exact, Interpolation::linear,
                          Interpolation::cubic, Interpolation::area}) {
    CHECK(same_bits(resample(x, {.size = 11, .mode = mode}), x));
    CHECK(same_bits(resample(x, {.scale = 1, .mode = mode}), x));
  }
  CHECK(same_bits(resample(x, {.scale = 1.05}), x));
  // Of whole numbers: three times as many are each element three times, where 1/3 in float32 is not exact.
  const Tensor ramp = arange(1000, {}, {.dtype = float32});
  CHECK(
      same_bits(resample(ramp, {.size = 3000, .mode = Interpolation::nearest}), repeat_interleave(ramp, 3)));
}

}}  // namespace xtgrad::testing
