// Samples of pooling by windows that share a side evenly.
#include <cmath>
#include <limits>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// The elements of the window at a place, in scan order: along each side from floor(i size / count) up to
/// ceil((i + 1) size / count).
std::vector<Index> window_at(const Shape& x, const Shape& y, const Index& place) {
  Shape sizes;
  Index begin;
  for (std::size_t d = 2; d < x.rank(); ++d) {
    begin.push_back(place[d] * x[d] / y[d]);
    sizes.push_back(((place[d] + 1) * x[d] + y[d] - 1) / y[d] - begin.back());
  }
  std::vector<Index> elements;
  for_each_index(sizes, [&](const Index& inside) {
    Index at{place[0], place[1]};
    for (std::size_t d = 0; d < inside.size(); ++d) at.push_back(begin[d] + inside[d]);
    elements.push_back(at);
  });
  return elements;
}

struct Case {
  Shape x, y;
};

/// Where all sides are shared evenly, where some are, and where there are more windows than elements.
std::vector<Case> cases(std::size_t directions) {
  if (directions == 1)
    return {{{2, 2, 6}, {2, 2, 3}}, {{1, 2, 7}, {1, 2, 3}}, {{1, 1, 5}, {1, 1, 3}},
            {{1, 1, 2}, {1, 1, 3}}, {{1, 1, 6}, {1, 1, 4}}, {{0, 1, 3}, {0, 1, 2}}};
  if (directions == 2)
    return {{{1, 2, 4, 2}, {1, 2, 2, 1}},
            {{1, 1, 5, 4}, {1, 1, 3, 2}},
            {{2, 1, 2, 3}, {2, 1, 3, 2}},
            {{1, 0, 3, 3}, {1, 0, 2, 2}}};
  return {{{1, 1, 2, 2, 4}, {1, 1, 1, 2, 2}},
          {{1, 1, 3, 2, 3}, {1, 1, 2, 2, 2}},
          {{1, 2, 3, 1, 2}, {1, 2, 3, 1, 3}}};
}

template <class F>
void add_errors(Op& op, F pool, std::size_t directions) {
  const Shape good = cases(directions)[0].x;
  Shape empty = good;
  empty[2] = 0;
  op.throws<ShapeError>("a side has no elements: x is " + to_string(empty),
                        [=] { return pool(ones(empty), 1); });
  op.throws<ValueError>("output must be at least 1, got 0", [=] { return pool(ones(good), 0); });
  op.throws<ShapeError>("x needs " + std::to_string(directions + 2) + " dimensions", [=] {
    return pool(ones({3, 3}), 1);
  });
}

/// `pool(x, output)` for one number, and for the sides of a shape.
template <class F>
void add_means(Op& op, F pool, std::size_t directions) {
  // A product and an addition for each element, direction by direction.
  op.accuracy = {.ulps = 6, .by_magnitudes = true, .signed_zeros = false};
  for (const Case& c : cases(directions)) {
    op.sample({.attributes = to_string(c.x) + " to " + to_string(c.y),
               .inputs = {{.shape = c.x}},
               .apply = [=](const Tensor& x) { return pool(x, c.y); },
               .reference =
                   [=](std::span<const Values> in) {
                     return fill(c.y, [&](const Index& place) {
                       const std::vector<Index> window = window_at(c.x, c.y, place);
                       Real sum = 0;
                       for (const Index& at : window) sum += in[0].at(at);
                       return sum / static_cast<Real>(window.size());
                     });
                   },
               .linear_in = {0},
               .linear_exactly = false,
               // A sum of float64's largest numbers may overflow before it is divided.
               .nasty = false});
  }
}

template <class F>
void add_largest(Op& op, F pool, std::size_t directions) {
  for (const Case& c : cases(directions)) {
    op.sample({.attributes = to_string(c.x) + " to " + to_string(c.y),
               .inputs = {{.shape = c.x, .domain = {.apart = true}}},
               .apply = [=](const Tensor& x) { return pool(x, c.y); },
               .reference =
                   [=](std::span<const Values> in) {
                     return fill(c.y, [&](const Index& place) {
                       Real most = -std::numeric_limits<Real>::infinity();
                       for (const Index& at : window_at(c.x, c.y, place)) {
                         const Real one = in[0].at(at);
                         if (one > most || std::isnan(one)) most = one;
                         if (std::isnan(one)) break;
                       }
                       return most;
                     });
                   }});
  }
}

