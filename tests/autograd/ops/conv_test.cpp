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

namespace xtgrad::testing {
namespace {

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

}  // namespace
}  // namespace xtgrad::testing
