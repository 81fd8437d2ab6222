// Samples of pooling and of the linear maps that its derivatives are.
#include <cmath>
#include <optional>
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;

/// The pixels [n, c, y, x] of the window at place [n, c, i, j] that are no padding, in scan order.
std::vector<Index> pixels_of(const Shape& image, const Index& place, const Size2d& kernel,
                             const Size2d& stride, const Size2d& padding, const Size2d& dilation) {
  std::vector<Index> pixels;
  for (std::int64_t ki = 0; ki < kernel.height; ++ki) {
    for (std::int64_t kj = 0; kj < kernel.width; ++kj) {
      const std::int64_t y = place[2] * stride.height - padding.height + ki * dilation.height;
      const std::int64_t x = place[3] * stride.width - padding.width + kj * dilation.width;
      if (y >= 0 && y < image[2] && x >= 0 && x < image[3]) pixels.push_back({place[0], place[1], y, x});
    }
  }
  return pixels;
}

struct MaxCase {
  Shape image;
  MaxPool2dOptions options;
  Size2d places;
  bool derivatives = true;
};

std::vector<MaxCase> max_cases() {
  return {
      {{1, 1, 4, 4}, {.kernel = 2}, 2},
      {{2, 2, 5, 3}, {.kernel = 2}, {2, 1}},
      {{1, 2, 5, 4}, {.kernel = {3, 2}, .stride = {{2, 1}}, .padding = 1}, {3, 5}},
      {{1, 1, 4, 4}, {.kernel = 3, .stride = 1}, 2},
      {{1, 1, 5, 5}, {.kernel = 2, .ceil_mode = true}, 3},
      {{1, 1, 4, 6}, {.kernel = 2, .ceil_mode = true}, {2, 3}},
      {{1, 1, 4, 4}, {.kernel = 2, .stride = 3, .padding = 1, .ceil_mode = true}, 2},  // a third is dropped
      {{1, 1, 2, 2}, {.kernel = 3, .stride = 2, .ceil_mode = true}, 1},  // larger than the image
      {{1, 1, 6, 5}, {.kernel = 2, .stride = 1, .dilation = {3, 2}}, 3},
      {{1, 1, 3, 5}, {.kernel = {5, 4}, .stride = {{1, 2}}, .padding = 4, .dilation = {2, 3}}, {3, 2}},
      {{1, 2, 3, 4}, {.kernel = {9, 8}, .stride = {{2, 3}}, .padding = 4}, 2},  // they hold the image
      {{0, 2, 4, 4}, {.kernel = 2}, 2},
      {{2, 0, 4, 4}, {.kernel = 2}, 2},
      {{1, 1, 2, 2}, {.kernel = 2}, 1},
      {{3, 5, 31, 33}, {.kernel = 3, .stride = 2, .padding = 1}, {16, 17}, false},
      {{4, 3, 64, 70}, {.kernel = 2}, {32, 35}, false},
      {{2, 3, 29, 41}, {.kernel = 2}, {14, 20}, false}};
}

std::string describe(const MaxCase& c) {
  const auto& [kernel, stride, padding, dilation, ceil_mode] = c.options;
  return to_string(c.image) + ", kernel=" + to_string(kernel) +
         ", stride=" + to_string(stride.value_or(kernel)) + ", padding=" + to_string(padding) +
         ", dilation=" + to_string(dilation) + (ceil_mode ? ", ceil_mode" : "");
}

Shape pooled(const Shape& image, const Size2d& places) {
  return {image[0], image[1], places.height, places.width};
}

/// The pixel with the largest element of a window: the first NaN, or the first of equal ones.
std::optional<Index> winner(const MaxCase& c, const Values& x, const Index& place) {
  const auto& [kernel, stride, padding, dilation, ceil_mode] = c.options;
  std::optional<Index> best;
  for (const Index& pixel : pixels_of(c.image, place, kernel, stride.value_or(kernel), padding, dilation)) {
    if (!best || (!std::isnan(x.at(*best)) && !(x.at(pixel) <= x.at(*best)))) best = pixel;
  }
  return best;
}

