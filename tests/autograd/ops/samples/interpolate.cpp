// Samples of axes and images in other sizes.
#include <algorithm>
#include <cmath>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/image_sampling.h"

namespace xtgrad::inline v1::testing { namespace {

struct AxisCase {
  std::int64_t from, to;
  Interpolation mode;
  bool align_corners = false;
  double scale = 0;  // 0: by size
};

/// The weight of element i at place j, by the definition of each mode: of all elements from far before the
/// axis to far behind it, those beyond its ends being the ends.
Real kernel_at(Real distance, Interpolation mode) {
  const Real s = std::abs(distance);
  if (mode == Interpolation::linear) return std::max<Real>(0, 1 - s);
  constexpr Real a = -0.75L;
  if (s <= 1) return ((a + 2) * s - (a + 3)) * s * s + 1;
  return s < 2 ? ((a * s - 5 * a) * s + 8 * a) * s - 4 * a : 0;
}

std::vector<Real> weights_at(const AxisCase& c, std::int64_t j) {
  std::vector<Real> weights(static_cast<std::size_t>(c.from), 0);
  const auto add = [&](std::int64_t i, Real w) {
    weights[static_cast<std::size_t>(std::clamp<std::int64_t>(i, 0, c.from - 1))] += w;
  };
  const Real n = static_cast<Real>(c.from), m = static_cast<Real>(c.to), at = static_cast<Real>(j);
  const Real step = c.scale > 0 && c.from != c.to ? 1 / static_cast<Real>(c.scale) : n / m;
  if (c.mode == Interpolation::area) {
    const std::int64_t begin = j * c.from / c.to, end = ((j + 1) * c.from + c.to - 1) / c.to;
    for (std::int64_t i = begin; i < end; ++i) add(i, 1 / static_cast<Real>(end - begin));
  } else if (c.mode == Interpolation::nearest) {
    add(static_cast<std::int64_t>(std::floor(at * step)), 1);
  } else if (c.mode == Interpolation::nearest_exact) {
    add(static_cast<std::int64_t>(std::floor((at + 0.5L) * step)), 1);
  } else {
    Real place = (at + 0.5L) * step - 0.5L;
    if (c.align_corners) place = c.to == 1 ? 0 : at * (n - 1) / (m - 1);
    for (std::int64_t i = -3; i < c.from + 3; ++i) add(i, kernel_at(place - static_cast<Real>(i), c.mode));
  }
  return weights;
}

/// x along a dimension at other places.
Values resampled(const AxisCase& c, const Values& x, std::size_t dim) {
  Shape shape = x.shape;
  shape[dim] = c.to;
  return fill(shape, [&](Index at) {
    const std::vector<Real> weights = weights_at(c, at[dim]);
    Real sum = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      at[dim] = static_cast<std::int64_t>(i);
      if (weights[i] != 0) sum += weights[i] * x.at(at);
    }
    return sum;
  });
}

std::vector<AxisCase> axis_cases() {
  using enum Interpolation;
  return {{4, 7, linear},
          {5, 3, linear},
          {3, 5, linear, true},
          {3, 1, linear, true},
          {4, 6, linear, false, 1.6},
          {3, 6, cubic},
          {4, 3, cubic},
          {2, 5, cubic, true},
          {1, 3, cubic},
          {3, 7, nearest},
          {7, 3, nearest},
          {5, 3, nearest_exact},
          {3, 4, nearest, false, 1.5},
          {7, 3, area},
          {3, 5, area},
          {4, 4, linear},
          {2, 40, linear}};  // on the way back many terms
}

std::string describe(const AxisCase& c) {
  return std::to_string(c.from) + " to " + std::to_string(c.to) + ", " + to_string(c.mode) +
         (c.align_corners ? ", align_corners" : "") +
         (c.scale > 0 ? ", scale " + std::to_string(c.scale) : "");
}

const OpSamples resample_samples(OpId::resample, [](Op& op) {
  // Of four terms at most, with rounded weights; those of cubic add up to 1.375 in magnitude.
  op.accuracy = {.ulps = 8, .floor = 1, .by_magnitudes = true, .signed_zeros = false};
  for (const AxisCase& c : axis_cases()) {
    const bool inner = c.from % 2 == 0;  // along neighbours, or along rows
    const Shape shape = inner ? Shape{2, c.from, 2} : Shape{2, c.from};
    ResampleOptions options{.axis = inner ? -2 : 1, .mode = c.mode, .align_corners = c.align_corners};
    if (c.scale > 0) {
      options.scale = c.scale;
    } else {
      options.size = c.to;
    }
    op.sample({.attributes = describe(c),
               .inputs = {{.shape = shape}},
               .apply = [=](const Tensor& x) { return resample(x, options); },
               .reference = [c](std::span<const Values> in) { return resampled(c, in[0], 1); },
               .linear_in = {0},
               .linear_exactly = false,
               // Weights of either sign cancel, and those at places that a scale has rounded are rounded more
               // than themselves, which elements of any size show.
               .nasty = c.mode != Interpolation::cubic && c.scale == 0});
  }
  op.sample({.attributes = "nothing beside the axis",
             .inputs = {{.shape = {0, 3}}},
             .apply = [](const Tensor& x) { return resample(x, {.size = 2}); },
             .reference =
                 [](std::span<const Values>) {
                   return Values{{0, 2}, {}};
                 },
             .linear_in = {0}});
  op.exact({.what = "a neighbour without a share",
            .inputs = {row({1, not_a_number, 3})},
            .apply = [](const Tensor& x) { return resample(x, {.size = 5, .align_corners = true}); },
            .value = row({1, not_a_number, not_a_number, not_a_number, 3}),
            .gradients = {row({1.5, 2, 1.5})}});
  const Tensor x = ones({2, 3});
  op.throws<ValueError>("needs a size or a scale, and not both", [=] { return resample(x, {}); });
  op.throws<ValueError>("needs a size or a scale, and not both",
                        [=] { return resample(x, {.size = 2, .scale = 2}); });
  op.throws<ValueError>("size must be from 1 to 2^31 - 1, got 0", [=] { return resample(x, {.size = 0}); });
  op.throws<ValueError>("the scale must leave from 1 to 2^31 - 1 elements: got 0.25 of 3",
                        [=] { return resample(x, {.scale = 0.25}); });
  op.throws<ValueError>("align_corners is of linear and cubic, got area", [=] {
    return resample(x, {.size = 2, .mode = Interpolation::area, .align_corners = true});
  });
  op.throws<ShapeError>("axis 2 is out of range", [=] { return resample(x, {.axis = 2, .size = 2}); });
  op.throws<ShapeError>("needs from 1 to 2^31 - 1 elements along axis 1: x is [2, 0]", [] {
    return resample(ones({2, 0}), {.size = 2});
  });
});

/// Each direction by the same mode.
struct ImageCase {
  Shape x;
  std::vector<std::int64_t> size;
  Interpolation mode;
  bool align_corners = false;
};

std::vector<ImageCase> image_cases() {
  using enum Interpolation;
  return {{{2, 1, 3}, {5}, linear},
          {{1, 2, 2, 3}, {4, 2}, bilinear},
          {{1, 1, 3, 2}, {2, 3}, bilinear, true},
          {{1, 1, 2, 3}, {3, 4}, bicubic},
          {{1, 1, 2, 2, 2}, {3, 2, 1}, trilinear},
          {{1, 2, 3, 2}, {5, 3}, nearest},
          {{1, 1, 3, 5}, {2, 2}, area},
          {{1, 1, 2, 2}, {2, 2}, nearest_exact}};
}

const OpSamples interpolate_samples(OpId::interpolate, [](Op& op) {
  op.parts = {OpId::resample, OpId::alias};
  // As resample in each direction: a cubic value is at most twice the largest pixel.
  op.accuracy = {.ulps = 16, .floor = 1, .signed_zeros = false};
  for (const ImageCase& c : image_cases()) {
    op.sample({.attributes = to_string(c.x) + " to " + to_string(Dims(c.size)) + ", " + to_string(c.mode) +
                             (c.align_corners ? ", align_corners" : ""),
               .inputs = {{.shape = c.x}},
               .apply =
                   [c](const Tensor& x) {
                     return interpolate(x,
                                        {.size = c.size, .mode = c.mode, .align_corners = c.align_corners});
                   },
               .reference =
                   [c](std::span<const Values> in) {
                     Values y = in[0];
                     for (std::size_t d = 0; d < c.size.size(); ++d)
                       y = resampled({c.x[d + 2], c.size[d], c.mode, c.align_corners}, y, d + 2);
                     return y;
                   },
               .linear_in = {0},
               .linear_exactly = false,
               .nasty = c.mode != Interpolation::bicubic});
  }
  op.exact(
      {.what = "twice as large",
       .inputs = {{{1, 1, 1, 2}, {0, 4}}},
       .apply =
           [](const Tensor& x) { return interpolate(x, {.scale = {2}, .mode = Interpolation::bilinear}); },
       .value = {{1, 1, 2, 4}, {0, 1, 3, 4, 0, 1, 3, 4}},
       .gradients = {{{1, 1, 1, 2}, {4, 4}}}});
  const Tensor x = ones({1, 1, 2, 2});
  op.throws<ShapeError>("x needs 3 to 5 dimensions [n, c, l], [n, c, h, w] or [n, c, d, h, w]: x is [2, 2]",
                        [] {
                          return interpolate(ones({2, 2}), {.size = 2});
                        });
  op.throws<ValueError>("needs a size or a scale, and not both", [=] { return interpolate(x, {}); });
  op.throws<ValueError>("size needs one number, or one for each of 2 directions, got 3", [=] {
    return interpolate(x, {.size = {1, 2, 3}});
  });
  op.throws<ShapeError>("cubic is for images [n, c, h, w]: x is [1, 1, 4]", [] {
    return interpolate(ones({1, 1, 4}), {.size = 2, .mode = Interpolation::bicubic});
  });
  op.throws<ValueError>("align_corners is of linear and cubic, got nearest",
                        [=] { return interpolate(x, {.size = 2, .align_corners = true}); });
  op.throws<ShapeError>("needs from 1 to 2^31 - 1 elements along axis 3: x is [1, 1, 2, 0]", [] {
    return interpolate(ones({1, 1, 2, 0}), {.size = 2});
  });
});

}}  // namespace xtgrad::testing
