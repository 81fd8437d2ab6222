// Sizes that no memory has, of tensors without elements: what would leave the range of integers is refused in
// words. And the few errors of shapes that samples do not come to.
#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t half = std::int64_t{1} << 62;
constexpr std::int64_t too_many = std::int64_t{1} << 31;

template <class F>
std::string refusal(F call) {
  return message_of<ShapeError>([&] { static_cast<void>(call()); });
}

TEST_CASE("sizes that leave int64 are refused, by name and with what was asked for") {
  CHECK(refusal([] {
          return tile(zeros({0, half}), {1, 4});
        }) == "tile: more than 2^63 - 1 elements: a size of 4611686018427387904 times 4");
  CHECK(refusal([] {
          return concat({zeros({0, half}), zeros({0, half})}, 1);
        }) == "concat: more than 2^63 - 1 elements along axis 1");
  CHECK(refusal([] {
          return pad(zeros({0, 3}), {.axis = 1, .low = largest});
        }) ==
        "pad: more than 2^63 - 1 elements: x is [0, 3], axis 1 gets low 9223372036854775807, high 0, "
        "interior 0");
  CHECK(
      refusal([] {
        return diag_embed(zeros({0, 3}), {.offset = -largest - 1});
      }) ==
      "diag_embed: more than 2^63 - 1 rows: the diagonal has 3 elements, the offset is -9223372036854775808");
}

TEST_CASE("windows of sides that leave int32 are refused, by name and with the shape") {
  const Tensor image = zeros({0, 1, too_many, 1}), volume = zeros({0, 1, too_many, 1, 1});
  CHECK(refusal([&] {
          return conv_transpose2d(image, ones({1, 1, 1, 1}));
        }) == "conv_transpose2d: more than 2^31 - 1 rows or columns: x is [0, 1, 2147483648, 1]");
  CHECK(refusal([&] { return max_pool3d(volume, {.kernel = 1}); }) ==
        "max_pool3d: more than 2^31 - 1 elements in one direction: x is [0, 1, 2147483648, 1, 1]");
  CHECK(refusal([&] {
          return max_unpool2d(image, zeros({0, 1, too_many, 1}, {.dtype = int64}), {.kernel = 1});
        }) == "max_unpool2d: more than 2^31 - 1 rows or columns: x is [0, 1, 2147483648, 1]");
  CHECK(message_of<ValueError>([] {
          static_cast<void>(max_pool3d(zeros({1, 1, 2, 2, 2}), {.kernel = too_many}));
        }) == "max_pool3d: kernel must be at most 2^31 - 1, got 2147483648x2147483648x2147483648");
}

TEST_CASE("windows of images without a side are refused, by name and with the shape") {
  CHECK(refusal([] {
          return max_pool2d(zeros({1, 1, 0, 3}), {.kernel = 1});
        }) == "max_pool2d: the image has no rows or no columns: x is [1, 1, 0, 3]");
  CHECK(refusal([] {
          return max_pool3d(zeros({1, 1, 2, 0, 3}), {.kernel = 1});
        }) == "max_pool3d: a side has no elements: x is [1, 1, 2, 0, 3]");
  CHECK(refusal([] {
          return affine_grid(zeros({1, 2, 3}), {1, 1, 0, 2});
        }) == "affine_grid: sizes must be at least 1: size is [1, 1, 0, 2]");
}

TEST_CASE("meshgrid of more vectors than a tensor has axes is refused") {
  const std::vector<Tensor> vectors(Shape::max_rank + 1, ones({2}));
  CHECK(refusal([&] { return meshgrid(vectors)[0]; }) ==
        "meshgrid: at most 8 vectors, for as many axes, got 9");
}

}}  // namespace xtgrad::testing