const OpSamples max_pool2d_samples(OpId::max_pool2d, [](Op& op) {
  for (const MaxCase& c : max_cases()) {
    op.sample({.attributes = describe(c),
               .inputs = {{.shape = c.image, .domain = {.apart = true}}},
               .apply = [c](const Tensor& x) { return max_pool2d(x, c.options); },
               .reference =
                   [c](std::span<const Values> in) {
                     return fill(pooled(c.image, c.places), [&](const Index& place) {
                       return in[0].at(winner(c, in[0], place).value());
                     });
                   },
               .derivatives = c.derivatives,
               .nasty = c.derivatives});
  }
  // The same windows by both kernels: 2x2 side by side, and in general.
  for (const MaxPool2dOptions& options :
       {MaxPool2dOptions{.kernel = 2}, MaxPool2dOptions{.kernel = 2, .stride = 3}}) {
    const auto exact = [&](const std::string& what, const std::vector<Real>& x, double value,
                           const std::vector<Real>& gradient) {
      op.exact({.what = what + ", stride=" + to_string(options.stride.value_or(2)),
                .inputs = {{{1, 1, 2, 2}, x}},
                .apply = [options](const Tensor& t) { return max_pool2d(t, options); },
                .value = {{1, 1, 1, 1}, {value}},
                .gradients = {{{1, 1, 2, 2}, gradient}}});
    };
    exact("four ties: the first", {3, 3, 3, 3}, 3, {1, 0, 0, 0});
    exact("a tie across rows: the first", {1, 3, 3, 1}, 3, {0, 1, 0, 0});
    exact("a tie below", {1, 2, 3, 3}, 3, {0, 0, 1, 0});
    exact("the last", {1, 2, 3, 4}, 4, {0, 0, 0, 1});
    exact("all -inf: the first", {-inf, -inf, -inf, -inf}, -inf, {1, 0, 0, 0});
    exact("inf", {1, inf, 2, inf}, inf, {0, 1, 0, 0});
    exact("NaN wins over inf", {inf, 1, 2, nan}, nan, {0, 0, 0, 1});
    exact("the first NaN", {inf, 1, nan, nan}, nan, {0, 0, 1, 0});
    exact("NaN first", {nan, inf, nan, 7}, nan, {1, 0, 0, 0});
  }
  op.exact(
      {.what = "a window on padding alone",
       .inputs = {{{1, 1, 1, 1}, {5}}},
       .apply =
           [](const Tensor& x) {
             return max_pool2d(x, {.kernel = {2, 1}, .stride = 1, .padding = {2, 0}, .dilation = {3, 1}});
           },
       .value = {{1, 1, 2, 1}, {-inf, -inf}},
       .gradients = {{{1, 1, 1, 1}, {0}}}});
  const Tensor x = ones({1, 1, 4, 4});
  op.throws<ValueError>("max_pool2d: the option kernel is required, such as {.kernel = 2}",
                        [x] { return max_pool2d(x, {}); });
  op.throws<ValueError>("padding must be at most half the window: padding 2x0, kernel 3x3, dilation 1x1",
                        [x] {
                          return max_pool2d(x, {.kernel = 3, .padding = {2, 0}});
                        });
  op.throws<ValueError>("stride must be at least 1, got 0x0",
                        [x] { return max_pool2d(x, {.kernel = 2, .stride = 0}); });
  op.throws<ShapeError>("max_pool2d: x needs 4 dimensions [n, c, h, w]: x is [3, 3]", [] {
    return max_pool2d(ones({3, 3}), {.kernel = 2});
  });
  op.throws<ShapeError>(
      "max_pool2d: the window does not fit: x is [1, 1, 4, 4], kernel 5x1, dilation 1x1, padding 0x0", [x] {
        return max_pool2d(x, {.kernel = {5, 1}});
      });
  op.throws<ShapeError>("the window does not fit: x is [1, 1, 2, 2], kernel 3x3", [] {
    return max_pool2d(ones({1, 1, 2, 2}), {.kernel = 3, .stride = 1, .ceil_mode = true});
  });
  op.throws<ValueError>("the kernel must have at most 2^31 - 1 elements, got 65536x65536", [] {
    return max_pool2d(zeros({0, 1, 65536, 65536}), {.kernel = 65536});
  });
});

