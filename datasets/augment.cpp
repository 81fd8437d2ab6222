#include "xtgrad/datasets/augment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/checks.h"
#include "xtgrad/datasets/image_sample.h"
#include "xtgrad/datasets/transforms.h"

namespace xtgrad::inline v1::datasets {

namespace {

using detail::require_image;
using xtgrad::detail::BufferRef;
using xtgrad::detail::bytes_of;
using xtgrad::detail::visit;
using xtgrad::detail::visit_floating;

/// The source of position `i` in a line of `size` pixels; -1 for none.
std::int64_t source_of(std::int64_t i, std::int64_t size, CropPadding mode) {
  if (i >= 0 && i < size) return i;
  if (mode == CropPadding::zeros) return -1;
  return i < 0 ? -i : 2 * (size - 1) - i;
}

/// The window of [c, h, w] with its corner at (top, left), which may lie outside.
struct Window {
  std::int64_t top;
  std::int64_t left;
  CropPadding mode;
};

template <class T>
void copy_line(const T* from, std::int64_t from_width, T* to, std::int64_t width, const Window& window) {
  // Columns [begin, end) lie in the image.
  const std::int64_t begin = std::clamp<std::int64_t>(-window.left, 0, width);
  const std::int64_t end = std::clamp<std::int64_t>(from_width - window.left, begin, width);
  const auto outside = [&](std::int64_t first, std::int64_t last) {
    if (window.mode == CropPadding::zeros) {
      std::fill(to + first, to + last, T{0});
      return;
    }
    for (std::int64_t j = first; j < last; ++j)
      to[j] = from[source_of(window.left + j, from_width, window.mode)];
  };
  outside(0, begin);
  std::copy(from + window.left + begin, from + window.left + end, to + begin);
  outside(end, width);
}

void copy_window(const SampleView& from, const SampleTarget& to, const Window& window) {
  const std::int64_t channels = from.shape()[0];
  const std::int64_t from_height = from.shape()[1];
  const std::int64_t from_width = from.shape()[2];
  const std::int64_t height = to.shape()[1];
  const std::int64_t width = to.shape()[2];
  visit(from.dtype(), [&]<class T>(T) {
    const T* image = from.data<T>().data();
    T* line = to.data<T>().data();
    for (std::int64_t c = 0; c < channels; ++c, image += from_height * from_width) {
      for (std::int64_t i = 0; i < height; ++i, line += width) {
        const std::int64_t row = source_of(window.top + i, from_height, window.mode);
        if (row < 0) {
          std::fill_n(line, width, T{0});
        } else {
          copy_line(image + row * from_width, from_width, line, width, window);
        }
      }
    }
  });
}

void check_crop(const RandomCropOptions& options) {
  const auto& [size, padding, mode] = options;
  if (size.height < 1 || size.width < 1) {
    throw ValueError(fmt::format("random_crop: size must be at least 1x1: got {}", to_string(size)));
  }
  if (padding.height < 0 || padding.width < 0) {
    throw ValueError(fmt::format("random_crop: padding must be at least 0: got {}", to_string(padding)));
  }
  if (padding.height >= size.height || padding.width >= size.width) {
    throw ValueError(
        fmt::format("random_crop: padding must be less than size, or a crop may show nothing of "
                    "the image: padding is {}, size is {}",
                    to_string(padding), to_string(size)));
  }
}

Shape cropped_shape(const RandomCropOptions& options, const Shape& sample) {
  require_image("random_crop", sample);
  const auto& [size, padding, mode] = options;
  // Not size > image + 2 padding, which may overflow.
  if (size.height - padding.height - sample[1] > padding.height ||
      size.width - padding.width - sample[2] > padding.width) {
    throw ShapeError(
        fmt::format("random_crop: crop is larger than the padded image: size is {}, padding is {}, "
                    "a sample is {}",
                    to_string(size), to_string(padding), to_string(sample)));
  }
  if (mode == CropPadding::reflect && (padding.height >= std::max<std::int64_t>(sample[1], 1) ||
                                       padding.width >= std::max<std::int64_t>(sample[2], 1))) {
    throw ShapeError(fmt::format(
        "random_crop: padding by reflection must be less than the image: padding is {}, a sample is {}",
        to_string(padding), to_string(sample)));
  }
  return {sample[0], size.height, size.width};
}

template <class T>
void flip_lines(std::span<const T> from, std::span<T> to, std::int64_t width) {
  if (width == 0) return;
  const T* line = from.data();
  for (T* out = to.data(); out != to.data() + to.size(); line += width, out += width) {
    std::reverse_copy(line, line + width, out);
  }
}

void check_numbers(const NormalizeOptions& options) {
  const auto& [mean, scale] = options;
  if (mean.empty() || mean.size() != scale.size()) {
    throw ValueError(
        fmt::format("normalize: needs as many means as scales, one a channel: mean has {}, scale has {}",
                    mean.size(), scale.size()));
  }
  for (std::size_t c = 0; c < mean.size(); ++c) {
    if (!std::isfinite(mean[c]) || !std::isfinite(scale[c]) || scale[c] <= 0) {
      throw ValueError(
          fmt::format("normalize: mean must be finite, scale finite and positive: channel {} has {}, {}", c,
                      mean[c], scale[c]));
    }
  }
}

template <class T>
T scale_of(double scale) {
  const auto narrow = static_cast<T>(scale);
  if (narrow > 0 && std::isfinite(narrow)) return narrow;
  throw ValueError(fmt::format("normalize: scale {} is not a positive number of the samples' dtype", scale));
}

void normalize_sample(const NormalizeOptions& numbers, const SampleView& from, const SampleTarget& to) {
  if (!is_floating(from.dtype())) {
    throw DtypeError(
        fmt::format("normalize: samples must be float32 or float64: got {}", to_string(from.dtype())));
  }
  const auto channels = static_cast<std::size_t>(from.shape()[0]);
  visit_floating(from.dtype(), [&]<class T>(T) {
    const T* x = from.data<T>().data();
    T* y = to.data<T>().data();
    const std::size_t pixels = channels == 0 ? 0 : from.data<T>().size() / channels;
    for (std::size_t c = 0; c < channels; ++c, x += pixels, y += pixels) {
      const std::size_t of = numbers.mean.size() == 1 ? 0 : c;
      const auto mean = static_cast<T>(numbers.mean[of]);
      // A division, not a product with 1 / scale: the bits are those of Normalizer.
      const auto scale = scale_of<T>(numbers.scale[of]);
      for (std::size_t k = 0; k < pixels; ++k) y[k] = (x[k] - mean) / scale;
    }
  });
}

Shape shape_after(const std::vector<SampleTransform>& steps, const Shape& sample) {
  Shape shape = sample;
  for (const SampleTransform& step : steps) shape = step.output_shape(shape);
  return shape;
}

/// Results between two steps lie in blocks of the pool: after the first sample these are at hand, and warm.
void run(const std::vector<SampleTransform>& steps, const SampleView& from, const SampleTarget& to,
         Random& random) {
  SampleView current = from;
  BufferRef current_block;
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    const Shape shape = steps[i].output_shape(current.shape());
    BufferRef block = BufferRef::allocate(bytes_of(shape, from.dtype()));
    steps[i](current, SampleTarget(block.data(), shape, from.dtype()), random);
    current = SampleView(block.data(), shape, from.dtype());
    current_block = std::move(block);
  }
  steps.back()(current, to, random);
}

SampleTransform composed(std::vector<SampleTransform> steps) {
  if (steps.empty()) return {};
  if (steps.size() == 1) return std::move(steps.front());
  const auto shared = std::make_shared<const std::vector<SampleTransform>>(std::move(steps));
  return {[shared](const SampleView& from, const SampleTarget& to, Random& random) {
            run(*shared, from, to, random);
          },
          [shared](const Shape& sample) { return shape_after(*shared, sample); }};
}

}  // namespace

