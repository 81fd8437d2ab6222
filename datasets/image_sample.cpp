#include "xtgrad/datasets/image_sample.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/checks.h"

namespace xtgrad::inline v1::datasets::detail {

void require_image(std::string_view function, const Shape& sample) {
  if (sample.rank() != 3) {
    throw ShapeError(fmt::format("{}: needs samples [c, h, w]: a sample is {}; reshape the data set's inputs",
                                 function, to_string(sample)));
  }
}

void require_pixels(std::string_view function, const Shape& sample) {
  require_image(function, sample);
  if (sample[1] < 1 || sample[2] < 1) {
    throw ShapeError(
        fmt::format("{}: an image must have pixels: a sample is {}", function, to_string(sample)));
  }
}

void require_size(std::string_view function, const Size2d& size) {
  if (size.height < 1 || size.width < 1) {
    throw ValueError(fmt::format("{}: size must be at least 1x1: got {}", function, to_string(size)));
  }
}

void require_range(std::string_view function, std::string_view option, const std::array<double, 2>& range) {
  const auto [low, high] = range;
  if (low > 0 && low <= high && std::isfinite(high)) return;
  throw ValueError(fmt::format("{}: {} must be finite, positive, and not fall: got {} to {}", function,
                               option, low, high));
}

void require_scale(std::string_view function, const std::array<double, 2>& scale) {
  require_range(function, "scale", scale);
  if (scale[1] > 1) throw ValueError(fmt::format("{}: scale must be at most 1: got {}", function, scale[1]));
}

void require_channel_values(std::string_view function, std::string_view option,
                            std::span<const double> values) {
  if (values.empty()) {
    throw ValueError(fmt::format("{}: {} must have a number, or one a channel: got none", function, option));
  }
  for (const double value : values) require_finite(function, option, value);
}

void require_channels(std::string_view function, std::string_view option, std::size_t values,
                      const Shape& sample) {
  if (values == 1 || static_cast<std::int64_t>(values) == sample[0]) return;
  throw ShapeError(fmt::format("{}: numbers of channels differ: {} has {}, a sample is {}", function, option,
                               values, to_string(sample)));
}

void require_probability(std::string_view function, double p) {
  if (!(p >= 0 && p <= 1)) throw ValueError(fmt::format("{}: p must be in [0, 1]: got {}", function, p));
}

void require_floating(std::string_view function, Dtype dtype) {
  if (is_floating(dtype)) return;
  throw DtypeError(fmt::format("{}: samples must be float32 or float64: got {}", function, to_string(dtype)));
}

void require_numbers(std::string_view function, Dtype dtype) {
  if (is_floating(dtype) || dtype == uint8) return;
  throw DtypeError(
      fmt::format("{}: samples must be float32, float64 or uint8: got {}", function, to_string(dtype)));
}

double uniform_in(const std::array<double, 2>& range, Random& random) {
  return range[0] + (range[1] - range[0]) * random.next_uniform();
}

double log_uniform_in(const std::array<double, 2>& range, Random& random) {
  return std::exp(uniform_in({std::log(range[0]), std::log(range[1])}, random));
}

}  // namespace xtgrad::v1::datasets::detail