/// Where `winner` lies in its plane; -1 for a window on padding alone.
Real place_of(const MaxCase& c, const std::optional<Index>& winner) {
  return winner ? static_cast<Real>((*winner)[2] * c.image[3] + (*winner)[3]) : -1;
}

const OpSamples max_pool2d_places_samples(OpId::max_pool2d_places, [](Op& op) {
  for (const MaxCase& c : max_cases()) {
    op.sample({.attributes = describe(c),
               .inputs = {{.shape = c.image, .domain = {.whole = true}}},  // few integers: many ties
               .apply = [c](const Tensor& x) { return max_pool2d_places(x, c.options); },
               .reference =
                   [c](std::span<const Values> in) {
                     return fill(pooled(c.image, c.places),
                                 [&](const Index& place) { return place_of(c, winner(c, in[0], place)); });
                   },
               .result = [](Dtype) { return int32; },
               .nasty = c.derivatives});
  }
  op.exact({.what = "the first NaN, and the first of -inf alone",
            .inputs = {{{1, 1, 2, 4}, {1, nan, -inf, -inf, nan, inf, -inf, -inf}}},
            .apply = [](const Tensor& x) { return max_pool2d_places(x, {.kernel = 2}); },
            .value = {{1, 1, 1, 2}, {1, 2}}});
  op.exact({.what = "windows on padding alone",
            .inputs = {{{1, 1, 2, 1}, {-inf, -inf}}},
            .apply =
                [](const Tensor& x) {
                  return max_pool2d_places(
                      x, {.kernel = {2, 1}, .stride = 1, .padding = {2, 0}, .dilation = {4, 1}});
                },
            .value = {{1, 1, 2, 1}, {-1, -1}}});
  op.exact({.what = "-inf alone, and padding: the first that is no padding",
            .inputs = {{{1, 1, 1, 3}, {-inf, -inf, -inf}}},
            .apply =
                [](const Tensor& x) {
                  return max_pool2d_places(x, {.kernel = {1, 3}, .stride = 1, .padding = {0, 1}});
                },
            .value = {{1, 1, 1, 3}, {0, 0, 1}}});
  op.throws<ShapeError>("max_pool2d_places: x needs 4 dimensions [n, c, h, w]: x is [4]",
                        [] { return max_pool2d_places(ones({4}), {.kernel = 2}); });
  op.throws<ValueError>("max_pool2d_places: padding must be at most half the window", [] {
    return max_pool2d_places(ones({1, 1, 4, 4}), {.kernel = 2, .padding = 2});
  });
});

/// Shapes of an image and of places in it.
struct PlacesCase {
  Shape image;
  Shape places;
  bool derivatives = true;
};

std::vector<PlacesCase> places_cases() {
  return {{{1, 1, 4, 4}, {1, 1, 2, 2}}, {{2, 3, 3, 2}, {2, 3, 4, 1}},         {{1, 2, 1, 5}, {1, 2, 3, 3}},
          {{0, 2, 4, 4}, {0, 2, 2, 2}}, {{2, 1, 3, 3}, {2, 1, 0, 2}},         {{1, 1, 1, 1}, {1, 1, 1, 1}},
          {{2, 1, 0, 2}, {2, 1, 2, 2}}, {{4, 3, 31, 9}, {4, 3, 16, 5}, false}};
}

std::string describe(const PlacesCase& c) { return to_string(c.image) + ", places " + to_string(c.places); }

Input places_input(const PlacesCase& c) { return index_input(c.places, -1, c.image[2] * c.image[3]); }

/// The pixel that a place names, none for -1.
std::optional<Index> pixel_of(const PlacesCase& c, const Values& places, const Index& at) {
  const auto place = static_cast<std::int64_t>(places.at(at));
  if (place < 0) return std::nullopt;
  return Index{at[0], at[1], place / c.image[3], place % c.image[3]};
}

