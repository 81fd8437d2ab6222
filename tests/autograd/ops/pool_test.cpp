// What the samples of pooling do not say: signs of zeros, rows of every length, agreement of the two kernels,
// accuracy over large windows, and independence of the number of threads.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// Elements of which many tie, and some are NaN or infinite.
Tensor coarse(const Shape& shape, Random& random) {
  const Tensor x = randn(shape, random);
  std::vector<float> values(x.data<float>().begin(), x.data<float>().end());
  for (float& v : values) {
    v = std::round(v);
    if (v == 2) v = std::numeric_limits<float>::quiet_NaN();
    if (v == -2) v = -std::numeric_limits<float>::infinity();
  }
  return from_span(std::span<const float>(values), shape);
}

/// Max pooling by 2x2 windows side by side, and both linear maps, one element at a time.
struct ByHand {
  ByHand(const Tensor& x, const Tensor& u, const Tensor& g) {
    const auto v = x.data<float>();
    const std::int64_t h = x.shape()[2], w = x.shape()[3];
    put.assign(v.size(), 0);
    for (std::int64_t plane = 0; plane < x.shape()[0] * x.shape()[1]; ++plane) {
      for (std::int64_t i = 0; i < h / 2; ++i) {
        for (std::int64_t j = 0; j < w / 2; ++j) {
          const auto corner = static_cast<std::size_t>((plane * h + 2 * i) * w + 2 * j);
          const auto width = static_cast<std::size_t>(w);
          std::size_t best = corner;
          for (const std::size_t next : {corner + 1, corner + width, corner + width + 1}) {
            if (v[next] > v[best] || (std::isnan(v[next]) && !std::isnan(v[best]))) best = next;
          }
          max.push_back(v[best]);
          take.push_back(u.data<float>()[best]);
          put[best] = g.data<float>()[max.size() - 1];
          places.push_back(static_cast<std::int32_t>(best) - static_cast<std::int32_t>(plane * h * w));
        }
      }
    }
  }
  std::vector<float> max, take, put;
  std::vector<std::int32_t> places;
};

template <class T>
bool equals(const Tensor& got, const std::vector<T>& want) {
  return static_cast<std::size_t>(got.numel()) == want.size() &&
         std::memcmp(got.data<T>().data(), want.data(), want.size() * sizeof(T)) == 0;
}

TEST_CASE("pooling by halves, for rows of every length") {
  Random random(3);
  for (const std::int64_t planes : {1, 3}) {
    for (const std::int64_t height : {2, 3, 8}) {
      for (std::int64_t width = 2; width < 80; ++width) {
        CAPTURE(planes);
        CAPTURE(height);
        CAPTURE(width);
        const Tensor x = coarse({1, planes, height, width}, random);
        const Tensor u = randn(x.shape(), random);
        const Tensor g = randn({1, planes, height / 2, width / 2}, random);
        const ByHand want(x, u, g);
        CHECK(equals(max_pool2d(x, {.kernel = 2}), want.max));
        const Tensor places = max_pool2d_places(x, {.kernel = 2});
        CHECK(equals(places, want.places));
        CHECK(same_bits(max_pool2d_places(x.to(float64), {.kernel = 2}), places));
        CHECK(equals(max_pool2d_take(u, places), want.take));
        CHECK(equals(max_pool2d_put(g, places, {height, width}), want.put));
        Tensor leaf = x.detach().set_requires_grad();
        const Tensor y = max_pool2d(leaf, {.kernel = 2});
        CHECK(equals(y, want.max));
        CHECK(equals(grad({y}, {leaf}, {.cotangents = {g}})[0], want.put));
      }
    }
  }
}

TEST_CASE("the first of two zeros wins, whatever their signs") {
  // The second shape is no halving: the general kernel has it.
  for (const MaxPool2dOptions& options : {MaxPool2dOptions{.kernel = 2}, {.kernel = 2, .stride = 3}}) {
    const auto first_wins = [&](double a, double b, double c, double d) {
      const Tensor x = reshape(tensor({a, b, c, d}), {1, 1, 2, 2});
      return std::signbit(max_pool2d(x, options).item()) == std::signbit(a);
    };
    CHECK(first_wins(-0.0, 0.0, 0.0, 0.0));
    CHECK(first_wins(0.0, -0.0, -0.0, 0.0));
    CHECK(first_wins(-0.0, -0.0, -0.0, 0.0));
  }
}

TEST_CASE("in ceil mode the windows that lie inside are those without it") {
  Random random(4);
  Tensor x = coarse({2, 3, 29, 41}, random).set_requires_grad();
  const Tensor g = randn({2, 3, 14, 20}, random);
  const Tensor inside = max_pool2d(x, {.kernel = 2});
  const Tensor all = max_pool2d(x, {.kernel = 2, .ceil_mode = true});  // [2, 3, 15, 21]
  const auto clip = [](const Tensor& y) {
    return slice(slice(y, {.axis = 2, .stop = 14}), {.axis = 3, .stop = 20});
  };
  CHECK(same_bits(clip(all), inside));
  CHECK(
      same_bits(grad({clip(all)}, {x}, {.cotangents = {g}})[0], grad({inside}, {x}, {.cotangents = {g}})[0]));
}

TEST_CASE("overlapping windows add up where they share a largest element") {
  const Tensor x = reshape(tensor({0, 0, 0, 0, 9, 0, 0, 0, 0}), {1, 1, 3, 3}).set_requires_grad();
  const Tensor y = max_pool2d(x, {.kernel = 2, .stride = 1});
  const Tensor dx = grad({sum(y * reshape(tensor({1, 10, 100, 1000}), {1, 1, 2, 2}))}, {x})[0];
  CHECK(dx.at({0, 0, 1, 1}) == 1111);
  CHECK(sum(dx).item() == 1111);
}

