// Samples of pooling in one and three directions, of power averages, and of what undoes pooling.
#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;

/// Windows on x [n, c, ...]; numbers for each direction.
struct Case {
  Shape x, y;
  std::vector<std::int64_t> kernel, stride, padding, dilation;
  bool ceil_mode = false;
};

/// The elements of the window at a place, in scan order; with `padded` also those of the padding.
std::vector<Index> window_at(const Case& c, const Index& place, bool padded = false) {
  std::vector<Index> elements;
  for_each_index(Shape(std::span<const std::int64_t>(c.kernel)), [&](const Index& tap) {
    Index at{place[0], place[1]};
    bool takes_part = true;
    for (std::size_t d = 0; d < tap.size(); ++d) {
      at.push_back(place[d + 2] * c.stride[d] + tap[d] * c.dilation[d] - c.padding[d]);
      const std::int64_t margin = padded ? c.padding[d] : 0;
      takes_part = takes_part && at[d + 2] >= -margin && at[d + 2] < c.x[d + 2] + margin;
    }
    if (takes_part) elements.push_back(at);
  });
  return elements;
}

std::vector<Case> signals() {
  return {{{2, 2, 4}, {2, 2, 2}, {2}, {2}, {0}, {1}},
          {{1, 1, 7}, {1, 1, 4}, {3}, {2}, {1}, {1}},
          {{1, 1, 5}, {1, 1, 3}, {2}, {2}, {0}, {1}, true},
          {{1, 1, 6}, {1, 1, 4}, {3}, {2}, {1}, {1}, true},
          {{0, 1, 4}, {0, 1, 2}, {2}, {2}, {0}, {1}}};
}

std::vector<Case> volumes() {
  return {{{1, 2, 2, 2, 2}, {1, 2, 1, 1, 1}, {2, 2, 2}, {2, 2, 2}, {0, 0, 0}, {1, 1, 1}},
          {{2, 1, 3, 2, 3}, {2, 1, 2, 2, 2}, {2, 1, 2}, {2, 1, 2}, {1, 0, 1}, {1, 1, 1}},
          {{1, 1, 3, 3, 2}, {1, 1, 2, 2, 2}, {2, 2, 1}, {2, 2, 1}, {0, 0, 0}, {1, 1, 1}, true},
          {{1, 0, 2, 2, 2}, {1, 0, 1, 2, 2}, {2, 1, 1}, {2, 1, 1}, {0, 0, 0}, {1, 1, 1}}};
}

/// Those of max pooling, which alone has dilation.
Case dilated_signal() { return {{1, 2, 6}, {1, 2, 3}, {2}, {1}, {0}, {3}}; }
Case dilated_volume() {
  return {{1, 1, 3, 3, 2}, {1, 1, 1, 1, 2}, {2, 2, 1}, {1, 1, 1}, {0, 0, 0}, {2, 2, 1}};
}

std::string text(const std::vector<std::int64_t>& numbers) { return to_string(Dims(numbers)); }

std::string describe(const Case& c) {
  return to_string(c.x) + ", kernel " + text(c.kernel) + ", stride " + text(c.stride) + ", padding " +
         text(c.padding) + ", dilation " + text(c.dilation) + (c.ceil_mode ? ", ceil_mode" : "");
}

std::int64_t option(const std::vector<std::int64_t>& v, std::int64_t) { return v[0]; }
Size2d option(const std::vector<std::int64_t>& v, const Size2d&) { return {v[0], v[1]}; }
Size3d option(const std::vector<std::int64_t>& v, const Size3d&) { return {v[0], v[1], v[2]}; }

template <class Options>
Options options_of(const Case& c) {
  Options o;
  o.kernel = option(c.kernel, o.kernel);
  o.stride = option(c.stride, o.kernel);
  o.ceil_mode = c.ceil_mode;
  if constexpr (requires { o.padding; }) o.padding = option(c.padding, o.padding);
  if constexpr (requires { o.dilation; }) o.dilation = option(c.dilation, o.dilation);
  return o;
}

template <class Options, class F>
void add_largest(Op& op, const std::vector<Case>& cases, F pool) {
  for (const Case& c : cases) {
    op.sample({.attributes = describe(c),
               .inputs = {{.shape = c.x, .domain = {.apart = true}}},
               .apply = [=, options = options_of<Options>(c)](const Tensor& x) { return pool(x, options); },
               .reference =
                   [=](std::span<const Values> in) {
                     return fill(c.y, [&](const Index& place) {
                       Real most = -std::numeric_limits<Real>::infinity();
                       for (const Index& at : window_at(c, place)) {
                         const Real one = in[0].at(at);
                         if (std::isnan(one)) return one;
                         most = std::max(most, one);
                       }
                       return most;
                     });
                   }});
  }
}

