// Alone, because it counts what the whole process asks of the system.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

// Under the address sanitizer the pool keeps no such count.
#if !XTGRAD_POOL_PASSES_THROUGH

namespace {

std::int64_t reserved() { return detail::pool_stats().reserved_bytes; }

struct Geometry {
  std::string name;
  Shape weight;
  Conv2dOptions options;
};

/// The elements of the column matrix of all images, of all groups.
std::int64_t column_elements(const Tensor& x, const Tensor& w, const Tensor& y) {
  return x.shape()[0] * x.shape()[1] * w.shape()[2] * w.shape()[3] * y.shape()[2] * y.shape()[3];
}

}  // namespace

TEST_CASE("a convolution and its gradients never hold the batch's column matrix") {
  const testing::ThreadCount threads(2);
  // Each column matrix is of a size that no tensor here has: none could hide in memory that another has left.
  const std::vector<Geometry> geometries{
      {"dense", {16, 16, 5, 5}, {.padding = 2}},
      {"stride 2", {16, 16, 7, 7}, {.stride = 2, .padding = 3}},
      {"dilation 2", {16, 16, 5, 5}, {.padding = 4, .dilation = 2}},
      {"groups", {16, 1, 5, 5}, {.padding = 2, .groups = 16}},
      {"stride 2, dilation 2 and groups",
       {32, 4, 7, 7},
       {.stride = 2, .padding = 6, .dilation = 2, .groups = 4}},
  };
  const Tensor x = zeros({64, 16, 56, 56});  // 13 MB
  std::vector<Tensor> kept;                  // so that results do not take memory of results before
  for (const auto& [name, shape, options] : geometries) {
    const auto& shown_name = name;
    CAPTURE(shown_name);
    const Tensor w = zeros(shape);
    const std::int64_t before = reserved();
    const Tensor y = conv2d(x, w, options);
    const std::int64_t rest = options.stride.height - 1;  // 56 is even, and so is what the kernels take off
    const Tensor dx = conv_transpose2d(y, w,
                                       {.stride = options.stride,
                                        .padding = options.padding,
                                        .output_padding = rest,
                                        .dilation = options.dilation,
                                        .groups = options.groups});
    const Tensor dw = conv2d_weight_grad(x, y, {shape[2], shape[3]}, options);
    REQUIRE(dx.shape() == x.shape());
    REQUIRE(dw.shape() == w.shape());
    const std::int64_t grown = reserved() - before;
    const std::int64_t results = 4 * (y.numel() + dx.numel() + dw.numel());
    const std::int64_t columns = 4 * column_elements(x, w, y);
    MESSAGE(name << ": asked of the system: " << (grown >> 20) << " MiB; results: " << (results >> 20)
                 << " MiB; a column matrix has " << (columns >> 20) << " MiB");
    // Memory comes in arenas: one more may be begun for each of two threads.
    CHECK(grown - results < 2 * static_cast<std::int64_t>(detail::pool_arena_bytes));
    CHECK(columns > 2 * static_cast<std::int64_t>(detail::pool_arena_bytes) + results);
    kept.insert(kept.end(), {w, y, dx, dw});
  }
  // The count sees a column matrix where there is one.
  const std::int64_t before = reserved();
  const Tensor columns = unfold2d(x, {.kernel = 7, .stride = 2, .padding = 3});
  CHECK(reserved() - before >= 4 * columns.numel());
}

TEST_CASE("elements of a kernel that meet padding alone take no memory") {
  const testing::ThreadCount threads(2);
  const Tensor x = reshape(arange(64, {}, {.dtype = float32}), {1, 1, 8, 8});
  const Tensor w = reshape(arange(9, {}, {.dtype = float32}), {1, 1, 3, 3});
  for (const std::int64_t far : {std::int64_t{8'000}, std::int64_t{2'000'000'000}}) {
    CAPTURE(far);
    const std::int64_t before = reserved();
    // The middle element is 4 and meets each pixel; the others lie beyond the image.
    const Tensor y = conv2d(x, w, {.padding = far, .dilation = far});
    CHECK(testing::same_bits(y, 4 * x));
    CHECK(testing::same_bits(conv_transpose2d(x, w, {.padding = far, .dilation = far}), 4 * x));
    const Tensor dw = conv2d_weight_grad(x, ones({1, 1, 8, 8}), 3, {.padding = far, .dilation = far});
    CHECK(testing::to_values(dw).data == std::vector<testing::Real>{0, 0, 0, 0, 63 * 32, 0, 0, 0, 0});
    CHECK(reserved() - before <= 2 * static_cast<std::int64_t>(detail::pool_arena_bytes));
  }
}

#endif