template <class Size>
struct SizeOf;
template <>
struct SizeOf<std::int64_t> {
  static std::int64_t of(const Shape& y) { return y[2]; }
};
template <>
struct SizeOf<Size2d> {
  static Size2d of(const Shape& y) { return {y[2], y[3]}; }
};
template <>
struct SizeOf<Size3d> {
  static Size3d of(const Shape& y) { return {y[2], y[3], y[4]}; }
};

/// A pool as a function of a shape, or of one number.
template <class Size>
struct Pool {
  Tensor (*call)(const Tensor&, Size);
  Tensor operator()(const Tensor& x, const Shape& y) const { return call(x, SizeOf<Size>::of(y)); }
  Tensor operator()(const Tensor& x, int all) const { return call(x, Size(all)); }
};

const OpSamples adaptive_avg_pool1d_samples(OpId::adaptive_avg_pool1d, [](Op& op) {
  const Pool<std::int64_t> pool{[](const Tensor& x, std::int64_t n) { return adaptive_avg_pool1d(x, n); }};
  add_means(op, pool, 1);
  add_errors(op, pool, 1);
  // [0, 2) and [1, 3): the middle one is in both.
  op.exact({.what = "overlap",
            .inputs = {{{1, 1, 3}, {1, 2, 4}}},
            .apply = [](const Tensor& x) { return adaptive_avg_pool1d(x, 2); },
            .value = {{1, 1, 2}, {1.5, 3}},
            .gradients = {{{1, 1, 3}, {0.5, 1, 0.5}}}});
});
const OpSamples adaptive_avg_pool2d_samples(OpId::adaptive_avg_pool2d, [](Op& op) {
  const Pool<Size2d> pool{[](const Tensor& x, Size2d n) { return adaptive_avg_pool2d(x, n); }};
  add_means(op, pool, 2);
  add_errors(op, pool, 2);
});
const OpSamples adaptive_avg_pool3d_samples(OpId::adaptive_avg_pool3d, [](Op& op) {
  const Pool<Size3d> pool{[](const Tensor& x, Size3d n) { return adaptive_avg_pool3d(x, n); }};
  add_means(op, pool, 3);
  add_errors(op, pool, 3);
});
const OpSamples adaptive_max_pool1d_samples(OpId::adaptive_max_pool1d, [](Op& op) {
  const Pool<std::int64_t> pool{[](const Tensor& x, std::int64_t n) { return adaptive_max_pool1d(x, n); }};
  add_largest(op, pool, 1);
  add_errors(op, pool, 1);
  op.exact({.what = "ties, in windows that overlap and end early",
            .inputs = {{{1, 1, 5}, {3, 3, 3, 3, 3}}},
            .apply = [](const Tensor& x) { return adaptive_max_pool1d(x, 3); },
            .value = {{1, 1, 3}, {3, 3, 3}},
            .gradients = {{{1, 1, 5}, {1, 1, 0, 1, 0}}}});
});
const OpSamples adaptive_max_pool2d_samples(OpId::adaptive_max_pool2d, [](Op& op) {
  const Pool<Size2d> pool{[](const Tensor& x, Size2d n) { return adaptive_max_pool2d(x, n); }};
  add_largest(op, pool, 2);
  op.exact({.what = "ties: the first of each window",
            .inputs = {{{1, 1, 2, 2}, {3, 3, 3, 3}}},
            .apply = [](const Tensor& x) { return adaptive_max_pool2d(x, Size2d(1)); },
            .value = {{1, 1, 1, 1}, {3}},
            .gradients = {{{1, 1, 2, 2}, {1, 0, 0, 0}}}});
  add_errors(op, pool, 2);
});
const OpSamples adaptive_max_pool3d_samples(OpId::adaptive_max_pool3d, [](Op& op) {
  const Pool<Size3d> pool{[](const Tensor& x, Size3d n) { return adaptive_max_pool3d(x, n); }};
  add_largest(op, pool, 3);
  op.exact({.what = "ties: the first of each window",
            .inputs = {{{1, 1, 1, 2, 2}, {3, 3, 3, 3}}},
            .apply = [](const Tensor& x) { return adaptive_max_pool3d(x, Size3d(1)); },
            .value = {{1, 1, 1, 1, 1}, {3}},
            .gradients = {{{1, 1, 1, 2, 2}, {1, 0, 0, 0}}}});
  add_errors(op, pool, 3);
});

}}  // namespace xtgrad::testing
