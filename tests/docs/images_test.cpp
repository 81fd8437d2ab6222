// The code of docs/operations/images.md.
#include <doctest/doctest.h>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/functions/image_sampling.h"
#include "xtgrad/nn/adaptive_pool.h"
#include "xtgrad/nn/conv_nd.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using testing::values;

using Numbers = std::vector<double>;

TEST_CASE("docs: convolution in one and three directions") {
  // clang-format off
  Tensor signal = randn({8, 4, 100}), volume = randn({2, 3, 8, 16, 16});
  Tensor y = conv1d(signal, randn({6, 4, 5}), {.stride = 2, .padding = 2});              // [8, 6, 50]
  Tensor z = conv3d(volume, randn({4, 3, 3, 3, 3}), randn({4}), {.padding = {0, 1, 1}});  // [2, 4, 6, 16, 16]
  Tensor back = conv_transpose3d(z, randn({4, 3, 2, 2, 2}), {.stride = {1, 2, 2}});       // [2, 3, 7, 32, 32]
  // clang-format on
  CHECK(y.shape() == Shape{8, 6, 50});
  CHECK(z.shape() == Shape{2, 4, 6, 16, 16});
  CHECK(back.shape() == Shape{2, 3, 7, 32, 32});
}

TEST_CASE("docs: pooling") {
  const Tensor signal = randn({1, 2, 7}), volume = randn({1, 1, 2, 4, 4}), image = randn({1, 1, 9, 8});
  Tensor y = max_pool1d(signal, {.kernel = 3, .stride = 2, .padding = 1});
  Tensor z = avg_pool3d(volume, {.kernel = {1, 2, 2}, .count_include_pad = false});
  Tensor lengths = lp_pool2d(image, {.p = 2, .kernel = 2});
  Tensor seven = adaptive_avg_pool2d(image, 7);  // of an image of any size
  CHECK(y.shape() == Shape{1, 2, 4});
  CHECK(z.shape() == Shape{1, 1, 2, 2, 2});
  CHECK(lengths.shape() == Shape{1, 1, 4, 4});
  CHECK(seven.shape() == Shape{1, 1, 7, 7});
}

TEST_CASE("docs: other sizes") {
  // clang-format off
  Tensor x = tensor({{{{0, 4}}}});                                               // [1, 1, 1, 2]
  Tensor y = interpolate(x, {.size = {1, 4}, .mode = Interpolation::bilinear});  // 0 1 3 4
  Tensor z = interpolate(x, {.scale = {2}});                                     // 0 0 4 4, twice
  Tensor w = resample(x, {.size = 5, .align_corners = true});                    // 0 1 2 3 4
  // clang-format on
  CHECK(values(y) == Numbers{0, 1, 3, 4});
  CHECK(values(z) == Numbers{0, 0, 4, 4, 0, 0, 4, 4});
  CHECK(values(w) == Numbers{0, 1, 2, 3, 4});
}

TEST_CASE("docs: places") {
  const Tensor image = reshape(arange(6, {}, {.dtype = float32}), {1, 1, 2, 3});
  Tensor theta = tensor({{{0, 1, 0}, {1, 0, 0}}}, {.requires_grad = true});  // x and y change places
  Tensor grid = affine_grid(theta, {1, 1, 2, 3});                            // [1, 2, 3, 2]
  Tensor turned = grid_sample(image, grid, {.padding = GridPadding::border});
  CHECK(grid.shape() == Shape{1, 2, 3, 2});
  CHECK(turned.shape() == Shape{1, 1, 2, 3});
  CHECK(turned.at({0, 0, 0, 1}) == doctest::Approx(1.75));  // x is -0.5, and y is 0
  sum(turned).backward();
  CHECK(theta.grad().shape() == Shape{1, 2, 3});
}

TEST_CASE("docs: modules of signals") {
  // clang-format off
  nn::Sequential model{nn::Conv1d{{.in_channels = 1, .out_channels = 8, .kernel = 5, .padding = 2}}, nn::ReLU{},
                       nn::AdaptiveMaxPool1d{{.output = 4}}, nn::Flatten{}, nn::Linear{32, 2}};
  Tensor y = model(randn({16, 1, 50}));  // [16, 2]
  // clang-format on
  CHECK(y.shape() == Shape{16, 2});
}

