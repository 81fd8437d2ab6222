// What the samples of unfold2d and fold2d do not say.
#include <doctest/doctest.h>

#include <vector>

#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

std::vector<float> elements(const Tensor& x) { return {x.data<float>().begin(), x.data<float>().end()}; }

TEST_CASE("unfold2d by hand") {
  const Tensor x = reshape(arange(9, {}, {.dtype = float32}), {1, 1, 3, 3});
  // A row of the result is one element of the window, at its four places.
  CHECK(elements(unfold2d(x, {.kernel = 2})) ==
        std::vector<float>{0, 1, 3, 4, 1, 2, 4, 5, 3, 4, 6, 7, 4, 5, 7, 8});
  CHECK(elements(unfold2d(x, {.kernel = {1, 3}, .stride = 2, .padding = {0, 1}})) ==
        std::vector<float>{0, 1, 0, 7, 0, 2, 6, 8, 1, 0, 7, 0});
}

TEST_CASE("fold2d of an unfolded image counts the windows that an element is in") {
  const Tensor ones_image = ones({1, 1, 4, 4});
  const Unfold2dOptions options{.kernel = 3, .padding = 1};
  CHECK(elements(fold2d(unfold2d(ones_image, options), 4, options)) ==
        std::vector<float>{4, 6, 6, 4, 6, 9, 9, 6, 6, 9, 9, 6, 4, 6, 6, 4});
}

TEST_CASE("a convolution is a matrix product of unfolded windows") {
  // Sobel's kernel on a step from 0 to 1.
  const Tensor x = reshape(tensor({0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1}), {1, 1, 3, 4});
  const Tensor kernel = reshape(tensor({-1, 0, 1, -2, 0, 2, -1, 0, 1}), {1, 9});
  CHECK(elements(matmul(kernel, unfold2d(x, {.kernel = 3}))) == std::vector<float>{4, 4});
}

TEST_CASE("a window on padding alone leaves zeros, and fold2d drops what is there") {
  const Unfold2dOptions options{.kernel = 1, .stride = 2, .padding = 1};  // places -1 and 1 of a 2x2 image
  const Tensor x = reshape(tensor({1, 2, 3, 4}), {1, 1, 2, 2});
  CHECK(elements(unfold2d(x, options)) == std::vector<float>{0, 0, 0, 4});
  CHECK(elements(fold2d(reshape(tensor({5, 6, 7, 8}), {1, 1, 4}), 2, options)) ==
        std::vector<float>{0, 0, 0, 8});
}

TEST_CASE("without channels there are no columns, however large the window") {
  constexpr std::int64_t large = 2'000'000'001;
  const Unfold2dOptions options{.kernel = large, .padding = large / 2};
  const Tensor columns = unfold2d(zeros({1, 0, 2, 2}), options);
  CHECK(columns.shape() == Shape{1, 0, 4});
  CHECK(fold2d(columns, 2, options).shape() == Shape{1, 0, 2, 2});
}

TEST_CASE("unfold2d and fold2d have the same bits for one thread and for two") {
  const auto run = [](int threads) {
    const ThreadCount scope(threads);
    Random random(7);
    const Tensor x = randn({16, 5, 20, 21}, random);
    std::vector<Tensor> results;
    for (const Unfold2dOptions& options :
         {Unfold2dOptions{.kernel = 3, .padding = 1}, Unfold2dOptions{.kernel = {2, 5}, .stride = {1, 2}}}) {
      const Tensor columns = unfold2d(x, options);
      results.push_back(columns);
      results.push_back(fold2d(randn(columns.shape(), random), {20, 21}, options));
    }
    return results;
  };
  const std::vector<Tensor> one = run(1);
  const std::vector<Tensor> two = run(2);
  for (std::size_t i = 0; i < one.size(); ++i) {
    CHECK(same_bits(one[i], two[i]));
  }
}

}}  // namespace xtgrad::testing
