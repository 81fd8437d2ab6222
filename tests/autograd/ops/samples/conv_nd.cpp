// Samples of convolution in one and three directions, against loops over the definition.
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// A convolution by its shapes; options for each direction.
struct Case {
  Shape x, weight, y;
  std::vector<std::int64_t> stride, padding, dilation;
  std::int64_t groups = 1;
  std::vector<std::int64_t> extra = {};  // output_padding of the transpose; zeros if empty

  [[nodiscard]] std::size_t directions() const { return x.rank() - 2; }
};

/// Calls `term(x index, weight index, y index)` for each product; x indices may lie in the padding.
template <class F>
void for_each_term(const Case& c, F&& term) {
  const std::int64_t in = c.x[1] / c.groups, out = c.y[1] / c.groups;
  Shape window{in};
  for (std::size_t d = 0; d < c.directions(); ++d) window.push_back(c.weight[d + 2]);
  for_each_index(c.y, [&](const Index& at) {
    for_each_index(window, [&](const Index& tap) {
      Index from = {at[0], at[1] / out * in + tap[0]}, weight = {at[1], tap[0]};
      for (std::size_t d = 0; d < c.directions(); ++d) {
        from.push_back(at[d + 2] * c.stride[d] + tap[d + 1] * c.dilation[d] - c.padding[d]);
        weight.push_back(tap[d + 1]);
      }
      term(from, weight, at);
    });
  });
}

bool inside(const Shape& shape, const Index& index) {
  for (std::size_t d = 0; d < index.size(); ++d) {
    if (index[d] < 0 || index[d] >= shape[d]) return false;
  }
  return true;
}

Values zeros_of(const Shape& shape) {
  return fill(shape, [](const Index&) { return Real(0); });
}

void add_bias(std::span<const Values> in, Values& result) {
  if (in.size() > 2)
    for_each_index(result.shape, [&](const Index& at) { result.at(at) += in[2].at({at[1]}); });
}

Values convolved(const Case& c, std::span<const Values> in) {
  Values result = zeros_of(c.y);
  for_each_term(c, [&](const Index& x, const Index& w, const Index& at) {
    result.at(at) += (inside(c.x, x) ? in[0].at(x) : Real(0)) * in[1].at(w);
  });
  add_bias(in, result);
  return result;
}

Values transposed(const Case& c, std::span<const Values> in) {
  Values result = zeros_of(c.x);
  for_each_term(c, [&](const Index& at, const Index& w, const Index& y) {
    if (inside(c.x, at)) result.at(at) += in[1].at(w) * in[0].at(y);
  });
  add_bias(in, result);
  return result;
}

std::vector<Case> signals() {
  return {{{2, 2, 5}, {3, 2, 2}, {2, 3, 4}, {1}, {0}, {1}},
          {{1, 2, 7}, {2, 1, 3}, {1, 2, 3}, {2}, {1}, {2}, 2},
          {{1, 1, 6}, {1, 1, 2}, {1, 1, 2}, {3}, {0}, {2}, 1, {0}},
          {{1, 1, 5}, {1, 1, 2}, {1, 1, 2}, {2}, {0}, {1}, 1, {1}},
          {{0, 1, 3}, {1, 1, 2}, {0, 1, 2}, {1}, {0}, {1}}};
}

std::vector<Case> volumes() {
  return {
      {{1, 1, 2, 2, 3}, {2, 1, 2, 1, 2}, {1, 2, 1, 2, 2}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}},  // all depth
      {{1, 2, 3, 2, 2}, {2, 1, 2, 1, 2}, {1, 2, 2, 2, 2}, {2, 1, 1}, {1, 0, 1}, {1, 1, 2}, 2, {1, 0, 0}},
      {{1, 1, 4, 1, 2}, {1, 1, 2, 1, 1}, {1, 1, 2, 1, 2}, {1, 1, 1}, {0, 0, 0}, {2, 1, 1}},
      {{2, 1, 2, 2, 1}, {1, 1, 1, 2, 1}, {2, 1, 2, 1, 1}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}},  // plane by plane
      {{1, 0, 3, 1, 1}, {2, 0, 2, 1, 1}, {1, 2, 2, 1, 1}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}},
      {{0, 1, 2, 1, 1}, {1, 1, 1, 1, 1}, {0, 1, 2, 1, 1}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}}};
}

