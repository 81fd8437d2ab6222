#include "xtgrad/datasets/random_erasing.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/datasets/image_sample.h"
#include "xtgrad/datasets/resample.h"

namespace xtgrad::inline v1::datasets {

namespace {

using detail::ImageWindow;

constexpr int attempts = 10;

std::optional<ImageWindow> drawn_rectangle(const RandomErasingOptions& options, const Shape& image,
                                           Random& random) {
  const double area = static_cast<double>(image[1]) * static_cast<double>(image[2]) *
                      detail::uniform_in(options.scale, random);
  const double ratio = detail::log_uniform_in(options.ratio, random);
  const auto height = static_cast<std::int64_t>(std::lround(std::sqrt(area * ratio)));
  const auto width = static_cast<std::int64_t>(std::lround(std::sqrt(area / ratio)));
  if (height >= image[1] || width >= image[2]) return std::nullopt;
  ImageWindow window{.top = 0, .left = 0, .height = height, .width = width};
  window.top = random.next_below(image[1] - height + 1);
  window.left = random.next_below(image[2] - width + 1);
  return window;
}

std::optional<ImageWindow> random_rectangle(const RandomErasingOptions& options, const Shape& image,
                                            Random& random) {
  if (random.next_uniform() >= options.p) return std::nullopt;
  for (int i = 0; i < attempts; ++i) {
    if (const auto window = drawn_rectangle(options, image, random)) return window;
  }
  return std::nullopt;
}

/// Writes next() to each pixel of the window.
template <class T, class Next>
void cover(T* image, std::int64_t stride, const ImageWindow& window, const Next& next) {
  for (std::int64_t i = window.top; i < window.top + window.height; ++i) {
    T* line = image + i * stride + window.left;
    std::generate(line, line + window.width, next);
  }
}

void erase(const RandomErasingOptions& options, const SampleView& from, const SampleTarget& to,
           Random& random) {
  const Shape& shape = from.shape();
  const std::optional<ImageWindow> window = random_rectangle(options, shape, random);
  const auto run = [&]<class T>(T) {
    const auto pixels = from.data<T>();
    T* image = to.data<T>().data();
    std::copy(pixels.begin(), pixels.end(), image);
    if (!window) return;
    for (std::int64_t c = 0; c < shape[0]; ++c, image += shape[1] * shape[2]) {
      if (options.noise) {
        cover(image, shape[2], *window, [&] { return static_cast<T>(random.next_normal()); });
      } else {
        const double value = options.value[options.value.size() == 1 ? 0 : static_cast<std::size_t>(c)];
        cover(image, shape[2], *window, [x = detail::to_element<T>(value)] { return x; });
      }
    }
  };
  if (from.dtype() == uint8) {
    run(std::uint8_t{});
  } else {
    xtgrad::detail::visit_floating(from.dtype(), run);
  }
}

}  // namespace

SampleTransform random_erasing(const RandomErasingOptions& options) {
  detail::require_probability("random_erasing", options.p);
  detail::require_scale("random_erasing", options.scale);
  detail::require_range("random_erasing", "ratio", options.ratio);
  detail::require_channel_values("random_erasing", "value", options.value);
  return {[options](const SampleView& from, const SampleTarget& to, Random& random) {
            if (options.noise) {
              detail::require_floating("random_erasing", from.dtype());
            } else {
              detail::require_numbers("random_erasing", from.dtype());
            }
            erase(options, from, to, random);
          },
          [count = options.value.size()](const Shape& sample) {
            detail::require_image("random_erasing", sample);
            detail::require_channels("random_erasing", "value", count, sample);
            return sample;
          }};
}

}  // namespace xtgrad::v1::datasets
