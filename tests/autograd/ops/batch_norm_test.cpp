// What the samples of batch_norm do not say: channels far from zero, special values, the statistics that a
// layer needs, what is kept, and independence of the number of threads.
#include "xtgrad/autograd/ops/batch_norm.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/memory/pool.h"

namespace xtgrad::inline v1::testing { namespace {

using detail::batch_norm_with_moments;

/// Mean and biased variance of one channel of x [n, c, inner].
struct Moments {
  Moments(const Tensor& x, std::int64_t channel) {
    const std::int64_t n = x.shape()[0], c = x.shape()[1], inner = x.shape()[2];
    const auto sum_of = [&](const auto& f) {
      long double sum = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < inner; ++j) sum += f(static_cast<long double>(x.at({i, channel, j})));
      }
      return sum / static_cast<long double>(n * inner);
    };
    (void)c;
    mean = sum_of([](long double v) { return v; });
    variance = sum_of([&](long double v) { return (v - mean) * (v - mean); });
  }
  long double mean = 0;
  long double variance = 0;
};

TEST_CASE("a mean far from zero costs no digits") {
  Random random(1);
  // Rows that are summed one by one, and short ones that are taken as columns.
  for (const Shape& shape : {Shape{40, 3, 50}, Shape{700, 3, 1}, Shape{300, 3, 5}}) {
    for (const double offset : {0.0, 1e2, 1e4}) {
      CAPTURE(to_string(shape));
      CAPTURE(offset);
      const Tensor x = randn(shape, random) + offset;
      const auto [y, mean, variance] = batch_norm_with_moments(x, ones({3}), zeros({3}));
      const auto count = static_cast<long double>(shape[0] * shape[2]);
      for (std::int64_t c = 0; c < 3; ++c) {
        const Moments want(x, c);
        CHECK(std::abs(mean.at({c}) - want.mean) <= 0x1p-24 * std::abs(want.mean));
        CHECK(std::abs(variance.at({c}) - want.variance * count / (count - 1)) <= 0x1.1p-24 * want.variance);
        double worst = 0;
        for (std::int64_t i = 0; i < shape[0]; ++i) {
          for (std::int64_t j = 0; j < shape[2]; ++j) {
            const long double z = (x.at({i, c, j}) - want.mean) / std::sqrt(want.variance + 1e-5L);
            worst = std::max(
                worst, static_cast<double>(std::abs(y.at({i, c, j}) - z) / std::max(1e-3L, std::abs(z))));
          }
        }
        CHECK(worst <= 0x1.1p-24);  // correctly rounded, but for the error of the reference's rounding
      }
    }
  }
}

TEST_CASE("a constant channel becomes the bias, and its gradient is finite") {
  for (const std::int64_t inner : {1, 20}) {
    Tensor x = full({4, 2, inner}, 3).set_requires_grad();
    const Tensor y = batch_norm(x, tensor({5, 7}), tensor({-1, 2}));
    for (std::int64_t i = 0; i < 4; ++i) {
      CHECK(y.at({i, 0, 0}) == -1);
      CHECK(y.at({i, 1, inner - 1}) == 2);
    }
    Random random(2);
    const Tensor dx = grad({y}, {x}, {.cotangents = {randn(y.shape(), random)}})[0];
    for (const float v : dx.data<float>()) CHECK(std::isfinite(v));
  }
}

TEST_CASE("an infinite element spoils its own channel and no other") {
  for (const std::int64_t inner : {1, 20}) {
    for (const double bad : {HUGE_VAL, std::nan("")}) {
      Random random(3);
      std::vector<float> values(static_cast<std::size_t>(6 * inner), 1);
      for (float& v : values) v = static_cast<float>(random.next_normal());
      values[0] = static_cast<float>(bad);
      const Tensor y =
          batch_norm(from_span(std::span<const float>(values), {3, 2, inner}), ones({2}), ones({2}));
      for (std::int64_t i = 0; i < 3; ++i) {
        CHECK(std::isnan(y.at({i, 0, 0})));
        CHECK(std::isfinite(y.at({i, 1, 0})));
      }
    }
  }
}

TEST_CASE("float32's largest numbers do not overflow the statistics") {
  const Tensor x = reshape(tensor({3e38, -3e38, 3e38, -3e38}), {4, 1});
  const Tensor y = batch_norm(x, ones({1}), zeros({1}));
  CHECK(y.at({0, 0}) == 1);
  CHECK(y.at({1, 0}) == -1);
}