TEST_CASE("who is the largest has no derivative") {
  Random random(5);
  Tensor x = randn({1, 1, 4, 4}, random, {.requires_grad = true});
  const Tensor dx = grad({sum(square(max_pool2d(x, {.kernel = 2})))}, {x}, {.create_graph = true})[0];
  const Tensor second = grad({sum(dx)}, {x})[0];  // 2 where x is the largest of its window
  const Tensor places = max_pool2d_places(x, {.kernel = 2});
  CHECK_FALSE(places.requires_grad());
  CHECK(same_bits(second, max_pool2d_put(full({1, 1, 2, 2}, 2), places, 4)));
  CHECK_FALSE(max_pool2d_put(ones({1, 1, 2, 2}), places, 4).requires_grad());
  CHECK_FALSE(max_pool2d_take(ones({1, 1, 4, 4}), places).requires_grad());
}

TEST_CASE("the mean of a whole image is right to the last digit") {
  constexpr std::int64_t side = 512;
  const Tensor x = full({1, 1, side, side}, 0.1);
  CHECK(avg_pool2d(x, {.kernel = side}).item() == static_cast<double>(0.1F));
}

TEST_CASE("a window far larger than the image costs what the pixels in it cost") {
  constexpr std::int64_t large = 2'000'000'000;
  const auto image = [](const Tensor& row) { return reshape(row, {1, 1, 4, 4}); };
  Tensor x = image(arange(16, {}, {.dtype = float64})).set_requires_grad();
  for (const std::int64_t stride : {std::int64_t{1}, large}) {
    CAPTURE(stride);
    const std::int64_t side = stride == 1 ? 5 : 1;  // the whole image at each place
    const auto places = static_cast<double>(side * side);
    const AvgPool2dOptions mean{
        .kernel = large, .stride = stride, .padding = large / 2, .count_include_pad = false};
    const Tensor y = avg_pool2d(x, mean);
    CHECK(same_bits(y, full({1, 1, side, side}, 7.5, {.dtype = float64})));
    CHECK(same_bits(grad({y}, {x}, {.cotangents = {ones_like(y)}})[0],
                    full({1, 1, 4, 4}, places / 16, {.dtype = float64})));
    const Tensor diluted = avg_pool2d(x, {.kernel = large, .stride = stride, .padding = large / 2});
    CHECK(diluted.at({0, 0, 0, 0}) == doctest::Approx(120.0 / large / large).epsilon(1e-12));
    const MaxPool2dOptions across{.kernel = {1, large}, .stride = stride, .padding = {0, large / 2}};
    const Tensor rows = max_pool2d(x, across);
    REQUIRE(rows.shape() == Shape{1, 1, stride == 1 ? 4 : 1, side});
    CHECK(rows.at({0, 0, 0, side - 1}) == 3);
    CHECK(grad({sum(rows)}, {x})[0].at({0, 0, 0, 3}) == static_cast<double>(side));
    const MaxPool2dOptions down{.kernel = {large, 1}, .stride = stride, .padding = {large / 2, 0}};
    const Tensor columns = max_pool2d(x, down);
    REQUIRE(columns.shape() == Shape{1, 1, side, stride == 1 ? 4 : 1});
    CHECK(columns.at({0, 0, side - 1, 0}) == 12);
    CHECK(max_pool2d_take(x, max_pool2d_places(x, down)).at({0, 0, 0, 0}) == 12);
  }
}

TEST_CASE("a window that a dilation spreads far beyond the image, too") {
  constexpr std::int64_t far = 2'000'000'000;
  const MaxPool2dOptions options{.kernel = 3, .stride = 1, .padding = far, .dilation = far};
  Random random(8);
  const Tensor x = randn({2, 1, 4, 3}, random);
  CHECK(same_bits(max_pool2d(x, options), x));  // the middle elements alone meet it
  CHECK(same_bits(max_pool2d_put(x, max_pool2d_places(x, options), {4, 3}), x));
}

TEST_CASE("an image without rows is refused, though its padding has some") {
  const Tensor x = zeros({1, 1, 0, 2});
  CHECK_THROWS_WITH_AS((void)avg_pool2d(x, {.kernel = {2, 1}, .padding = {1, 0}}),
                       "avg_pool2d: the image has no rows or no columns: x is [1, 1, 0, 2]", ShapeError);
}

TEST_CASE("pooling has the same bits for one thread and for two") {
  const auto run = [](int threads) {
    const ThreadCount scope(threads);
    Random random(6);
    std::vector<Tensor> results;
    for (const Shape& shape : {Shape{8, 16, 28, 28}, Shape{16, 8, 31, 33}}) {
      Tensor x = randn(shape, random, {.requires_grad = true});
      const std::vector<Tensor> pooled{
          max_pool2d(x, {.kernel = 2}), max_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1}),
          avg_pool2d(x, {.kernel = 2}), avg_pool2d(x, {.kernel = 3, .stride = 1, .padding = 1})};
      for (const Tensor& y : pooled) {
        results.push_back(y.detach());
        results.push_back(grad({y}, {x}, {.cotangents = {randn(y.shape(), random)}})[0]);
      }
      for (const std::int64_t kernel : {2, 3}) {
        results.push_back(max_pool2d_places(x, {.kernel = kernel}));
        results.push_back(max_pool2d_take(x.detach(), results.back()));
      }
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