SampleTransform random_crop(const RandomCropOptions& options) {
  check_crop(options);
  return {[options](const SampleView& from, const SampleTarget& to, Random& random) {
            const auto corner = [&](std::int64_t image, std::int64_t padding, std::int64_t size) {
              return random.next_below(image + 2 * padding - size + 1) - padding;
            };
            const std::int64_t top = corner(from.shape()[1], options.padding.height, options.size.height);
            const std::int64_t left = corner(from.shape()[2], options.padding.width, options.size.width);
            copy_window(from, to, {.top = top, .left = left, .mode = options.mode});
          },
          [options](const Shape& sample) { return cropped_shape(options, sample); }};
}

SampleTransform random_flip(const RandomFlipOptions& options) {
  const double p = options.p;
  if (!(p >= 0 && p <= 1)) throw ValueError(fmt::format("random_flip: p must be in [0, 1]: got {}", p));
  return {[p](const SampleView& from, const SampleTarget& to, Random& random) {
            const bool flips = random.next_uniform() < p;
            visit(from.dtype(), [&]<class T>(T) {
              const std::span<const T> x = from.data<T>();
              if (flips) {
                flip_lines(x, to.data<T>(), from.shape()[2]);
              } else {
                std::copy(x.begin(), x.end(), to.data<T>().begin());
              }
            });
          },
          [](const Shape& sample) {
            require_image("random_flip", sample);
            return sample;
          }};
}