const OpSamples max_pool2d_take_samples(OpId::max_pool2d_take, [](Op& op) {
  for (const PlacesCase& c : places_cases()) {
    op.sample({.attributes = describe(c),
               .inputs = {{.shape = c.image}, places_input(c)},
               .apply = [](const Tensor& u, const Tensor& places) { return max_pool2d_take(u, places); },
               .reference =
                   [c](std::span<const Values> in) {
                     return fill(c.places, [&](const Index& at) -> Real {
                       const std::optional<Index> pixel = pixel_of(c, in[1], at);
                       return pixel ? in[0].at(*pixel) : 0;
                     });
                   },
               .linear_in = {0},
               .derivatives = c.derivatives});
  }
  op.exact({.what = "no place",
            .inputs = {{{1, 1, 1, 2}, {5, inf}}, {{1, 1, 2, 1}, {-1, 0}}},
            .apply = [](const Tensor& u, const Tensor& places) { return max_pool2d_take(u, places); },
            .value = {{1, 1, 2, 1}, {0, 5}},
            .gradients = {{{1, 1, 1, 2}, {1, 0}}},
            .roles = {Role::floating, Role::index}});
  const auto places = [](const Shape& shape, double value) { return full(shape, value, {.dtype = int64}); };
  const Tensor u = ones({1, 2, 3, 4});
  op.throws<ShapeError>("u and places must have the same planes: u is [1, 2, 3, 4], places is [2, 1, 2, 2]",
                        [=] {
                          return max_pool2d_take(u, places({2, 1, 2, 2}, 0));
                        });
  op.throws<ShapeError>("max_pool2d_take: u needs 4 dimensions [n, c, h, w]: u is [4]", [=] {
    return max_pool2d_take(ones({4}), places({1, 1, 1, 1}, 0));
  });
  op.throws<ShapeError>("max_pool2d_take: places needs 4 dimensions [n, c, h, w]: places is [1]",
                        [=] { return max_pool2d_take(u, places({1}, 0)); });
  op.throws<DtypeError>("max_pool2d_take: places must be int32 or int64, got float32; convert with to(int64)",
                        [=] {
                          return max_pool2d_take(u, ones({1, 2, 1, 1}));
                        });
  op.throws<ValueError>("a place is out of range: 12 at [0, 0, 0, 0], but a plane has 12 elements", [=] {
    return max_pool2d_take(u, places({1, 2, 1, 1}, 12));
  });
  op.throws<ValueError>("a place is out of range: -2 at [0, 0, 0, 0], but a plane has 12 elements", [=] {
    return max_pool2d_take(u, places({1, 2, 1, 1}, -2).to(int32));
  });
});

const OpSamples max_pool2d_put_samples(OpId::max_pool2d_put, [](Op& op) {
  // However many places name one element, they are added to it one by one.
  op.accuracy = {.by_magnitudes = true, .ulps_per_addition = correctly_rounded, .signed_zeros = false};
  for (const PlacesCase& c : places_cases()) {
    op.sample(
        {.attributes = describe(c),
         .inputs = {{.shape = c.places}, places_input(c)},
         .apply = [size = Size2d(c.image[2], c.image[3])](
                      const Tensor& g, const Tensor& places) { return max_pool2d_put(g, places, size); },
         .reference =
             [c](std::span<const Values> in) {
               Values out = fill(c.image, [](const Index&) -> Real { return 0; });
               for_each_index(c.places, [&](const Index& at) {
                 if (const auto pixel = pixel_of(c, in[1], at)) out.at(*pixel) += in[0].at(at);
               });
               return out;
             },
         .linear_in = {0},
         .derivatives = c.derivatives});
  }
  const auto places = [](const Shape& shape, double value) { return full(shape, value, {.dtype = int64}); };
  op.throws<ShapeError>(
      "max_pool2d_put: g and places must have one shape: g is [1, 1, 3, 2], places is [1, 1, 2, 2]", [=] {
        return max_pool2d_put(ones({1, 1, 3, 2}), places({1, 1, 2, 2}, 0), 4);
      });
  op.throws<ShapeError>("max_pool2d_put: places needs 4 dimensions [n, c, h, w]: places is [4]",
                        [=] { return max_pool2d_put(ones({4}), places({4}, 0), 4); });
  op.throws<ValueError>("max_pool2d_put: the image must not be negative, got -1x4", [=] {
    return max_pool2d_put(ones({1, 1, 1, 1}), places({1, 1, 1, 1}, 0), {-1, 4});
  });
  op.throws<DtypeError>("max_pool2d_put: places must be int32 or int64, got bool", [] {
    return max_pool2d_put(ones({1, 1, 1, 1}), full({1, 1, 1, 1}, 0, {.dtype = boolean}), 4);
  });
  op.throws<ValueError>(
      "max_pool2d_put: a place is out of range: 16 at [0, 0, 1, 1], but a plane has 16", [] {
        return max_pool2d_put(ones({1, 1, 2, 2}),
                              reshape(tensor({0, -1, 15, 16}, {.dtype = int32}), {1, 1, 2, 2}), 4);
      });
  op.throws<ValueError>("a place is out of range: 0 at [0, 0, 0, 0], but a plane has 0 elements", [=] {
    return max_pool2d_put(ones({1, 1, 1, 1}), places({1, 1, 1, 1}, 0), {0, 4});
  });
});

