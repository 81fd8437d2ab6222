// Samples of images at points.
#include <algorithm>
#include <cmath>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/image_sampling.h"

namespace xtgrad::inline v1::testing { namespace {

struct Case {
  Shape x, grid;
  GridSampleOptions options;
};

/// Mirrored between low and high until it lies there.
Real reflected(Real at, Real low, Real high) {
  if (low == high) return low;
  while (at < low || at > high) at = at < low ? 2 * low - at : 2 * high - at;
  return at;
}

Real inside(Real at, std::int64_t side, const GridSampleOptions& o) {
  const Real last = static_cast<Real>(side - 1);
  if (o.padding == GridPadding::zeros) return at;
  if (o.padding == GridPadding::reflection)
    at = o.align_corners ? reflected(at, 0, last) : reflected(at, -0.5L, last + 0.5L);
  return std::clamp<Real>(at, 0, last);
}

Real weight_at(Real distance, Interpolation mode) {
  const Real s = std::abs(distance);
  if (mode == Interpolation::nearest) return s < 0.5L ? 1 : 0;
  if (mode == Interpolation::bilinear) return std::max<Real>(0, 1 - s);
  constexpr Real a = -0.75L;
  if (s <= 1) return ((a + 2) * s - (a + 3)) * s * s + 1;
  return s < 2 ? ((a * s - 5 * a) * s + 8 * a) * s - 4 * a : 0;
}

/// A place in one direction as elements of a side with their weights.
struct Tap {
  std::int64_t element;
  Real weight;
};
std::vector<Tap> taps_at(Real place, std::int64_t side, const GridSampleOptions& o) {
  const Real n = static_cast<Real>(side);
  Real index = o.align_corners ? (place + 1) / 2 * (n - 1) : ((place + 1) * n - 1) / 2;
  const bool is_cubic = o.mode == Interpolation::bicubic;
  if (!is_cubic) index = inside(index, side, o);
  std::vector<Tap> taps;
  const auto middle = static_cast<std::int64_t>(std::floor(index));
  for (std::int64_t i = middle - 2; i <= middle + 3; ++i) {
    const Real weight = weight_at(index - static_cast<Real>(i), o.mode);
    const auto element = is_cubic ? static_cast<std::int64_t>(inside(static_cast<Real>(i), side, o)) : i;
    if (weight != 0 && element >= 0 && element < side) taps.push_back({element, weight});
  }
  return taps;
}

SampleReference reference(const Case& c) {
  return [c](std::span<const Values> in) {
    const std::size_t directions = c.x.rank() - 2;
    Shape y{c.x[0], c.x[1]};
    for (std::size_t d = 0; d < directions; ++d) y.push_back(c.grid[d + 1]);
    return fill(y, [&](const Index& at) {
      std::vector<std::vector<Tap>> taps;
      Index point{at[0]};
      for (std::size_t d = 0; d < directions; ++d) point.push_back(at[d + 2]);
      Shape counts;
      for (std::size_t d = 0; d < directions; ++d) {
        Index component = point;
        component.push_back(static_cast<std::int64_t>(directions - 1 - d));
        taps.push_back(taps_at(in[1].at(component), c.x[d + 2], c.options));
        counts.push_back(static_cast<std::int64_t>(taps.back().size()));
      }
      Real sum = 0;
      for_each_index(counts, [&](const Index& chosen) {
        Index pixel{at[0], at[1]};
        Real weight = 1;
        for (std::size_t d = 0; d < directions; ++d) {
          const Tap& tap = taps[d][static_cast<std::size_t>(chosen[d])];
          pixel.push_back(tap.element);
          weight *= tap.weight;
        }
        sum += weight * in[0].at(pixel);
      });
      return sum;
    });
  };
}

/// Sides are all 2, whose kinks lie at -1, 1 and -3, 3 if corners are aligned, else at -0.5, 0.5, 1.5, and so
/// on; in the middle between them are nearest's. Reflection turns at the edges, -1 and 1, too.
std::vector<double> kinks_of(const GridSampleOptions& o) {
  const bool is_nearest = o.mode == Interpolation::nearest;
  if (is_nearest) return o.align_corners ? std::vector<double>{0} : std::vector<double>{0, -1, 1};
  if (o.align_corners) return {-1, 1};
  return {-1.5, -1, -0.5, 0.5, 1, 1.5};
}

std::vector<Case> cases() {
  using enum Interpolation;
  using enum GridPadding;
  std::vector<Case> all;
  const Shape image{1, 2, 2, 2}, grid{1, 2, 1, 2};
  for (const bool corners : {false, true}) {
    all.push_back({image, grid, {.align_corners = corners}});
    all.push_back({image, grid, {.mode = bicubic, .align_corners = corners}});
    all.push_back({image, grid, {.mode = bicubic, .padding = reflection, .align_corners = corners}});
    all.push_back({image, grid, {.padding = reflection, .align_corners = corners}});
  }
  all.push_back({{2, 1, 2, 2}, {2, 1, 2, 2}, {.padding = border}});
  all.push_back({image, grid, {.mode = bicubic, .padding = border}});
  all.push_back({image, grid, {.mode = nearest}});
  all.push_back({{1, 1, 2, 2, 2}, {1, 1, 1, 2, 3}, {.align_corners = true}});
  all.push_back({{1, 1, 2, 2, 2}, {1, 2, 1, 1, 3}, {.padding = border}});
  all.push_back({{0, 1, 2, 2}, {0, 1, 2, 2}, {}});
  all.push_back({{1, 0, 2, 2}, {1, 1, 2, 2}, {}});
  all.push_back({{1, 1, 2, 2}, {1, 0, 2, 2}, {}});
  return all;
}

std::string describe(const Case& c) {
  const char* names[] = {"zeros", "border", "reflection"};
  return to_string(c.x) + ", " + to_string(c.options.mode) + ", " +
         names[static_cast<int>(c.options.padding)] + (c.options.align_corners ? ", align_corners" : "");
}

const OpSamples grid_sample_samples(OpId::grid_sample, [](Op& op) {
  // Indices up to 2 are rounded a few times, and cubic weights change by up to 2 an index: 16 roundings of
  // what pixels of up to 2 make.
  op.accuracy = {.ulps = 32, .floor = 2, .signed_zeros = false};
  for (const Case& c : cases()) {
    op.sample(
        {.attributes = describe(c),
         .inputs = {{.shape = c.x},
                    {.shape = c.grid, .domain = {.low = -1.3, .high = 1.3, .avoid = kinks_of(c.options)}}},
         .apply = [c](const Tensor& x, const Tensor& grid) { return grid_sample(x, grid, c.options); },
         .reference = reference(c),
         .linear_in = {0},
         .linear_exactly = false,
         .nasty = false});
  }
  const auto exact = [&](const char* what, const GridSampleOptions& options, double place, double value,
                         const std::vector<Real>& pixels, double slope) {
    op.exact(
        {.what = what,
         .inputs = {{{1, 1, 1, 2}, {1, 3}}, {{1, 1, 1, 2}, {place, 0}}},
         .apply = [options](const Tensor& x, const Tensor& grid) { return grid_sample(x, grid, options); },
         .value = {{1, 1, 1, 1}, {value}},
         .gradients = {{{1, 1, 1, 2}, pixels}, {{1, 1, 1, 2}, {slope, 0}}}});
  };
  constexpr auto border = GridPadding::border, mirror = GridPadding::reflection;
  exact("on a pixel: the slope to the next", {.padding = border}, 0.5, 3, {0, 1}, 0);
  exact("the border has no slope", {.padding = border}, -0.5, 1, {1, 0}, 0);
  exact("beyond the border", {.padding = border}, 7, 3, {0, 1}, 0);
  exact("between", {.padding = border}, 0, 2, {0.5, 0.5}, 2);
  exact("the mirror turns the slope", {.padding = mirror, .align_corners = true}, 1.5, 2.5, {0.25, 0.75}, -1);
  exact("mirrored twice", {.padding = mirror, .align_corners = true}, 3.5, 1.5, {0.75, 0.25}, 1);
  exact("nearest has none", {.mode = Interpolation::nearest}, 0.25, 3, {0, 1}, 0);
  exact("nearest between: the even one", {.mode = Interpolation::nearest}, 0, 1, {1, 0}, 0);
  const Tensor x = ones({1, 1, 2, 2});
  op.throws<ShapeError>("the grid must be [n, h', w', 2]: x is [1, 1, 2, 2], the grid is [1, 2, 2, 3]", [=] {
    return grid_sample(x, ones({1, 2, 2, 3}));
  });
  op.throws<ShapeError>("x must be [n, c, h, w] or [n, c, d, h, w]: x is [2, 2]", [] {
    return grid_sample(ones({2, 2}), ones({1, 2, 2, 2}));
  });
  op.throws<ShapeError>("bicubic is for images [n, c, h, w]: x is [1, 1, 2, 2, 2]", [] {
    return grid_sample(ones({1, 1, 2, 2, 2}), ones({1, 1, 1, 1, 3}), {.mode = Interpolation::bicubic});
  });
  op.throws<ValueError>("the mode must be bilinear, nearest or bicubic, got area", [=] {
    return grid_sample(x, ones({1, 2, 2, 2}), {.mode = Interpolation::area});
  });
  op.throws<ShapeError>("needs from 1 to 2^31 - 1 elements along each side: x is [1, 1, 0, 2]", [] {
    return grid_sample(ones({1, 1, 0, 2}), ones({1, 1, 1, 2}));
  });
});

const OpSamples affine_grid_samples(OpId::affine_grid, [](Op& op) {
  // Products with places of up to 1, rounded, added one by one.
  op.accuracy = {.ulps = 8, .floor = 2, .signed_zeros = false};
  const auto of = [&](const Shape& size, bool corners) {
    const std::size_t directions = size.rank() - 2;
    const auto n = static_cast<std::int64_t>(directions);
    op.sample(
        {.attributes = to_string(size) + (corners ? ", align_corners" : ""),
         .inputs = {{.shape = {size[0], n, n + 1}}},
         .apply = [=](const Tensor& theta) { return affine_grid(theta, size, {.align_corners = corners}); },
         .reference =
             [=](std::span<const Values> in) {
               Shape grid{size[0]};
               for (std::size_t d = 0; d < directions; ++d) grid.push_back(size[d + 2]);
               grid.push_back(n);
               return fill(grid, [&](const Index& at) {
                 Real sum = in[0].at({at[0], at[directions + 1], n});
                 for (std::size_t d = 0; d < directions; ++d) {
                   const Real side = static_cast<Real>(size[d + 2]), i = static_cast<Real>(at[d + 1]);
                   Real place = (2 * i + 1) / side - 1;
                   if (corners) place = size[d + 2] == 1 ? 0 : 2 * i / (side - 1) - 1;
                   sum += place * in[0].at({at[0], at[directions + 1], n - 1 - static_cast<std::int64_t>(d)});
                 }
                 return sum;
               });
             },
         .linear_in = {0},
         .linear_exactly = false,
         .nasty = false});
  };
  of({1, 1, 2, 3}, false);
  of({2, 3, 3, 2}, true);
  of({1, 1, 1, 2}, true);
  of({1, 1, 2, 1, 3}, false);
  op.throws<ShapeError>("theta must be [1, 2, 3]: theta is [1, 3, 4], size [1, 1, 2, 2]", [] {
    return affine_grid(ones({1, 3, 4}), {1, 1, 2, 2});
  });
  op.throws<ShapeError>("size must be [n, c, h, w] or [n, c, d, h, w], it is [2, 2]", [] {
    return affine_grid(ones({1, 2, 3}), {2, 2});
  });
});

}}  // namespace xtgrad::testing