std::string text(const std::vector<std::int64_t>& numbers) { return to_string(Dims(numbers)); }

std::string describe(const Case& c) {
  return to_string(c.x) + " " + to_string(c.weight) + " stride " + text(c.stride) + " padding " +
         text(c.padding) + " dilation " + text(c.dilation) + " groups " + std::to_string(c.groups);
}

// One number a direction, as an option takes them.
std::int64_t option(const std::vector<std::int64_t>& v, std::int64_t) { return v[0]; }
Size3d option(const std::vector<std::int64_t>& v, const Size3d&) { return {v[0], v[1], v[2]}; }

template <class Options>
Options options_of(const Case& c) {
  Options o;
  o.stride = option(c.stride, o.stride);
  o.padding = option(c.padding, o.padding);
  o.dilation = option(c.dilation, o.dilation);
  o.groups = c.groups;
  if constexpr (requires { o.output_padding; }) {
    if (!c.extra.empty()) o.output_padding = option(c.extra, o.output_padding);
  }
  return o;
}

/// The accuracy of conv2d.
constexpr Accuracy accuracy = {.ulps = 16, .by_magnitudes = true, .signed_zeros = false};

/// `f(x, weight, options)` and `f(x, weight, bias, options)` on all cases.
template <class Options, class F>
void add_samples(Op& op, const std::vector<Case>& cases, F f, bool transpose) {
  op.accuracy = accuracy;
  for (const Case& c : cases) {
    const Shape &from = transpose ? c.y : c.x, &to = transpose ? c.x : c.y;
    const bool has_bias = c.groups > 1;
    Sample sample{
        .attributes = describe(c),
        .inputs = {{.shape = from}, {.shape = c.weight}},
        .reference =
            [=](std::span<const Values> in) { return transpose ? transposed(c, in) : convolved(c, in); },
        .linear_in = {0, 1}};
    const auto options = options_of<Options>(c);
    if (has_bias) {
      sample.inputs.push_back({.shape = {to[1]}});
      sample.linear_in.push_back(2);
      sample.apply = [=](const Tensor& x, const Tensor& w, const Tensor& b) { return f(x, w, b, options); };
    } else {
      sample.apply = [=](const Tensor& x, const Tensor& w) { return f(x, w, options); };
    }
    op.sample(std::move(sample));
  }
}

constexpr auto signal = [](const auto&... arguments) { return conv1d(arguments...); };
constexpr auto volume = [](const auto&... arguments) { return conv3d(arguments...); };
constexpr auto signal_back = [](const auto&... arguments) { return conv_transpose1d(arguments...); };
constexpr auto volume_back = [](const auto&... arguments) { return conv_transpose3d(arguments...); };

const OpSamples conv1d_samples(OpId::conv1d, [](Op& op) {
  add_samples<Conv1dOptions>(op, signals(), signal, false);
  const auto call = [](const Shape& x, const Shape& w, const Conv1dOptions& options = {}) {
    return [=] { return conv1d(ones(x), ones(w), options); };
  };
  op.throws<ShapeError>("x needs 3 dimensions [n, c, l]: x is [3, 3]", call({3, 3}, {1, 1, 2}));
  op.throws<ShapeError>("weight needs 3 dimensions [out, in / groups, k]: weight is [2, 2]",
                        call({1, 1, 3}, {2, 2}));
  op.throws<ShapeError>("the kernel has no elements: weight is [1, 1, 0]", call({1, 1, 3}, {1, 1, 0}));
  op.throws<ShapeError>(
      "x must have in / groups channels for each group: x is [1, 3, 4], weight is [2, 2, 3], groups 1",
      call({1, 3, 4}, {2, 2, 3}));
  op.throws<ShapeError>("groups must divide the first dimension of weight: weight is [3, 1, 1], groups 2",
                        call({1, 2, 2}, {3, 1, 1}, {.groups = 2}));
  op.throws<ShapeError>("the window does not fit: x is [1, 1, 2], kernel 3, dilation 1, padding 0",
                        call({1, 1, 2}, {1, 1, 3}));
  op.throws<ValueError>("groups must be at least 1, got 0", call({1, 1, 2}, {1, 1, 1}, {.groups = 0}));
  op.throws<ValueError>("stride must be at least 1, got 0", call({1, 1, 2}, {1, 1, 1}, {.stride = 0}));
  op.throws<ShapeError>("bias needs one element an output channel: weight is [2, 1, 1], bias is [3]", [] {
    return conv1d(ones({1, 1, 2}), ones({2, 1, 1}), ones({3}));
  });
});

