#include "xtgrad/datasets/resample.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::datasets::detail {

namespace {

/// The pixels of a line that one pixel of the result is a mean of: weights[k] for pixel first + k.
struct Taps {
  std::int64_t first;
  std::vector<double> weights;
};

/// Pixel k lies at k + 1/2, as the length of both lines is the same. A tent of half-width 1 around the
/// result's pixel weighs those of the line; with antialiasing it is as wide as the result's pixels are apart,
/// so that each pixel of the line counts. Beyond the edges there is nothing, and the weights sum up to 1.
std::vector<Taps> taps_of(std::int64_t from, std::int64_t to, bool antialias) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double width = antialias ? std::max(scale, 1.0) : 1.0;
  std::vector<Taps> taps;
  taps.reserve(static_cast<std::size_t>(to));
  for (std::int64_t i = 0; i < to; ++i) {
    const double middle = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<std::int64_t>(static_cast<std::int64_t>(std::floor(middle - width + 0.5)), 0);
    const auto last =
        std::min<std::int64_t>(static_cast<std::int64_t>(std::floor(middle + width + 0.5)), from);
    Taps tap{.first = first, .weights = {}};
    double sum = 0;
    for (std::int64_t k = first; k < last; ++k) {
      const double distance = std::abs(static_cast<double>(k) + 0.5 - middle) / width;
      tap.weights.push_back(std::max(0.0, 1 - distance));
      sum += tap.weights.back();
    }
    for (double& weight : tap.weights) weight /= sum;
    taps.push_back(std::move(tap));
  }
  return taps;
}

/// One channel: rows first, into `between`, [window.height, columns.size()].
template <class T>
void resample_channel(const T* image, std::int64_t stride, const ImageWindow& window,
                      const std::vector<Taps>& rows, const std::vector<Taps>& columns,
                      std::vector<double>& between, T* out) {
  const std::size_t width = columns.size();
  for (std::int64_t i = 0; i < window.height; ++i) {
    const T* line = image + (window.top + i) * stride + window.left;
    double* to = between.data() + static_cast<std::size_t>(i) * width;
    for (const Taps& tap : columns) {
      double sum = 0;
      const T* pixel = line + tap.first;
      for (const double weight : tap.weights) sum += weight * static_cast<double>(*pixel++);
      *to++ = sum;
    }
  }
  std::vector<double> line(width);
  for (const Taps& tap : rows) {
    std::fill(line.begin(), line.end(), 0.0);
    const double* from = between.data() + static_cast<std::size_t>(tap.first) * width;
    for (const double weight : tap.weights) {
      for (double& sum : line) sum += weight * *from++;
    }
    for (const double sum : line) *out++ = to_element<T>(sum);
  }
}

}  // namespace

void resample(const SampleView& from, const ImageWindow& window, const SampleTarget& to, bool antialias) {
  const std::vector<Taps> rows = taps_of(window.height, to.shape()[1], antialias);
  const std::vector<Taps> columns = taps_of(window.width, to.shape()[2], antialias);
  std::vector<double> between(static_cast<std::size_t>(window.height) * columns.size());
  const auto run = [&]<class T>(T) {
    const T* image = from.data<T>().data();
    T* out = to.data<T>().data();
    for (std::int64_t c = 0; c < from.shape()[0]; ++c) {
      resample_channel(image, from.shape()[2], window, rows, columns, between, out);
      image += from.shape()[1] * from.shape()[2];
      out += to.shape()[1] * to.shape()[2];
    }
  };
  if (from.dtype() == uint8) {
    run(std::uint8_t{});
  } else {
    xtgrad::detail::visit_floating(from.dtype(), run);
  }
}

}  // namespace xtgrad::v1::datasets::detail
