#include "xtgrad/datasets/random_rotation.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/checks.h"
#include "xtgrad/datasets/image_sample.h"
#include "xtgrad/datasets/resample.h"

namespace xtgrad::inline v1::datasets {

namespace {

/// One channel, and what is around it.
template <class T>
struct Plane {
  const T* pixels;
  std::int64_t height;
  std::int64_t width;
  double fill;

  [[nodiscard]] double at(std::int64_t i, std::int64_t j) const {
    const bool inside = i >= 0 && i < height && j >= 0 && j < width;
    return inside ? static_cast<double>(pixels[i * width + j]) : fill;
  }

  /// The value at a place between pixels.
  [[nodiscard]] double at(double y, double x) const {
    const double top = std::floor(y);
    const double left = std::floor(x);
    const auto i = static_cast<std::int64_t>(top);
    const auto j = static_cast<std::int64_t>(left);
    const double down = y - top;
    const double right = x - left;
    return (1 - down) * ((1 - right) * at(i, j) + right * at(i, j + 1)) +
           down * ((1 - right) * at(i + 1, j) + right * at(i + 1, j + 1));
  }
};

template <class T>
void rotate_plane(const Plane<T>& plane, double radians, T* out) {
  const double cosine = std::cos(radians);
  const double sine = std::sin(radians);
  const double middle_y = static_cast<double>(plane.height - 1) / 2;
  const double middle_x = static_cast<double>(plane.width - 1) / 2;
  for (std::int64_t i = 0; i < plane.height; ++i) {
    for (std::int64_t j = 0; j < plane.width; ++j) {
      // From the result back to the image; y grows downwards.
      const double dy = static_cast<double>(i) - middle_y;
      const double dx = static_cast<double>(j) - middle_x;
      *out++ = detail::to_element<T>(
          plane.at(middle_y + sine * dx + cosine * dy, middle_x + cosine * dx - sine * dy));
    }
  }
}

void rotate(const SampleView& from, const SampleTarget& to, double radians, const std::vector<double>& fill) {
  const auto run = [&]<class T>(T) {
    Plane<T> plane{from.data<T>().data(), from.shape()[1], from.shape()[2], 0};
    T* out = to.data<T>().data();
    const std::int64_t area = plane.height * plane.width;
    for (std::int64_t c = 0; c < from.shape()[0]; ++c, plane.pixels += area, out += area) {
      plane.fill = fill[fill.size() == 1 ? 0 : static_cast<std::size_t>(c)];
      rotate_plane(plane, radians, out);
    }
  };
  if (from.dtype() == uint8) {
    run(std::uint8_t{});
  } else {
    xtgrad::detail::visit_floating(from.dtype(), run);
  }
}

}  // namespace

SampleTransform random_rotation(const RandomRotationOptions& options) {
  const std::array<double, 2>& degrees = options.degrees;
  detail::require_finite("random_rotation", "degrees", degrees[0]);
  detail::require_finite("random_rotation", "degrees", degrees[1]);
  if (degrees[0] > degrees[1] || (degrees[0] == 0 && degrees[1] == 0)) {
    throw ValueError(fmt::format("random_rotation: degrees must not fall, nor both be 0: got {} to {}",
                                 degrees[0], degrees[1]));
  }
  detail::require_channel_values("random_rotation", "fill", options.fill);
  return {[options](const SampleView& from, const SampleTarget& to, Random& random) {
            detail::require_numbers("random_rotation", from.dtype());
            const double angle = detail::uniform_in(options.degrees, random);
            rotate(from, to, angle * (std::numbers::pi / 180), options.fill);
          },
          [count = options.fill.size()](const Shape& sample) {
            detail::require_image("random_rotation", sample);
            detail::require_channels("random_rotation", "fill", count, sample);
            return sample;
          }};
}

}  // namespace xtgrad::v1::datasets