TEST_CASE("x's gradient is orthogonal to constants and to the normalised x") {
  Random random(4);
  Tensor x = randn({6, 3, 4, 5}, random, {.dtype = float64, .requires_grad = true});
  const Tensor z = batch_norm(x, ones({3}, {.dtype = float64}), zeros({3}, {.dtype = float64}), {.eps = 0});
  const Tensor g = randn(x.shape(), random, {.dtype = float64});
  const Tensor dx = grad({z}, {x}, {.cotangents = {g}, .keep_graph = true})[0];
  const ReduceOptions channel{.axes = {0, 2, 3}};
  CHECK(amax(abs(sum(dx, channel))).item() < 1e-13);
  CHECK(amax(abs(sum(dx * z, channel))).item() < 1e-13);
  CHECK(amax(abs(dx)).item() > 0.1);
}

TEST_CASE("two values a channel become 1 and -1, whatever they are") {
  const Tensor one = ones({1}, {.dtype = float64}), zero = zeros({1}, {.dtype = float64});
  Tensor x = tensor({{7}, {3}}, {.dtype = float64, .requires_grad = true});
  const Tensor y = batch_norm(x, one, zero, {.eps = 0});
  CHECK(y.at({0, 0}) == 1);
  CHECK(y.at({1, 0}) == -1);
  const Tensor g = tensor({{0.3}, {5}}, {.dtype = float64});
  CHECK(amax(abs(grad({y}, {x}, {.cotangents = {g}})[0])).item() < 1e-15);
}

TEST_CASE("statistics for a layer are constants of x's dtype, the variance unbiased") {
  Tensor x = tensor({{1, 10}, {2, 10}, {3, 40}}, {.dtype = float64, .requires_grad = true});
  const Tensor one = ones({2}, {.dtype = float64});
  const auto [y, mean, variance] = batch_norm_with_moments(x, one, one);
  CHECK(y.requires_grad());
  CHECK_FALSE(mean.requires_grad());
  CHECK_FALSE(variance.requires_grad());
  CHECK(mean.dtype() == float64);
  CHECK(mean.at({0}) == 2);
  CHECK(mean.at({1}) == 20);
  CHECK(variance.at({0}) == 1);
  CHECK(variance.at({1}) == doctest::Approx(300).epsilon(1e-15));
}

TEST_CASE("bias alone keeps no value, and gets the bits that it gets with the others") {
  for (const Shape& shape : {Shape{10, 3, 400}, Shape{900, 3}}) {
    Random random(5);
    Tensor bias = zeros({3}, {.requires_grad = true});
    const Tensor values = randn(shape, random), g = randn(shape, random);
    const std::int64_t before = detail::pool_stats().live_bytes;
    const Tensor y = batch_norm(values * 2, ones({3}), bias);
    const std::int64_t kept = detail::pool_stats().live_bytes - before;
    CHECK(kept < 2 * y.numel() * 4);  // y, and not x
    const Tensor alone = grad({y}, {bias}, {.cotangents = {g}})[0];

    Tensor x = (values * 2).set_requires_grad();
    Tensor weight = ones({3}, {.requires_grad = true});
    const Tensor whole = batch_norm(x, weight, bias);
    const Tensor together = grad({whole}, {x, weight, bias}, {.cotangents = {g}})[2];
    CHECK(same_bits(alone, together));
    std::vector<std::int64_t> others{0};
    if (shape.rank() == 3) others.push_back(2);
    CHECK(amax(abs(alone - sum(g, {.axes = others}))).item() < 1e-4);
  }
}

TEST_CASE("batch_norm has the same bits for one thread and for two") {
  const auto run = [](int threads) {
    const ThreadCount scope(threads);
    Random random(6);
    std::vector<Tensor> results;
    for (const Shape& shape : {Shape{64, 16, 14, 14}, Shape{512, 300}, Shape{200, 40, 9}}) {
      Tensor x = randn(shape, random, {.requires_grad = true});
      Tensor weight = randn({shape[1]}, random, {.requires_grad = true});
      Tensor bias = randn({shape[1]}, random, {.requires_grad = true});
      const auto [y, mean, variance] = batch_norm_with_moments(x, weight, bias);
      results.insert(results.end(), {y.detach(), mean, variance});
      for (const Tensor& d : grad({y}, {x, weight, bias}, {.cotangents = {randn(shape, random)}}))
        results.push_back(d);
    }
    return results;
  };
  const std::vector<Tensor> one = run(1);
  const std::vector<Tensor> two = run(2);
  for (std::size_t i = 0; i < one.size(); ++i) {
    CAPTURE(i);
    CHECK(same_bits(one[i], two[i]));
  }
}

}}  // namespace xtgrad::testing
