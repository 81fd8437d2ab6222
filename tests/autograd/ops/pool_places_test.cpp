// What max pooling keeps for its rule: where the largest elements are, and nothing else.
#include <doctest/doctest.h>

#include <cstdint>
#include <span>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/core/buffer.h"
#include "xtgrad/autograd/core/trace.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/kernels/levels/max_pool2d.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// Bytes that the pool hands out for a buffer of `bytes` bytes of elements.
std::int64_t block_bytes(std::int64_t bytes) {
  return static_cast<std::int64_t>(detail::pool_class_bytes(
      detail::pool_class_of(static_cast<std::size_t>(bytes) + detail::Buffer::alignment)));
}

TEST_CASE("after max pooling its input is released, and the places are kept") {
  constexpr std::int64_t outputs = 8 * 4 * 16 * 16;
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    const std::int64_t item = dtype == float32 ? 4 : 8;
    const Tensor leaf = full({8, 4, 32, 32}, 0.5, {.dtype = dtype, .requires_grad = true});
    const std::int64_t before = detail::pool_stats().live_bytes;
    // The scaling's rule reads neither its input nor its output.
    Tensor y = max_pool2d(leaf * 2, {.kernel = 2});
    const std::int64_t kept = detail::pool_stats().live_bytes - before;
    const std::int64_t buffers = block_bytes(outputs * item) + block_bytes(outputs * 4);
    CHECK(kept > buffers);
    CHECK(kept <= buffers + 2 * 256);  // and two nodes
    sum(y).backward();
    CHECK(leaf.grad().at({0, 0, 0, 0}) == 2);
    CHECK(leaf.grad().at({0, 0, 0, 1}) == 0);
  }
}

TEST_CASE("the rule's own rules keep the places, not x") {
  const Tensor leaf = full({4, 4, 32, 32}, 0.5, {.requires_grad = true});
  const Tensor y = max_pool2d(leaf * 2, {.kernel = 2});
  const Tensor g = ones(y.shape()).set_requires_grad();
  const std::int64_t before = detail::pool_stats().live_bytes;
  const Tensor dx = grad({y}, {leaf}, {.cotangents = {g}, .create_graph = true})[0];
  // dx itself and two nodes, of max_pool2d_put and of the scaling: the places are those of y.
  CHECK(detail::pool_stats().live_bytes - before <= block_bytes(4 * 4 * 32 * 32 * 4) + 3 * 256);
  const Tensor u = arange(4 * 4 * 32 * 32, {}, {.dtype = float32});
  const Tensor dg = grad({dx}, {g}, {.cotangents = {reshape(u, dx.shape())}})[0];
  CHECK(dg.at({0, 0, 0, 1}) == 2 * 2);
  CHECK(dg.at({0, 0, 1, 0}) == 2 * 64);
}

TEST_CASE("places are computed only where something records") {
  const auto traced_places = [](const Tensor& x) {
    const detail::Tracer tracer;
    const Tensor y = max_pool2d(x, {.kernel = 2});
    const detail::TracedStep& step = tracer.trace().steps.at(0);
    REQUIRE(step.outputs.size() == 2);
    return step.outputs[1].value != detail::TracedOperand::none;
  };
  const Tensor x = ones({1, 1, 4, 4});
  CHECK_FALSE(traced_places(x));
  Tensor leaf = ones({1, 1, 4, 4}, {.requires_grad = true});
  CHECK(traced_places(leaf));
  const NoGrad no_grad;
  CHECK_FALSE(traced_places(leaf));
}

TEST_CASE("places are int32 where that says where an element of a plane is, else int64") {
  const auto dtype_for = [](std::int64_t height, std::int64_t width) {
    return max_pool2d_places(zeros({0, 1, height, width}), {.kernel = 1}).dtype();
  };
  constexpr std::int64_t most = 2147483647;
  CHECK(dtype_for(4, 4) == int32);
  CHECK(dtype_for(1, most) == int32);
  CHECK(dtype_for(most, 1) == int32);
  CHECK(dtype_for(32768, 65535) == int32);
  CHECK(dtype_for(32768, 65536) == int64);
  CHECK(dtype_for(1, most + 1) == int64);
  CHECK(dtype_for(most + 1, 1) == int64);
}

