#include "xtgrad/datasets/synthetic.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/checks.h"
#include "xtgrad/datasets/seed.h"

namespace xtgrad::inline v1::datasets {

namespace {

using std::numbers::pi;

struct Point {
  double x, y;
};

/// A data set from a formula's points and labels, with noise in each coordinate. `points` is [n, features].
Dataset with_noise(std::vector<double> points, const std::vector<std::int64_t>& labels, std::int64_t classes,
                   double noise, Random& random, Dtype dtype) {
  const auto n = static_cast<std::int64_t>(labels.size());
  const Shape shape = {n, static_cast<std::int64_t>(points.size()) / n};
  const Tensor normal = randn(shape, random, {.dtype = float64});
  const std::span<const double> z = normal.data<double>();
  // fma by name: whether a compiler contracts a product and a sum must not change the bits.
  for (std::size_t i = 0; i < points.size(); ++i) points[i] = std::fma(noise, z[i], points[i]);
  return Dataset({.inputs = from_span(points, shape, {.dtype = dtype}),
                  .labels = from_vector(labels),
                  .classes = classes});
}

/// `point(c, j)` for j = 0 .. per_class-1 and, inside, c = 0 .. classes-1.
template <class F>
Dataset planar(std::int64_t classes, std::int64_t per_class, double noise, std::uint64_t seed, Dtype dtype,
               F point) {
  std::vector<double> points;
  std::vector<std::int64_t> labels;
  for (std::int64_t j = 0; j < per_class; ++j) {
    for (std::int64_t c = 0; c < classes; ++c) {
      const Point p = point(c, static_cast<double>(j));
      points.insert(points.end(), {p.x, p.y});
      labels.push_back(c);
    }
  }
  Random random = detail::random_for(seed, detail::SeedUse::samples);
  return with_noise(std::move(points), labels, classes, noise, random, dtype);
}

void check_centers(const std::vector<std::vector<double>>& centers) {
  for (std::size_t c = 0; c < centers.size(); ++c) {
    if (centers[c].size() != centers[0].size()) {
      throw ShapeError(fmt::format("blobs: centers differ in length: centers[0] has {}, centers[{}] has {}",
                                   centers[0].size(), c, centers[c].size()));
    }
    for (std::size_t i = 0; i < centers[c].size(); ++i) {
      detail::require_finite("blobs", fmt::format("centers[{}][{}]", c, i), centers[c][i]);
    }
  }
  detail::require_at_least("blobs", "length of a center", static_cast<std::int64_t>(centers[0].size()), 1);
}

std::vector<std::vector<double>> draw_centers(const BlobsOptions& options, Random& random) {
  detail::require_at_least("blobs", "classes", options.classes, 1);
  detail::require_at_least("blobs", "features", options.features, 1);
  detail::require_deviation("blobs", "box", options.box);
  const Tensor drawn = uniform({options.classes, options.features},
                               {.low = -options.box, .high = options.box}, random, {.dtype = float64});
  const std::span<const double> values = drawn.data<double>();
  std::vector<std::vector<double>> centers;
  for (std::int64_t c = 0; c < options.classes; ++c) {
    const auto first = values.begin() + c * options.features;
    centers.emplace_back(first, first + options.features);
  }
  return centers;
}

}  // namespace

Dataset spirals(const SpiralsOptions& options) {
  const Dtype dtype = detail::inputs_dtype("spirals", options.dtype);
  detail::require_at_least("spirals", "classes", options.classes, 1);
  detail::require_at_least("spirals", "per_class", options.per_class, 1);
  detail::require_finite("spirals", "turns", options.turns);
  detail::require_deviation("spirals", "noise", options.noise);
  const auto n = static_cast<double>(options.per_class);
  const auto arms = static_cast<double>(options.classes);
  return planar(options.classes, options.per_class, options.noise, options.seed, dtype,
                [&](std::int64_t c, double j) {
                  const double r = (j + 1) / n;
                  const double a = 2 * pi * (options.turns * r + static_cast<double>(c) / arms);
                  return Point{r * std::cos(a), r * std::sin(a)};
                });
}

Dataset moons(const MoonsOptions& options) {
  const Dtype dtype = detail::inputs_dtype("moons", options.dtype);
  detail::require_at_least("moons", "per_class", options.per_class, 1);
  detail::require_deviation("moons", "noise", options.noise);
  // A single point has no spacing: it is the moon's first.
  const auto intervals = static_cast<double>(std::max<std::int64_t>(options.per_class - 1, 1));
  return planar(2, options.per_class, options.noise, options.seed, dtype, [&](std::int64_t c, double j) {
    const double t = pi * j / intervals;
    return c == 0 ? Point{std::cos(t), std::sin(t)} : Point{1 - std::cos(t), 0.5 - std::sin(t)};
  });
}

Dataset blobs(const BlobsOptions& options) {
  const Dtype dtype = detail::inputs_dtype("blobs", options.dtype);
  detail::require_at_least("blobs", "per_class", options.per_class, 1);
  detail::require_deviation("blobs", "std", options.std);
  Random random = detail::random_for(options.seed, detail::SeedUse::samples);
  if (!options.centers.empty()) check_centers(options.centers);
  const std::vector<std::vector<double>> centers =
      options.centers.empty() ? draw_centers(options, random) : options.centers;

  std::vector<double> points;
  std::vector<std::int64_t> labels;
  for (std::int64_t j = 0; j < options.per_class; ++j) {
    for (std::size_t c = 0; c < centers.size(); ++c) {
      points.insert(points.end(), centers[c].begin(), centers[c].end());
      labels.push_back(static_cast<std::int64_t>(c));
    }
  }
  return with_noise(std::move(points), labels, static_cast<std::int64_t>(centers.size()), options.std, random,
                    dtype);
}

Dataset xor_points(const XorOptions& options) {
  const Dtype dtype = detail::inputs_dtype("xor_points", options.dtype);
  detail::require_at_least("xor_points", "per_corner", options.per_corner, 1);
  detail::require_deviation("xor_points", "noise", options.noise);
  std::vector<double> points;
  std::vector<std::int64_t> labels;
  for (std::int64_t j = 0; j < options.per_corner; ++j) {
    for (const std::int64_t a : {0, 1}) {
      for (const std::int64_t b : {0, 1}) {
        points.insert(points.end(), {static_cast<double>(a), static_cast<double>(b)});
        labels.push_back(a ^ b);
      }
    }
  }
  Random random = detail::random_for(options.seed, detail::SeedUse::samples);
  return with_noise(std::move(points), labels, 2, options.noise, random, dtype);
}

}  // namespace xtgrad::v1::datasets
