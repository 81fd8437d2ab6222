// Sums whose additions all round the same way: a few ones, then terms that are half of their last place, or
// whose sums of 2, 4, 8 are, and so round off to nothing wherever they are added to a one. Of n terms at most
// 4 + log2(n) roundings of the sum of magnitudes may be lost, whatever n is.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batch_norm.h"

namespace xtgrad::inline v1::testing { namespace {

double rounding_of(Dtype dtype) { return dtype == float32 ? 0x1p-24 : 0x1p-53; }

/// n terms: as many ones as `large` says, and then `small`.
struct Terms {
  std::int64_t n;
  std::int64_t large;
  double small;

  [[nodiscard]] std::vector<double> values() const {
    std::vector<double> all(static_cast<std::size_t>(n), small);
    std::fill_n(all.begin(), large, 1.0);
    return all;
  }
  /// What is off in a sum, in roundings of the sum itself. Sum and ones are near to each other, so the
  /// difference is exact, and the rest has few digits.
  [[nodiscard]] double roundings(double sum, Dtype dtype) const {
    const double rest = static_cast<double>(n - large) * small;
    const double error = std::abs((sum - static_cast<double>(large)) - rest);
    return error / (rounding_of(dtype) * (static_cast<double>(large) + rest));
  }
};

/// f(terms, dtype) for terms of many kinds.
void for_all_terms(std::int64_t n, const std::function<void(const Terms&, Dtype)>& f) {
  for (const Dtype dtype : {float32, float64}) {
    for (std::int64_t large = 1; large <= n / 2; large *= 2) {
      for (const double part : {1, 2, 4, 8, 32}) f({n, large, rounding_of(dtype) / part}, dtype);
    }
  }
}

double bound(std::int64_t n) { return 4 + std::log2(n); }

/// The largest error of sum(terms, dtype), which gives all results that should be the terms' sum.
double worst(std::int64_t n, const std::function<Tensor(const Tensor&)>& sum) {
  double most = 0;
  for_all_terms(n, [&](const Terms& terms, Dtype dtype) {
    const Tensor sums = sum(from_vector(terms.values(), {.dtype = dtype})).to(float64);
    const Tensor flat = reshape(sums, {-1});
    for (std::int64_t i = 0; i < flat.numel(); ++i)
      most = std::max(most, terms.roundings(flat.at({i}), dtype));
  });
  return most;
}

constexpr std::int64_t lengths[] = {9,   15,  31,  33,  64,   100,  127,  128,  144,  200,
                                    256, 300, 511, 512, 1000, 1024, 1025, 2000, 4096, 5000};

/// `x` [n] in each of `columns` columns.
Tensor columns_of(const Tensor& x, std::int64_t columns) {
  return broadcast_to(reshape(x, {x.numel(), 1}), {x.numel(), columns}) * 1;
}

TEST_CASE("sums that round one way: sum along every axis") {
  for (const std::int64_t n : lengths) {
    CAPTURE(n);
    CHECK(worst(n, [](const Tensor& x) { return sum(x); }) <= bound(n));
    CHECK(worst(n, [](const Tensor& x) { return mean(x) * static_cast<double>(x.numel()); }) <= bound(n) + 2);
    for (const std::int64_t columns : {2, 3, 5, 7, 16, 32, 33, 100}) {
      CAPTURE(columns);
      CHECK(worst(n, [=](const Tensor& x) { return sum(columns_of(x, columns), {.axes = {0}}); }) <=
            bound(n));
    }
    // Two rows behind each other, and two matrices.
    CHECK(worst(n, [](const Tensor& x) { return sum(stack({x, x}), {.axes = {1}}); }) <= bound(n));
    CHECK(worst(n, [](const Tensor& x) {
            const Tensor matrix = columns_of(x, 3);
            return sum(stack({matrix, matrix}), {.axes = {1}});
          }) <= bound(n));
  }
}

TEST_CASE("sums that round one way: convolution's weights") {
  struct Images {
    std::int64_t n, height, width;
  };
  constexpr Images all[] = {{1, 1, 9},    {1, 3, 3},     {1, 8, 8},    {1, 1, 512}, {2, 16, 16},
                            {1, 32, 32},  {5, 20, 20},   {64, 7, 7},   {300, 1, 1}, {9, 5, 1},
                            {30, 13, 13}, {1, 100, 100}, {2048, 2, 1}, {40, 28, 28}};
  for (const Images& images : all) {
    const std::int64_t n = images.n * images.height * images.width;
    CAPTURE(images.n);
    CAPTURE(images.height);
    CAPTURE(images.width);
    const Shape shape{images.n, 1, images.height, images.width};
    for (const std::int64_t channels : {1, 8}) {  // by dot products, and by outer ones
      CAPTURE(channels);
      const Shape out{images.n, channels, images.height, images.width};
      CHECK(worst(n, [=](const Tensor& x) {
              return conv2d_weight_grad(reshape(x, shape), ones(out, {.dtype = x.dtype()}), 1);
            }) <= bound(n));
      // The cotangent decides; the kernel has the image's width where that is one column.
      CHECK(worst(n, [=](const Tensor& g) {
              const Tensor image =
                  ones({images.n, 2, images.height + 2, images.width + 15}, {.dtype = g.dtype()});
              return conv2d_weight_grad(image, broadcast_to(reshape(g, shape), out) * 1, {3, 16});
            }) <= bound(n));
    }
  }
}

TEST_CASE("sums that round one way: a channel's moments and gradients") {
  for (const std::int64_t n : lengths) {
    CAPTURE(n);
    const auto bias = [](const Shape& shape) {
      return [=](const Tensor& x) {
        const Tensor one = ones({1}, {.dtype = x.dtype()});
        const Tensor b = zeros({1}, {.dtype = x.dtype(), .requires_grad = true});
        const Tensor g = reshape(x, shape);
        return grad(std::vector{sum(batch_norm(g, one, b) * g)}, std::vector{b})[0];
      };
    };
    CHECK(worst(n, bias({n, 1})) <= bound(n));
    CHECK(worst(n, bias({1, 1, n})) <= bound(n));
    if (n % 8 == 0) {
      CHECK(worst(n, bias({8, 1, n / 8})) <= bound(n));
      CHECK(worst(n, bias({n / 8, 1, 8})) <= bound(n));
    }
  }
}

}}  // namespace xtgrad::v1::testing