TEST_CASE("places of 32 and of 64 bits are the same, by both kernels") {
  Random random(9);
  for (const Dtype dtype : {float32, float64}) {
    for (const detail::Window& window :
         {detail::Window{.kernel = 2, .stride = 2}, detail::Window{.kernel = 3, .stride = 2, .padding = 1}}) {
      CAPTURE(to_string(dtype));
      CAPTURE(to_string(window.kernel));
      for (const std::int64_t side : {18, 36}) {
        const Tensor x = randn({2, 3, side, side}, random, {.dtype = dtype});
        const detail::WindowedPlanes at{.planes = 6, .image = side, .places = side / 2, .window = window};
        const Shape pooled{2, 3, side / 2, side / 2};
        std::vector<Tensor> found;
        for (const Dtype index : {int32, int64}) {
          detail::Array y = detail::Array::uninitialized(pooled, dtype);
          detail::Array places = detail::Array::uninitialized(pooled, index);
          detail::max_pool_planes(at, detail::array_of(x), &y, &places);
          found.push_back(detail::make_constant(std::move(y)));
          found.push_back(detail::make_constant(std::move(places)));
        }
        CHECK(same_bits(found[0], found[2]));
        CHECK(same_bits(found[1].to(int64), found[3]));
        CHECK(same_bits(max_pool2d_take(x, found[1]), found[0]));
        CHECK(same_bits(max_pool2d_take(x, found[3]), found[0]));
        const Tensor g = randn(pooled, random, {.dtype = dtype});
        CHECK(same_bits(max_pool2d_put(g, found[1], side), max_pool2d_put(g, found[3], side)));
      }
    }
  }
}

/// The place of the largest element of one window on a single plane, element by element.
template <class T>
std::int64_t place_by_hand(std::span<const T> x, const detail::WindowedPlanes& at, std::int64_t i,
                           std::int64_t j) {
  const detail::WindowSide rows = at.window.rows(), columns = at.window.columns();
  std::int64_t best = -1;
  for (std::int64_t a = 0; a < rows.kernel; ++a) {
    for (std::int64_t b = 0; b < columns.kernel; ++b) {
      const std::int64_t row = i * rows.stride + rows.offset(a),
                         column = j * columns.stride + columns.offset(b);
      if (row < 0 || row >= at.image.height || column < 0 || column >= at.image.width) continue;
      const std::int64_t next = row * at.image.width + column;
      const auto value = [&](std::int64_t k) { return x[static_cast<std::size_t>(k)]; };
      if (best < 0 || (value(best) == value(best) && !(value(next) <= value(best)))) best = next;
    }
  }
  return best;
}

TEST_CASE("places in rows of every length, for every stride and dilation") {
  Random random(11);
  for (const Dtype dtype : {float32, float64}) {
    for (const std::int64_t stride : {1, 2, 3}) {
      for (const std::int64_t dilation : {1, 2}) {
        for (std::int64_t width = 1; width < 75; width += width < 40 ? 1 : 7) {
          CAPTURE(to_string(dtype));
          CAPTURE(stride);
          CAPTURE(dilation);
          CAPTURE(width);
          const MaxPool2dOptions options{
              .kernel = 3, .stride = stride, .padding = 1, .dilation = dilation, .ceil_mode = true};
          if (width + 2 < 2 * dilation + 1) continue;
          // Few values, so many tie; the logarithm makes NaN and -inf of some.
          const Tensor x = log(uniform({1, 1, 5, width}, {.low = -2, .high = 4}, random).to(int64).to(dtype));
          const Tensor y = max_pool2d(x, options), places = max_pool2d_places(x, options);
          const detail::WindowedPlanes at{.planes = 1,
                                          .image = {5, width},
                                          .places = {y.shape()[2], y.shape()[3]},
                                          .window = {3, stride, 1, dilation}};
          std::vector<std::int32_t> want;
          for (std::int64_t i = 0; i < at.places.height; ++i) {
            for (std::int64_t j = 0; j < at.places.width; ++j) {
              want.push_back(static_cast<std::int32_t>(
                  dtype == float32 ? place_by_hand(std::span(x.data<float>()), at, i, j)
                                   : place_by_hand(std::span(x.data<double>()), at, i, j)));
            }
          }
          const auto got = places.data<std::int32_t>();
          CHECK(std::vector<std::int32_t>(got.begin(), got.end()) == want);
          const Tensor nowhere = places < 0;
          CHECK(same_bits(y, where(nowhere, -infinity, max_pool2d_take(x, places))));
        }
      }
    }
  }
}

TEST_CASE("an image that int64 cannot count is refused") {
  constexpr std::int64_t large = std::int64_t{1} << 40;
  for (const std::int64_t n : {0, 1}) {
    const Tensor places = zeros({n, 1, 1, 1}, {.dtype = int32});
    CHECK_THROWS_AS((void)max_pool2d_put(ones({n, 1, 1, 1}), places, large), ShapeError);
  }
}

TEST_CASE("-1 takes nothing and puts nothing, and a plane may be empty") {
  const Tensor none = full({2, 1, 1, 3}, -1, {.dtype = int32});
  CHECK(same_bits(max_pool2d_take(zeros({2, 1, 0, 3}), none), zeros({2, 1, 1, 3})));
  CHECK(max_pool2d_put(ones({2, 1, 1, 3}), none, {0, 3}).shape() == Shape{2, 1, 0, 3});
  CHECK(same_bits(max_pool2d_put(ones({2, 1, 1, 3}), none, 2), zeros({2, 1, 2, 2})));
}

}}  // namespace xtgrad::testing