struct AvgCase {
  Shape image;
  AvgPool2dOptions options;
  Size2d places;
  bool exactly;  // no divisor but powers of two
  bool derivatives = true;
};

std::vector<AvgCase> avg_cases() {
  return {
      {{1, 1, 4, 4}, {.kernel = 2}, 2, true},
      {{2, 2, 5, 3}, {.kernel = 2}, {2, 1}, true},
      {{1, 2, 5, 4}, {.kernel = {3, 2}, .stride = {{2, 1}}, .padding = 1}, {3, 5}, false},
      {{1, 2, 5, 4},
       {.kernel = {3, 2}, .stride = {{2, 1}}, .padding = 1, .count_include_pad = false},
       {3, 5},
       false},
      {{1, 1, 4, 4}, {.kernel = 3, .stride = 1}, 2, false},
      {{1, 1, 5, 5}, {.kernel = 2, .ceil_mode = true}, 3, true},
      {{1, 1, 6, 6}, {.kernel = 3, .stride = 2, .padding = 1, .ceil_mode = true}, 4, false},
      {{1, 1, 6, 6},
       {.kernel = 3, .stride = 2, .padding = 1, .ceil_mode = true, .count_include_pad = false},
       4,
       false},
      {{1, 2, 3, 4}, {.kernel = {9, 8}, .stride = {{2, 3}}, .padding = 4}, 2, false},  // they hold the image
      {{1, 1, 4, 4}, {.kernel = 2, .divisor_override = 1}, 2, true},
      {{1, 1, 4, 4}, {.kernel = 2, .divisor_override = 3}, 2, false},
      {{0, 2, 4, 4}, {.kernel = 2}, 2, true},
      {{2, 0, 4, 4}, {.kernel = 2}, 2, true},
      {{1, 1, 2, 2}, {.kernel = 2}, 1, true},
      {{3, 5, 31, 33}, {.kernel = 3, .stride = 2, .padding = 1}, {16, 17}, false, false},
      {{4, 3, 64, 70}, {.kernel = 2}, {32, 35}, true, false},
      {{2, 2, 32, 64}, {.kernel = {32, 64}}, 1, true, false}};
}

std::string describe(const AvgCase& c) {
  const AvgPool2dOptions& o = c.options;
  return to_string(c.image) + ", kernel=" + to_string(o.kernel) +
         ", stride=" + to_string(o.stride.value_or(o.kernel)) + ", padding=" + to_string(o.padding) +
         (o.ceil_mode ? ", ceil_mode" : "") + (o.count_include_pad ? "" : ", count_include_pad=false") +
         (o.divisor_override ? ", divisor_override=" + std::to_string(*o.divisor_override) : "");
}

std::vector<Index> pixels_of(const AvgCase& c, const Index& place) {
  return pixels_of(c.image, place, c.options.kernel, c.options.stride.value_or(c.options.kernel),
                   c.options.padding, 1);
}

/// The divisor, counted element by element on the padded image.
Real divisor(const AvgCase& c, const Index& place) {
  const AvgPool2dOptions& o = c.options;
  if (o.divisor_override) return static_cast<Real>(*o.divisor_override);
  if (!o.count_include_pad) return static_cast<Real>(pixels_of(c, place).size());
  const Shape padded{c.image[0], c.image[1], c.image[2] + 2 * o.padding.height,
                     c.image[3] + 2 * o.padding.width};
  return static_cast<Real>(pixels_of(padded, place, o.kernel, o.stride.value_or(o.kernel), 0, 1).size());
}