/// The mean of a window, padding counted or not, or its sum by a divisor.
Real mean_of(const Case& c, const Values& x, const Index& place, bool count_padding, std::int64_t divisor) {
  Real sum = 0;
  for (const Index& at : window_at(c, place)) sum += x.at(at);
  return sum / static_cast<Real>(divisor > 0 ? divisor : window_at(c, place, count_padding).size());
}

template <class Options, class F>
void add_means(Op& op, const std::vector<Case>& cases, F pool, std::int64_t divisor = 0) {
  op.accuracy = {.ulps = 6, .by_magnitudes = true, .signed_zeros = false};
  for (const Case& c : cases) {
    for (const bool count_padding : {true, false}) {
      auto options = options_of<Options>(c);
      options.count_include_pad = count_padding;
      if constexpr (requires { options.divisor_override; }) {
        if (divisor > 0) options.divisor_override = divisor;
      }
      op.sample({.attributes = describe(c) + (count_padding ? "" : ", count_include_pad=false"),
                 .inputs = {{.shape = c.x}},
                 .apply = [=](const Tensor& x) { return pool(x, options); },
                 .reference =
                     [=](std::span<const Values> in) {
                       return fill(c.y, [&](const Index& place) {
                         return mean_of(c, in[0], place, count_padding, divisor);
                       });
                     },
                 .linear_in = {0},
                 .linear_exactly = false,
                 // A sum of float64's largest numbers overflows before it is divided.
                 .nasty = false});
      if (divisor > 0 || (c.padding[0] == 0 && c.padding.back() == 0)) break;
    }
  }
}

/// (sum of x^p)^(1 / p), whose ceil mode takes the mean power for a whole window.
template <class Options, class F>
void add_powers(Op& op, const std::vector<Case>& cases, F pool) {
  // A power, its sum, the root: of positive terms, whose roundings the root divides by p again.
  op.accuracy = {.ulps = 8, .floor = 0.5};
  op.parts = {OpId::where};
  for (const Case& c : cases) {
    for (const double p : {1.0, 2.0, 3.0}) {
      auto options = options_of<Options>(c);
      options.p = p;
      op.sample({.attributes = describe(c) + ", p " + std::to_string(p),
                 .inputs = {{.shape = c.x, .domain = {.low = 0.25, .high = 2}}},
                 .apply = [=](const Tensor& x) { return pool(x, options); },
                 .reference =
                     [=](std::span<const Values> in) {
                       return fill(c.y, [&](const Index& place) {
                         Real sum = 0;
                         const std::vector<Index> window = window_at(c, place);
                         for (const Index& at : window) sum += std::pow(in[0].at(at), static_cast<Real>(p));
                         Shape whole(std::span<const std::int64_t>(c.kernel));
                         if (c.ceil_mode)
                           sum *= static_cast<Real>(whole.numel()) / static_cast<Real>(window.size());
                         return std::pow(sum, 1 / static_cast<Real>(p));
                       });
                     },
                 .nasty = false});
    }
  }
}

/// What all refuse; `Options` are the pool's.
template <class Options, class F>
void add_errors(Op& op, F pool, const Case& good) {
  const auto with = [=](auto change) {
    auto options = options_of<Options>(good);
    change(options);
    return [=] { return pool(ones(good.x), options); };
  };
  op.throws<ValueError>("the option kernel is required, such as {.kernel = 2}",
                        with([](Options& o) { o.kernel = 0; }));
  op.throws<ValueError>("stride must be at least 1, got 0", with([](Options& o) { o.stride = 0; }));
  op.throws<ShapeError>("the window does not fit: x is " + to_string(good.x) + ", kernel 9",
                        with([](Options& o) { o.kernel = 9; }));
  if constexpr (requires(Options o) { o.padding; }) {
    op.throws<ValueError>("padding must be at most half the window: padding 2",
                          with([](Options& o) { o.padding = 2; }));
  }
  op.throws<ShapeError>("x needs " + std::to_string(good.x.rank()) + " dimensions", [=] {
    return pool(ones({3, 3}), options_of<Options>(good));
  });
}

constexpr auto largest1d = [](const Tensor& x, const MaxPool1dOptions& o) { return max_pool1d(x, o); };
constexpr auto largest3d = [](const Tensor& x, const MaxPool3dOptions& o) { return max_pool3d(x, o); };
constexpr auto mean1d = [](const Tensor& x, const AvgPool1dOptions& o) { return avg_pool1d(x, o); };
constexpr auto mean3d = [](const Tensor& x, const AvgPool3dOptions& o) { return avg_pool3d(x, o); };
constexpr auto power1d = [](const Tensor& x, const LPPool1dOptions& o) { return lp_pool1d(x, o); };
constexpr auto power2d = [](const Tensor& x, const LPPool2dOptions& o) { return lp_pool2d(x, o); };

