// What the samples of conv2d and its adjoints cannot say: that they agree with the composition they replace,
// that threads change no bit, that the padding between rows takes no part.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"

namespace xtgrad::inline v1::testing { namespace {

struct Layer {
  Shape x;
  Shape weight;
  Conv2dOptions options;
};

/// The composition: windows as columns, one matrix product for each group.
Tensor by_columns(const Tensor& x, const Tensor& weight, const Conv2dOptions& o) {
  const Size2d kernel(weight.shape()[2], weight.shape()[3]);
  const auto side = [](std::int64_t size, std::int64_t k, std::int64_t s, std::int64_t p, std::int64_t d) {
    return (size + 2 * p - d * (k - 1) - 1) / s + 1;
  };
  const std::int64_t h =
      side(x.shape()[2], kernel.height, o.stride.height, o.padding.height, o.dilation.height);
  const std::int64_t w = side(x.shape()[3], kernel.width, o.stride.width, o.padding.width, o.dilation.width);
  const Tensor columns =
      unfold2d(x, {.kernel = kernel, .stride = o.stride, .padding = o.padding, .dilation = o.dilation});
  const std::int64_t n = x.shape()[0];
  const std::int64_t out = weight.shape()[0];
  const std::int64_t terms = weight.shape()[1] * kernel.height * kernel.width;
  const Tensor grouped = reshape(columns, {n, o.groups, terms, h * w});
  const Tensor matrix = reshape(weight, {o.groups, out / o.groups, terms});
  return reshape(matmul(matrix, grouped), {n, out, h, w});
}

double largest_difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  return a.numel() == 0 ? 0 : amax(abs(a - b)).item();
}

Tensor leaf_of(const Tensor& x) {
  Tensor leaf = x.detach();
  return leaf.set_requires_grad();
}

std::vector<Layer> layers() {
  return {
      {{3, 4, 9, 11}, {6, 4, 3, 3}, {.padding = 1}},
      {{2, 4, 12, 10}, {6, 2, 3, 5}, {.stride = {2, 3}, .padding = {1, 2}, .groups = 2}},
      {{2, 3, 15, 13}, {5, 3, 3, 2}, {.stride = 2, .padding = 3, .dilation = {2, 4}}},
      {{1, 6, 8, 8}, {12, 1, 3, 3}, {.padding = 1, .groups = 6}},
      {{1, 2, 300, 301}, {3, 2, 3, 3}, {.padding = 1}},  // rows in several runs
      {{1, 2, 301, 300}, {3, 2, 5, 5}, {.stride = 2}},   // the same, of several phases
      {{40, 2, 6, 6}, {9, 2, 3, 3}, {}},                 // several images summed at once
      {{20, 3, 7, 7}, {70, 3, 3, 3}, {.padding = 1}},    // and columns of one product; two blocks of channels
      {{2, 50, 4, 4}, {10, 50, 3, 3}, {.padding = 1}},   // more terms than are summed in one run
      {{2, 2, 70, 70}, {16, 2, 3, 3}, {.padding = 1}},   // more columns than one product has
      {{1100, 1, 1, 1}, {8, 1, 1, 1}, {}},
      {{1, 1, 3, 2100}, {8, 1, 3, 3}, {.padding = {1, 0}}},
      // Images that are read themselves, not a padded copy.
      {{9, 5, 6, 6}, {12, 5, 1, 1}, {}},
      {{3, 4, 60, 60}, {8, 2, 2, 1}, {.groups = 2}},
      {{9, 5, 6, 6}, {12, 5, 1, 1}, {.stride = 2}},
      {{2, 3, 32, 32}, {17, 3, 8, 8}, {.stride = 8}},  // phases that all meet the same elements
      {{3, 5, 9, 9}, {18, 5, 4, 4}, {.stride = 2, .padding = 1}},
      // Kernels as large as the image, or nearly.
      {{5, 3, 6, 7}, {9, 3, 6, 7}, {}},
      {{3, 1, 2, 2}, {40, 1, 2, 2}, {}},
      {{3, 4, 3, 2}, {6, 2, 3, 2}, {.groups = 2}},
      {{70, 2, 6, 7}, {9, 2, 5, 6}, {}},
      {{3, 4, 5, 5}, {24, 2, 5, 4}, {.padding = 1, .groups = 2}},
      {{2, 2, 20, 21}, {3, 2, 17, 18}, {.stride = {1, 2}, .padding = {1, 0}}},
      // Elements of the kernel that meet padding alone: the first and the last, or all but one.
      {{3, 2, 8, 7}, {4, 2, 4, 3}, {.padding = {15, 9}, .dilation = {10, 9}}},
      {{2, 4, 9, 8}, {4, 2, 3, 3}, {.stride = {2, 3}, .padding = {30, 4}, .dilation = {30, 4}, .groups = 2}},
  };
}

TEST_CASE("conv2d and its gradients agree with unfold and matmul") {
  for (const Layer& layer : layers()) {
    CAPTURE(to_string(layer.x));
    Random random(7);
    const Tensor x = randn(layer.x, random, {.dtype = float64, .requires_grad = true});
    const Tensor w = randn(layer.weight, random, {.dtype = float64, .requires_grad = true});
    const Tensor ours = conv2d(x, w, layer.options);
    const Tensor theirs = by_columns(x, w, layer.options);
    CHECK(largest_difference(ours, theirs) < 1e-12);
    const Tensor g = randn(ours.shape(), random, {.dtype = float64});
    const auto a = grad({ours}, {x, w}, {.cotangents = {g}});
    const auto b = grad({theirs}, {x, w}, {.cotangents = {g}});
    CHECK(largest_difference(a[0], b[0]) < 1e-11);
    CHECK(largest_difference(a[1], b[1]) < 1e-10 * std::sqrt(static_cast<double>(g.numel())));
  }
}

TEST_CASE("conv2d and its adjoints give the same bits for any number of threads") {
  for (const Dtype dtype : {float32, float64}) {
    for (const Layer& layer : layers()) {
      CAPTURE(to_string(layer.x));
      Random random(3);
      const Tensor x = randn(layer.x, random, {.dtype = dtype});
      const Tensor w = randn(layer.weight, random, {.dtype = dtype});
      const Tensor b = randn({layer.weight[0]}, random, {.dtype = dtype});
      std::vector<std::vector<Tensor>> runs;
      for (const int threads : {1, 2, 3}) {
        const ThreadCount count(threads);
        const Tensor leaf_x = leaf_of(x);
        const Tensor leaf_w = leaf_of(w);
        const Tensor y = conv2d(leaf_x, leaf_w, b, layer.options);
        auto results = grad({y}, {leaf_x, leaf_w}, {.cotangents = {y.detach()}});
        results.push_back(y);
        runs.push_back(results);
      }
      for (std::size_t run = 1; run < runs.size(); ++run) {
        for (std::size_t i = 0; i < runs[0].size(); ++i) CHECK(same_bits(runs[0][i], runs[run][i]));
      }
    }
  }
}

TEST_CASE("a stride far beyond the image costs its gradient nothing") {
  const Conv2dOptions options{.stride = 1'000'000'000};
  const Tensor x = tensor({1, 2, 3, 4}, {.dtype = float64, .requires_grad = true});
  const Tensor w = reshape(tensor({3}, {.dtype = float64}), {1, 1, 1, 1});
  const Tensor dx = grad({conv2d(reshape(x, {1, 1, 2, 2}), w, options)}, {x})[0];
  CHECK(to_values(dx).data == std::vector<Real>{3, 0, 0, 0});
}

/// True if NaNs and infinities are in the same places, and other elements differ by no more than `tolerance`.
bool same_kinds(const Tensor& a, const Tensor& b, double tolerance) {
  REQUIRE(a.shape() == b.shape());
  const std::vector<Real> left = to_values(a).data;
  const std::vector<Real> right = to_values(b).data;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (std::isnan(left[i]) != std::isnan(right[i])) return false;
    if (std::isnan(left[i]) || left[i] == right[i]) continue;
    if (!(std::abs(left[i] - right[i]) <= tolerance)) return false;  // an infinity differs by no less
  }
  return true;
}

/// x with its elements at `places` replaced.
Tensor with(const Tensor& x, const std::vector<std::int64_t>& places, double value) {
  Values values = to_values(x);
  for (const std::int64_t place : places) values.data[static_cast<std::size_t>(place)] = value;
  return to_tensor(values, x.dtype());
}

// Around the cotangent the kernel has zeros, which are no terms of the gradient.
TEST_CASE("an infinite weight spoils just the pixels' gradients that it takes part in") {
  const double inf = std::numeric_limits<double>::infinity();
  for (const Dtype dtype : {float32, float64}) {
    const auto transposed = [&](double weight) {
      const Tensor w = reshape(tensor({weight, 1, 1, 1}, {.dtype = dtype}), {1, 1, 2, 2});
      return to_values(conv_transpose2d(ones({1, 1, 1, 1}, {.dtype = dtype}), w)).data;
    };
    CHECK(transposed(inf) == std::vector<Real>{inf, 1, 1, 1});
    CHECK(transposed(-inf) == std::vector<Real>{-inf, 1, 1, 1});
    const std::vector<Real> spoilt = transposed(std::numeric_limits<double>::quiet_NaN());
    CHECK(std::isnan(spoilt[0]));
    CHECK(std::vector<Real>(spoilt.begin() + 1, spoilt.end()) == std::vector<Real>{1, 1, 1});
  }
}

TEST_CASE("weights, pixels and cotangents that are not finite have the effect of the composition") {
  const double inf = std::numeric_limits<double>::infinity();
  for (const Layer& layer : layers()) {
    CAPTURE(to_string(layer.x));
    for (const double value : {inf, -inf, std::numeric_limits<double>::quiet_NaN()}) {
      CAPTURE(value);
      Random random(11);
      const Tensor x = randn(layer.x, random, {.dtype = float64});
      const Tensor w = randn(layer.weight, random, {.dtype = float64});
      const Tensor y = conv2d(x, w, layer.options);
      const Tensor g = randn(y.shape(), random, {.dtype = float64});
      const auto check = [&](const Tensor& a, const Tensor& b, const Tensor& cotangent) {
        const Tensor image = leaf_of(a);
        const Tensor filter = leaf_of(b);
        const Tensor ours = conv2d(image, filter, layer.options);
        const Tensor theirs = by_columns(image, filter, layer.options);
        CHECK(same_kinds(ours, theirs, 1e-12));
        const auto mine = grad({ours}, {image, filter}, {.cotangents = {cotangent}});
        const auto other = grad({theirs}, {image, filter}, {.cotangents = {cotangent}});
        CHECK(same_kinds(mine[0], other[0], 1e-11));
        CHECK(same_kinds(mine[1], other[1], 1e-10 * std::sqrt(static_cast<double>(g.numel()))));
      };
      check(x, with(w, {0}, value), g);
      check(x, with(w, {w.numel() / 2, w.numel() - 1}, value), g);
      check(with(x, {x.numel() / 2}, value), w, g);
      check(x, w, with(g, {g.numel() / 3}, value));
    }
  }
}

TEST_CASE("an infinite weight on padding alone spoils its output channel, as 0 times it") {
  const Conv2dOptions options{.padding = 1000, .dilation = 1000};
  const Tensor w = with(ones({2, 1, 3, 3}), {0}, std::numeric_limits<double>::infinity());
  const Tensor y = conv2d(ones({1, 1, 2, 2}), w, tensor({5, 6}), options);
  for (const Real value : to_values(slice(y, {.axis = 1, .stop = 1})).data) CHECK(std::isnan(value));
  CHECK(to_values(slice(y, {.axis = 1, .start = 1})).data == std::vector<Real>(4, 7));
}

TEST_CASE("a filter without channels has no elements, however large its kernel") {
  constexpr std::int64_t large = 2'000'000'001;
  const Tensor w = zeros({2, 0, large, large});
  const Conv2dOptions options{.padding = large / 2};
  CHECK(to_values(conv2d(ones({1, 0, 2, 1}), w, tensor({5, 6}), options)).data ==
        std::vector<Real>{5, 5, 6, 6});
  CHECK(conv_transpose2d(ones({1, 2, 2, 1}), w, {.padding = large / 2}).shape() == Shape{1, 0, 2, 1});
  CHECK(conv2d_weight_grad(ones({1, 0, 2, 1}), ones({1, 2, 2, 1}), large, options).shape() == w.shape());
}

// The kernel computes on the columns between an image's rows, too, and drops what it gets.
TEST_CASE("an infinite pixel spoils just the weights' gradients that it takes part in") {
  const double inf = std::numeric_limits<double>::infinity();
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = tensor({1, 2, 3, 4, 5, 6, 7, 8, inf}, {.dtype = dtype});
    const Tensor image = reshape(x, {1, 1, 3, 3});
    const Tensor dw = conv2d_weight_grad(image, ones({1, 1, 2, 2}, {.dtype = dtype}), 2);
    CHECK(to_values(dw).data == std::vector<Real>{1 + 2 + 4 + 5, 2 + 3 + 5 + 6, 4 + 5 + 7 + 8, inf});
    // In the last column and row: those, too, are read where no output is.
    const Tensor corner = reshape(tensor({inf, 2, 3, 4, 5, 6, 7, 8, 9}, {.dtype = dtype}), {1, 1, 3, 3});
    const Tensor dv = conv2d_weight_grad(corner, ones({1, 1, 2, 2}, {.dtype = dtype}), 2);
    CHECK(to_values(dv).data == std::vector<Real>{inf, 2 + 3 + 5 + 6, 4 + 5 + 7 + 8, 5 + 6 + 8 + 9});
  }
}

}}  // namespace xtgrad::testing