SampleTransform random_shift(const RandomShiftOptions& options) {
  const Size2d pixels = options.pixels;
  if (pixels.height < 0 || pixels.width < 0 || pixels == Size2d(0)) {
    throw ValueError(
        fmt::format("random_shift: pixels must not be negative, nor both 0: got {}", to_string(pixels)));
  }
  return {[pixels](const SampleView& from, const SampleTarget& to, Random& random) {
            const std::int64_t dy = random.next_below(2 * pixels.height + 1) - pixels.height;
            const std::int64_t dx = random.next_below(2 * pixels.width + 1) - pixels.width;
            copy_window(from, to, {.top = -dy, .left = -dx, .mode = CropPadding::zeros});
          },
          [pixels](const Shape& sample) {
            require_image("random_shift", sample);
            if (pixels.height >= std::max<std::int64_t>(sample[1], 1) ||
                pixels.width >= std::max<std::int64_t>(sample[2], 1)) {
              throw ShapeError(fmt::format(
                  "random_shift: pixels must be less than the image: pixels is {}, a sample is {}",
                  to_string(pixels), to_string(sample)));
            }
            return sample;
          }};
}

SampleTransform normalize(const NormalizeOptions& options) {
  check_numbers(options);
  const auto numbers = std::make_shared<const NormalizeOptions>(options);
  return {
      [numbers](const SampleView& from, const SampleTarget& to, Random&) {
        normalize_sample(*numbers, from, to);
      },
      [numbers](const Shape& sample) {
        require_image("normalize", sample);
        const auto count = static_cast<std::int64_t>(numbers->mean.size());
        if (count != 1 && count != sample[0]) {
          throw ShapeError(fmt::format("normalize: numbers of channels differ: mean has {}, a sample is {}",
                                       count, to_string(sample)));
        }
        return sample;
      }};
}

SampleTransform normalize(const Normalizer& normalizer) {
  const Shape& shape = normalizer.mean().shape();
  const bool per_channel = shape.rank() == 3 && shape[1] == 1 && shape[2] == 1;
  if (!per_channel && shape.numel() != 1) {
    throw ShapeError(
        fmt::format("normalize: needs a mean a channel, [c, 1, 1]: the normalizer's are {}; fit it "
                    "with per_channel",
                    to_string(shape)));
  }
  const std::span<const double> mean = normalizer.mean().data<double>();
  const std::span<const double> scale = normalizer.scale().data<double>();
  return normalize({.mean = {mean.begin(), mean.end()}, .scale = {scale.begin(), scale.end()}});
}

Augment::Augment(std::initializer_list<SampleTransform> steps) : whole_(composed(steps)) {}

Augment::Augment(std::vector<SampleTransform> steps) : whole_(composed(std::move(steps))) {}

}  // namespace xtgrad::v1::datasets