const OpSamples max_pool1d_samples(OpId::max_pool1d, [](Op& op) {
  std::vector<Case> cases = signals();
  cases.push_back(dilated_signal());
  add_largest<MaxPool1dOptions>(op, cases, largest1d);
  op.exact({.what = "ties and NaN: the first",
            .inputs = {{{1, 1, 6}, {3, 3, inf, nan, nan, 1}}},
            .apply = [](const Tensor& x) { return max_pool1d(x, {.kernel = 2}); },
            .value = {{1, 1, 3}, {3, nan, nan}},
            .gradients = {{{1, 1, 6}, {1, 0, 0, 1, 1, 0}}}});
  add_errors<MaxPool1dOptions>(op, largest1d, signals()[0]);
});

const OpSamples max_pool3d_samples(OpId::max_pool3d, [](Op& op) {
  std::vector<Case> cases = volumes();
  cases.push_back(dilated_volume());
  add_largest<MaxPool3dOptions>(op, cases, largest3d);
  const auto exact = [&](const char* what, const std::vector<Real>& x, double value,
                         const std::vector<Real>& gradient) {
    op.exact({.what = what,
              .inputs = {{{1, 1, 2, 2, 2}, x}},
              .apply = [](const Tensor& t) { return max_pool3d(t, {.kernel = 2}); },
              .value = {{1, 1, 1, 1, 1}, {value}},
              .gradients = {{{1, 1, 2, 2, 2}, gradient}}});
  };
  exact("a tie of planes: the first", {1, 2, 3, 0, 3, 3, 3, 3}, 3, {0, 0, 1, 0, 0, 0, 0, 0});
  exact("NaN behind inf", {inf, 2, 3, 0, 3, nan, 3, nan}, nan, {0, 0, 0, 0, 0, 1, 0, 0});
  exact("all -inf: the first", std::vector<Real>(8, -inf), -inf, {1, 0, 0, 0, 0, 0, 0, 0});
  op.exact({.what = "a window on padding alone",
            .inputs = {{{1, 1, 1, 1, 1}, {5}}},
            .apply =
                [](const Tensor& x) {
                  return max_pool3d(
                      x, {.kernel = {2, 1, 1}, .stride = 1, .padding = {2, 0, 0}, .dilation = {3, 1, 1}});
                },
            .value = {{1, 1, 2, 1, 1}, {-inf, -inf}},
            .gradients = {{{1, 1, 1, 1, 1}, {0}}}});
  add_errors<MaxPool3dOptions>(op, largest3d, volumes()[0]);
});

const OpSamples avg_pool1d_samples(OpId::avg_pool1d, [](Op& op) {
  add_means<AvgPool1dOptions>(op, signals(), mean1d);
  add_errors<AvgPool1dOptions>(op, mean1d, signals()[0]);
});

const OpSamples avg_pool3d_samples(OpId::avg_pool3d, [](Op& op) {
  add_means<AvgPool3dOptions>(op, volumes(), mean3d);
  add_means<AvgPool3dOptions>(op, {volumes()[1]}, mean3d, 3);
  add_errors<AvgPool3dOptions>(op, mean3d, volumes()[0]);
  op.throws<ValueError>("divisor_override must be at least 1, got 0", [] {
    return avg_pool3d(ones({1, 1, 2, 2, 2}), {.kernel = 2, .divisor_override = 0});
  });
});

const OpSamples lp_pool1d_samples(OpId::lp_pool1d, [](Op& op) {
  add_powers<LPPool1dOptions>(op, {signals()[0], signals()[2], signals()[4]}, power1d);
  const auto exact = [&](const char* what, double p, const std::vector<Real>& x, double value,
                         const std::vector<Real>& gradient) {
    op.exact({.what = what,
              .inputs = {{{1, 1, 2}, x}},
              .apply = [p](const Tensor& t) { return lp_pool1d(t, {.p = p, .kernel = 2}); },
              .value = {{1, 1, 1}, {value}},
              .gradients = {{{1, 1, 2}, gradient}}});
  };
  exact("zeros: no slope", 2, {0, 0}, 0, {0, 0});
  exact("zeros, of an odd power", 3, {0, 0}, 0, {0, 0});
  exact("zeros, of a broken power", 2.5, {0, 0}, 0, {0, 0});
  exact("the sum", 1, {2, -2}, 0, {1, 1});
  exact("a length", 2, {0, -4}, 4, {0, -1});
  exact("an odd power keeps signs", 3, {-1, 0}, -1, {1, 0});
  add_errors<LPPool1dOptions>(op, power1d, signals()[0]);
  op.throws<ValueError>("p must be above 0 and finite, got 0", [] {
    return lp_pool1d(ones({1, 1, 2}), {.p = 0, .kernel = 2});
  });
});

