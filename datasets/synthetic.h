#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/datasets/dataset.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

// Small data sets by formula, points in the plane unless said otherwise. Row i has label i mod classes (but
// for xor_points), so a first part is as balanced as the whole. z is normal noise, a new draw from `seed`
// wherever it stands. All is computed in double: the same bits on every run, and float32 is float64 rounded.
// All throw ValueError for an option out of its range and DtypeError for a dtype that is not floating.
//
//   datasets::Dataset data = datasets::spirals({.classes = 3, .per_class = 100, .noise = 0.02, .seed = 1});

struct SpiralsOptions {
  std::int64_t classes = 3;  ///< arms
  std::int64_t per_class = 100;
  double turns = 0.75;  ///< of an arm around the origin
  double noise = 0.02;  ///< standard deviation of z in each coordinate; the arms reach radius 1
  std::uint64_t seed = 0;
  std::optional<Dtype> dtype = std::nullopt;  ///< the thread's default dtype if absent
};
/// Arms of a spiral, the classic test of a model that must bend. Point j = 0 .. n-1 of arm c lies at radius
/// r = (j + 1) / n and angle a = 2 pi (turns r + c / classes): (r cos a + z, r sin a + z).
[[nodiscard]] Dataset spirals(const SpiralsOptions& options = {});

struct MoonsOptions {
  std::int64_t per_class = 100;
  double noise = 0.1;  ///< standard deviation of z in each coordinate; the moons have radius 1
  std::uint64_t seed = 0;
  std::optional<Dtype> dtype = std::nullopt;  ///< the thread's default dtype if absent
};
/// Two half circles that reach into each other. With t = pi j / (n - 1), class 0 is (cos t + z, sin t + z)
/// and class 1 is (1 - cos t + z, 1/2 - sin t + z).
[[nodiscard]] Dataset moons(const MoonsOptions& options = {});

struct BlobsOptions {
  /// Centres, all of one length, the number of features; a class each. If empty, `classes` of them are drawn.
  std::vector<std::vector<double>> centers = {};
  std::int64_t classes = 3;   ///< if no centres are given
  std::int64_t features = 2;  ///< if no centres are given
  double box = 10;            ///< drawn centres are uniform in [-box, box) in each coordinate
  std::int64_t per_class = 100;
  double std = 1;  ///< standard deviation of a blob in each coordinate
  std::uint64_t seed = 0;
  std::optional<Dtype> dtype = std::nullopt;  ///< the thread's default dtype if absent
};
/// Round clouds, inputs [n, features]: a point of class c is centers[c] + std z. Throws ShapeError for
/// centres of different lengths.
[[nodiscard]] Dataset blobs(const BlobsOptions& options = {});

struct XorOptions {
  std::int64_t per_corner = 1;
  double noise = 0;  ///< standard deviation of z in each coordinate; the corners are 1 apart
  std::uint64_t seed = 0;
  std::optional<Dtype> dtype = std::nullopt;  ///< the thread's default dtype if absent
};
/// The four corners (a, b) = (0, 0), (0, 1), (1, 0), (1, 1), over and over: a point is (a + z, b + z), its
/// label a xor b. By default just the four points, which no linear model can tell apart.
[[nodiscard]] Dataset xor_points(const XorOptions& options = {});

}}}  // namespace xtgrad::v1::datasets