const OpSamples conv3d_samples(OpId::conv3d, [](Op& op) {
  add_samples<Conv3dOptions>(op, volumes(), volume, false);
  const auto call = [](const Shape& x, const Shape& w, const Conv3dOptions& options = {}) {
    return [=] { return conv3d(ones(x), ones(w), options); };
  };
  op.throws<ShapeError>("x needs 5 dimensions [n, c, d, h, w]: x is [3, 3]", call({3, 3}, {1, 1, 2, 2, 2}));
  op.throws<ShapeError>("weight needs 5 dimensions [out, in / groups, kd, kh, kw]: weight is [2, 2]",
                        call({1, 1, 3, 3, 3}, {2, 2}));
  op.throws<ShapeError>(
      "the window does not fit: x is [1, 1, 2, 2, 2], kernel 1x2x3, dilation 1x1x1, padding 0x0x0",
      call({1, 1, 2, 2, 2}, {1, 1, 1, 2, 3}));
  op.throws<ValueError>("dilation must be at least 1, got 1x0x1",
                        call({1, 1, 2, 2, 2}, {1, 1, 1, 1, 1}, {.dilation = {1, 0, 1}}));
  op.throws<ValueError>("padding must be at least 0, got -1x-1x-1",
                        call({1, 1, 2, 2, 2}, {1, 1, 1, 1, 1}, {.padding = -1}));
});

const OpSamples conv_transpose1d_samples(OpId::conv_transpose1d, [](Op& op) {
  add_samples<ConvTranspose1dOptions>(op, signals(), signal_back, true);
  const auto call = [](const Shape& x, const Shape& w, const ConvTranspose1dOptions& options = {}) {
    return [=] { return conv_transpose1d(ones(x), ones(w), options); };
  };
  op.throws<ShapeError>("x needs 3 dimensions [n, c, l]: x is [3, 3]", call({3, 3}, {1, 1, 2}));
  op.throws<ShapeError>(
      "x needs as many channels as weight has in its first dimension: x is [1, 3, 4], weight is [2, 3, 3]",
      call({1, 3, 4}, {2, 3, 3}));
  op.throws<ValueError>("output_padding must be at least 0 and less than stride: it is 1, stride 1",
                        call({1, 1, 2}, {1, 1, 2}, {.output_padding = 1}));
  op.throws<ShapeError>(
      "a side of the result is negative: x is [1, 1, 2], weight is [1, 1, 2], stride 1, padding 2",
      call({1, 1, 2}, {1, 1, 2}, {.padding = 2}));
  op.throws<ShapeError>("a side of x has no elements: x is [1, 1, 0]", call({1, 1, 0}, {1, 1, 2}));
});

const OpSamples conv_transpose3d_samples(OpId::conv_transpose3d, [](Op& op) {
  add_samples<ConvTranspose3dOptions>(op, volumes(), volume_back, true);
  op.throws<ValueError>(
      "output_padding must be at least 0 and less than stride: it is 0x1x0, stride 1x1x1", [] {
        return conv_transpose3d(ones({1, 1, 2, 2, 2}), ones({1, 1, 2, 2, 2}), {.output_padding = {0, 1, 0}});
      });
  op.throws<ShapeError>("bias needs one element an output channel: weight is [1, 3, 1, 1, 1], bias is [1]",
                        [] {
                          return conv_transpose3d(ones({1, 1, 2, 2, 2}), ones({1, 3, 1, 1, 1}), ones({1}));
                        });
});

}}  // namespace xtgrad::testing
