#include "xtgrad/datasets/resize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "xtgrad/datasets/image_sample.h"
#include "xtgrad/datasets/resample.h"

namespace xtgrad::inline v1::datasets {

namespace {

using detail::ImageWindow;

constexpr int attempts = 10;

std::int64_t rounded(double x) { return static_cast<std::int64_t>(std::lround(x)); }

/// A part of a side, at least a pixel.
std::int64_t part_of(double wanted, std::int64_t side) {
  return std::clamp<std::int64_t>(rounded(wanted), 1, side);
}

ImageWindow in_the_middle(const Shape& image, std::int64_t height, std::int64_t width) {
  return {.top = (image[1] - height) / 2, .left = (image[2] - width) / 2, .height = height, .width = width};
}

/// The largest window in the middle whose ratio of width to height is within the bounds.
ImageWindow middle_window(const Shape& image, double least, double most) {
  const auto height = static_cast<double>(image[1]);
  const auto width = static_cast<double>(image[2]);
  if (width < least * height) return in_the_middle(image, part_of(width / least, image[1]), image[2]);
  if (width > most * height) return in_the_middle(image, image[1], part_of(height * most, image[2]));
  return in_the_middle(image, image[1], image[2]);
}

std::optional<ImageWindow> drawn_window(const RandomResizedCropOptions& options, const Shape& image,
                                        Random& random) {
  const double area = static_cast<double>(image[1]) * static_cast<double>(image[2]) *
                      detail::uniform_in(options.scale, random);
  const double ratio = detail::log_uniform_in(options.ratio, random);
  const double height = std::round(std::sqrt(area / ratio));
  const double width = std::round(std::sqrt(area * ratio));
  if (height < 1 || width < 1 || height > static_cast<double>(image[1]) ||
      width > static_cast<double>(image[2])) {
    return std::nullopt;
  }
  ImageWindow window{.top = 0, .left = 0, .height = rounded(height), .width = rounded(width)};
  window.top = random.next_below(image[1] - window.height + 1);
  window.left = random.next_below(image[2] - window.width + 1);
  return window;
}

ImageWindow random_window(const RandomResizedCropOptions& options, const Shape& image, Random& random) {
  for (int i = 0; i < attempts; ++i) {
    if (const auto window = drawn_window(options, image, random)) return *window;
  }
  return middle_window(image, options.ratio[0], options.ratio[1]);
}

}  // namespace

SampleTransform resize(const ResizeOptions& options) {
  detail::require_size("resize", options.size);
  return {[options](const SampleView& from, const SampleTarget& to, Random&) {
            detail::require_numbers("resize", from.dtype());
            const double ratio =
                static_cast<double>(options.size.width) / static_cast<double>(options.size.height);
            const ImageWindow window = options.crop
                                           ? middle_window(from.shape(), ratio, ratio)
                                           : in_the_middle(from.shape(), from.shape()[1], from.shape()[2]);
            detail::resample(from, window, to, options.antialias);
          },
          [size = options.size](const Shape& sample) {
            detail::require_pixels("resize", sample);
            return Shape{sample[0], size.height, size.width};
          }};
}

SampleTransform random_resized_crop(const RandomResizedCropOptions& options) {
  detail::require_size("random_resized_crop", options.size);
  detail::require_scale("random_resized_crop", options.scale);
  detail::require_range("random_resized_crop", "ratio", options.ratio);
  return {[options](const SampleView& from, const SampleTarget& to, Random& random) {
            detail::require_numbers("random_resized_crop", from.dtype());
            detail::resample(from, random_window(options, from.shape(), random), to, options.antialias);
          },
          [size = options.size](const Shape& sample) {
            detail::require_pixels("random_resized_crop", sample);
            return Shape{sample[0], size.height, size.width};
          }};
}

}  // namespace xtgrad::v1::datasets