const OpSamples lp_pool2d_samples(OpId::lp_pool2d, [](Op& op) {
  add_powers<LPPool2dOptions>(op,
                              {{{1, 2, 4, 2}, {1, 2, 2, 2}, {2, 1}, {2, 1}, {0, 0}, {1, 1}},
                               {{1, 1, 3, 3}, {1, 1, 2, 2}, {2, 2}, {2, 2}, {0, 0}, {1, 1}, true}},
                              power2d);
  op.exact({.what = "zeros: no slope",
            .inputs = {{{1, 1, 1, 2}, {0, 0}}},
            .apply =
                [](const Tensor& x) {
                  return lp_pool2d(x, {.p = 2, .kernel = {1, 2}});
                },
            .value = {{1, 1, 1, 1}, {0}},
            .gradients = {{{1, 1, 1, 2}, {0, 0}}}});
  add_errors<LPPool2dOptions>(op, power2d, {{1, 1, 3, 3}, {}, {2, 2}, {2, 2}, {0, 0}, {1, 1}});
});

const OpSamples max_unpool2d_samples(OpId::max_unpool2d, [](Op& op) {
  op.parts = {OpId::scatter};
  const auto of = [&](const Shape& x, const MaxUnpool2dOptions& options, const Shape& y) {
    // Places differ, or the order of the derivatives of those that meet would be asked for.
    const std::int64_t count = x[2] * x[3], image = y[2] * y[3];
    op.sample(
        {.attributes = to_string(x) + " to " + to_string(y),
         .inputs = {{.shape = x},
                    index_input(x, 0, std::max<std::int64_t>(1, image / std::max<std::int64_t>(1, count)))},
         .apply =
             [=](const Tensor& u, const Tensor& offset) {
               const Tensor first = reshape(arange(count) * (image / count), {x[2], x[3]});
               return max_unpool2d(u, offset + first, options);
             },
         .reference =
             [=](std::span<const Values> in) {
               Values out = fill(y, [](const Index&) { return Real(0); });
               for_each_index(x, [&](const Index& at) {
                 const std::int64_t place =
                     static_cast<std::int64_t>(in[1].at(at)) + (at[2] * x[3] + at[3]) * (image / count);
                 out.at({at[0], at[1], place / y[3], place % y[3]}) = in[0].at(at);
               });
               return out;
             },
         .linear_in = {0}});
  };
  of({1, 2, 2, 2}, {.kernel = 2}, {1, 2, 4, 4});
  of({2, 1, 2, 1}, {.kernel = {2, 3}, .output = {{5, 4}}}, {2, 1, 5, 4});
  of({1, 1, 2, 2}, {.kernel = 3, .stride = 2, .padding = 1}, {1, 1, 3, 3});
  op.exact({.what = "two at one place: the last",
            .inputs = {{{1, 1, 1, 2}, {5, 7}}, {{1, 1, 1, 2}, {3, 3}}},
            .apply =
                [](const Tensor& x, const Tensor& at) {
                  return max_unpool2d(x, at, {.kernel = {2, 1}});
                },
            .value = {{1, 1, 2, 2}, {0, 0, 0, 7}},
            .gradients = {{{1, 1, 1, 2}, {0, 1}}},
            .roles = {Role::floating, Role::index}});
  const auto call = [](const Shape& x, const Shape& places, const MaxUnpool2dOptions& options,
                       double place = 0) {
    return [=] { return max_unpool2d(ones(x), full(places, place, {.dtype = int32}), options); };
  };
  op.throws<ShapeError>("x and places must have one shape: x is [1, 1, 2, 2], places is [1, 1, 2, 1]",
                        call({1, 1, 2, 2}, {1, 1, 2, 1}, {.kernel = 2}));
  op.throws<ShapeError>("x needs 4 dimensions [n, c, h, w]: x is [2, 2]",
                        call({2, 2}, {2, 2}, {.kernel = 2}));
  op.throws<ValueError>(
      "the output must be less than a stride from 4x4, got 6x4, stride 2x2: x is [1, 1, 2, 2]",
      call({1, 1, 2, 2}, {1, 1, 2, 2}, {.kernel = 2, .output = {{6, 4}}}));
  op.throws<ValueError>("the option kernel is required", call({1, 1, 2, 2}, {1, 1, 2, 2}, {}));
  op.throws<ValueError>("scatter: the index is out of range: 16 at [0, 0], but axis 1 of x has size 16",
                        call({1, 1, 2, 2}, {1, 1, 2, 2}, {.kernel = 2}, 16));
  op.throws<DtypeError>("places must be int32 or int64, got float32; convert with to(int64)", [] {
    return max_unpool2d(ones({1, 1, 2, 2}), ones({1, 1, 2, 2}), {.kernel = 2});
  });
});

}}  // namespace xtgrad::testing