TEST_CASE("docs: the derivatives of a convolution") {
  const TensorOptions wanted{.dtype = float64, .requires_grad = true};
  Tensor x = randn({2, 3, 6, 6}, default_random(), wanted),
         weight = randn({4, 3, 3, 3}, default_random(), wanted);
  Tensor y = conv2d(x, weight, {.padding = 1});
  Tensor g = randn(y.shape(), default_random(), {.dtype = float64});
  auto slopes = grad(sum(y * g), {x, weight});
  Tensor in_x = conv_transpose2d(g, weight, {.padding = 1});       // slopes[0]
  Tensor in_weight = conv2d_weight_grad(x, g, 3, {.padding = 1});  // slopes[1]
  Tensor columns = unfold2d(x, {.kernel = 3, .padding = 1});       // [2, 27, 36]
  Tensor product = matmul(reshape(weight, {4, 27}), columns);      // y, as [2, 4, 36]
  for (std::size_t i = 0; i < 216; ++i) CHECK(values(in_x)[i] == doctest::Approx(values(slopes[0])[i]));
  for (std::size_t i = 0; i < 108; ++i) CHECK(values(in_weight)[i] == doctest::Approx(values(slopes[1])[i]));
  for (std::size_t i = 0; i < 288; ++i) CHECK(values(product)[i] == doctest::Approx(values(y)[i]));
}

TEST_CASE("docs: where the largest elements are") {
  Tensor x = tensor({{{{1, 5}, {7, 2}}}});                       // [1, 1, 2, 2]
  Tensor places = max_pool2d_places(x, {.kernel = 2});           // 2: row 1, column 0
  Tensor largest = max_pool2d_take(x, places);                   // 7, as max_pool2d gives it
  Tensor spread = max_pool2d_put(largest, places, 2);            // {{0, 0}, {7, 0}}
  Tensor shares = avg_pool2d_spread(largest, 2, {.kernel = 2});  // {{1.75, 1.75}, {1.75, 1.75}}
  CHECK(values(places) == Numbers{2});
  CHECK(values(largest) == Numbers{7});
  CHECK(values(spread) == Numbers{0, 0, 7, 0});
  CHECK(values(shares) == Numbers{1.75, 1.75, 1.75, 1.75});
}

TEST_CASE("docs: errors of images") {
  const auto error = [](const auto& f) { return testing::message_of(f); };
  const Tensor x = ones({1, 3, 4, 4});
  CHECK(error([&] {
          return conv2d(x, ones({2, 2, 3, 3}));
        }) ==
        "conv2d: x must have in / groups channels for each group: x is [1, 3, 4, 4], weight is [2, 2, 3, 3], "
        "groups 1");
  CHECK(error([&] { return max_pool2d(x, {.kernel = 2, .padding = 2}); }) ==
        "max_pool2d: padding must be at most half the window: padding 2x2, kernel 2x2, dilation 1x1");
  CHECK(error([&] { return interpolate(x, {}); }) == "interpolate: needs a size or a scale, and not both");
  CHECK(error([&] { return pixel_shuffle(x, 2); }) ==
        "pixel_shuffle: the factor's square must divide the channels: x is [1, 3, 4, 4], factor 2");
}

TEST_CASE("docs: the derivatives of convolutions are convolutions") {
  Random random(11);
  const TensorOptions wanted{.dtype = float64, .requires_grad = true};
  const auto check_close = [](const Tensor& x, const Tensor& y) {
    CHECK(x.shape() == y.shape());
    CHECK(amax(abs(x - y)).item() < 1e-10);  // of sums of some hundred numbers about 1
  };
  const Tensor image = randn({2, 4, 5, 5}, random, wanted), w = randn({4, 3, 3, 3}, random, wanted);
  const ConvTranspose2dOptions back{.stride = 2, .padding = 1};
  const Conv2dOptions there{.stride = 2, .padding = 1};
  const Tensor y = conv_transpose2d(image, w, back);
  const Tensor g = randn(y.shape(), random, {.dtype = float64});
  const auto slopes = grad(sum(y * g), {image, w});
  check_close(slopes[0], conv2d(g, w, there));
  check_close(slopes[1], conv2d_weight_grad(g, image, 3, there));

  const Tensor x = randn(y.shape(), random, wanted), t = randn(w.shape(), random, {.dtype = float64});
  const auto of_weight = grad(sum(conv2d_weight_grad(x, image, 3, there) * t), {x, image});
  check_close(of_weight[0], conv_transpose2d(image, t, back));
  check_close(of_weight[1], conv2d(x, t, there));

  const Tensor pooled = avg_pool2d(x, {.kernel = 3}),
               share = randn(pooled.shape(), random, {.dtype = float64});
  check_close(grad(sum(pooled * share), x), avg_pool2d_spread(share, {9, 9}, {.kernel = 3}));
  const Tensor largest = max_pool2d(x, {.kernel = 3});
  check_close(grad(sum(largest * share), x),
              max_pool2d_put(share, max_pool2d_places(x, {.kernel = 3}), {9, 9}));
}
