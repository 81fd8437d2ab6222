// The code of docs/operations/images.md.
#include <doctest/doctest.h>

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