const OpSamples avg_pool2d_samples(OpId::avg_pool2d, [](Op& op) {
  op.accuracy = {.ulps = 4, .by_magnitudes = true, .signed_zeros = false};
  for (const AvgCase& c : avg_cases()) {
    op.sample({.attributes = describe(c),
               .inputs = {{.shape = c.image}},
               .apply = [c](const Tensor& x) { return avg_pool2d(x, c.options); },
               .reference =
                   [c](std::span<const Values> in) {
                     return fill(pooled(c.image, c.places), [&](const Index& place) {
                       Real sum = 0;
                       for (const Index& pixel : pixels_of(c, place)) sum += in[0].at(pixel);
                       return sum / divisor(c, place);
                     });
                   },
               .linear_in = {0},
               .linear_exactly = c.exactly,
               .derivatives = c.derivatives,
               // A sum of float64's largest numbers overflows before it is divided by more than their count.
               .nasty = c.derivatives && c.options.padding == Size2d(0)});
  }
  const Tensor x = ones({1, 1, 4, 4});
  op.throws<ValueError>("avg_pool2d: the option kernel is required, such as {.kernel = 2}",
                        [x] { return avg_pool2d(x, {}); });
  op.throws<ValueError>("padding must be at most half the window: padding 0x1, kernel 1x1, dilation 1x1",
                        [x] {
                          return avg_pool2d(x, {.kernel = 1, .padding = {0, 1}});
                        });
  op.throws<ValueError>("divisor_override must be at least 1, got 0",
                        [x] { return avg_pool2d(x, {.kernel = 2, .divisor_override = 0}); });
  op.throws<ShapeError>("avg_pool2d: x needs 4 dimensions [n, c, h, w]: x is [3]",
                        [] { return avg_pool2d(ones({3}), {.kernel = 2}); });
  op.throws<ShapeError>("avg_pool2d: the window does not fit: x is [1, 1, 4, 4], kernel 1x5", [x] {
    return avg_pool2d(x, {.kernel = {1, 5}});
  });
});

const OpSamples avg_pool2d_spread_samples(OpId::avg_pool2d_spread, [](Op& op) {
  op.accuracy = {.ulps = 4, .by_magnitudes = true, .signed_zeros = false};
  for (const AvgCase& c : avg_cases()) {
    op.sample({.attributes = describe(c),
               .inputs = {{.shape = pooled(c.image, c.places)}},
               .apply =
                   [c](const Tensor& g) {
                     return avg_pool2d_spread(g, {c.image[2], c.image[3]}, c.options);
                   },
               .reference =
                   [c](std::span<const Values> in) {
                     Values out = fill(c.image, [](const Index&) -> Real { return 0; });
                     for_each_index(in[0].shape, [&](const Index& place) {
                       for (const Index& pixel : pixels_of(c, place))
                         out.at(pixel) += in[0].at(place) / divisor(c, place);
                     });
                     return out;
                   },
               .linear_in = {0},
               .linear_exactly = c.exactly,
               .derivatives = c.derivatives,
               .nasty = c.derivatives});
  }
  op.throws<ShapeError>("avg_pool2d_spread: g needs 4 dimensions [n, c, h, w]: g is [3]",
                        [] { return avg_pool2d_spread(ones({3}), 4, {.kernel = 2}); });
  op.throws<ShapeError>("the window has 2x2 places on the image: g is [1, 1, 3, 2], the image 4x4", [] {
    return avg_pool2d_spread(ones({1, 1, 3, 2}), 4, {.kernel = 2});
  });
  op.throws<ShapeError>("the window does not fit: the image is [1, 1, 1, 4], kernel 2x2", [] {
    return avg_pool2d_spread(ones({1, 1, 1, 2}), {1, 4}, {.kernel = 2});
  });
  op.throws<ValueError>("the image must not be negative, got -1x4", [] {
    return avg_pool2d_spread(ones({1, 1, 1, 2}), {-1, 4}, {.kernel = 2});
  });
});

}}  // namespace xtgrad::testing
