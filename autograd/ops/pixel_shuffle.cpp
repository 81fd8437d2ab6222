#include <fmt/format.h>

#include <string_view>

#include "xtgrad/autograd/core/op_id.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/image_sampling.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

[[noreturn]] void throw_not_divided(OpId op, std::string_view what, const Shape& x, std::int64_t factor) {
  throw ShapeError(fmt::format("{}: {}: x is {}, factor {}", to_string(op), what, to_string(x), factor));
}

/// Checks all but what the factor must divide; returns the number of images.
std::int64_t checked_images(OpId op, const Shape& x, std::int64_t factor) {
  constexpr std::int64_t largest = 1 << 15;
  if (factor < 1 || factor > largest) {
    throw ValueError(
        fmt::format("{}: the factor must be from 1 to {}, got {}", to_string(op), largest, factor));
  }
  if (x.rank() < 3) {
    throw ShapeError(fmt::format("{}: x needs at least 3 dimensions [..., c, h, w]: x is {}", to_string(op),
                                 to_string(x)));
  }
  std::int64_t images = 1;
  for (std::size_t d = 0; d + 3 < x.rank(); ++d) images *= x[d];
  return images;
}

/// x's shape with other channels, height and width.
Shape with_image(Shape x, std::int64_t c, std::int64_t h, std::int64_t w) {
  const std::size_t rank = x.rank();
  x[rank - 3] = c;
  x[rank - 2] = h;
  x[rank - 1] = w;
  return x;
}

}}  // namespace detail

using detail::OpId;

Tensor pixel_shuffle(const Tensor& x, std::int64_t factor) {
  const Shape& shape = x.shape();
  const std::int64_t images = detail::checked_images(OpId::pixel_shuffle, shape, factor);
  const std::size_t rank = shape.rank();
  const std::int64_t c = shape[rank - 3], h = shape[rank - 2], w = shape[rank - 1];
  if (c % (factor * factor) != 0) {
    detail::throw_not_divided(OpId::pixel_shuffle, "the factor's square must divide the channels", shape,
                              factor);
  }
  const std::int64_t left = c / (factor * factor);
  const Tensor apart = detail::reshaped(x, {images * left, factor, factor, h, w});
  const Tensor together = permute(apart, {0, 3, 1, 4, 2});
  return detail::reshaped(together, detail::with_image(shape, left, h * factor, w * factor));
}

Tensor pixel_unshuffle(const Tensor& x, std::int64_t factor) {
  const Shape& shape = x.shape();
  const std::int64_t images = detail::checked_images(OpId::pixel_unshuffle, shape, factor);
  const std::size_t rank = shape.rank();
  const std::int64_t c = shape[rank - 3], h = shape[rank - 2], w = shape[rank - 1];
  if (h % factor != 0 || w % factor != 0) {
    detail::throw_not_divided(OpId::pixel_unshuffle, "the factor must divide height and width", shape,
                              factor);
  }
  const Tensor together = detail::reshaped(x, {images * c, h / factor, factor, w / factor, factor});
  const Tensor apart = permute(together, {0, 2, 4, 1, 3});
  return detail::reshaped(apart, detail::with_image(shape, c * factor * factor, h / factor, w / factor));
}

}  // namespace xtgrad::v1
