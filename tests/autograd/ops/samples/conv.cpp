// Samples of convolution and of its two adjoints.
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// The terms of a convolution, one at a time: calls `term(x index, weight index, y index)` for each product
/// that takes part. x indices may lie in the padding, whose zeros take part like any other number.
template <class F>
void for_each_term(const Shape& x, const Shape& weight, const Shape& y, const Conv2dOptions& o, F&& term) {
  const std::int64_t in = x[1] / o.groups;
  const std::int64_t out = y[1] / o.groups;
  for_each_index(y, [&](const Index& at) {
    for_each_index({in, weight[2], weight[3]}, [&](const Index& tap) {
      const Index from = {at[0], at[1] / out * in + tap[0],
                          at[2] * o.stride.height + tap[1] * o.dilation.height - o.padding.height,
                          at[3] * o.stride.width + tap[2] * o.dilation.width - o.padding.width};
      term(from, Index{at[1], tap[0], tap[1], tap[2]}, at);
    });
  });
}

bool inside(const Shape& shape, const Index& index) {
  for (std::size_t d = 0; d < index.size(); ++d) {
    if (index[d] < 0 || index[d] >= shape[d]) return false;
  }
  return true;
}

Real or_zero(const Values& x, const Index& index) { return inside(x.shape, index) ? x.at(index) : Real(0); }

Values zeros_of(const Shape& shape) {
  return fill(shape, [](const Index&) { return Real(0); });
}

SampleReference conv2d_reference(const Shape& y, const Conv2dOptions& options) {
  return [=](std::span<const Values> in) {
    Values result = zeros_of(y);
    for_each_term(in[0].shape, in[1].shape, y, options, [&](const Index& x, const Index& w, const Index& at) {
      result.at(at) += or_zero(in[0], x) * in[1].at(w);
    });
    if (in.size() > 2) for_each_index(y, [&](const Index& at) { result.at(at) += in[2].at({at[1]}); });
    return result;
  };
}

/// The derivative of a sum of products: each term of the convolution gives its element of the image the
/// weight times the cotangent. Inputs are the cotangent and the weight.
SampleReference transposed_reference(const Shape& x, const Conv2dOptions& options) {
  return [=](std::span<const Values> in) {
    Values result = zeros_of(x);
    for_each_term(x, in[1].shape, in[0].shape, options, [&](const Index& at, const Index& w, const Index& y) {
      if (inside(x, at)) result.at(at) += in[1].at(w) * in[0].at(y);
    });
    return result;
  };
}

SampleReference weight_grad_reference(const Shape& weight, const Conv2dOptions& options) {
  return [=](std::span<const Values> in) {
    Values result = zeros_of(weight);
    for_each_term(in[0].shape, weight, in[1].shape, options,
                  [&](const Index& x, const Index& w, const Index& y) {
                    result.at(w) += or_zero(in[0], x) * in[1].at(y);
                  });
    return result;
  };
}

/// A convolution by its shapes: each of the three operations is tried on all of them.
struct Case {
  Shape x;
  Shape weight;
  Shape y;
  Conv2dOptions options = {};
  Size2d output_padding = 0;
  bool derivatives = true;
};

std::vector<Case> cases() {
  return {
      {{1, 1, 3, 3}, {1, 1, 2, 2}, {1, 1, 2, 2}},
      {{2, 2, 3, 4}, {2, 2, 2, 3}, {2, 2, 2, 2}},
      {{1, 2, 3, 3}, {3, 2, 1, 1}, {1, 3, 3, 3}},
      {{1, 1, 3, 3}, {2, 1, 3, 3}, {1, 2, 3, 3}, {.padding = 1}},
      {{1, 1, 2, 2}, {1, 1, 2, 2}, {1, 1, 5, 5}, {.padding = 2}},  // windows that lie in the padding alone
      {{1, 1, 5, 4}, {2, 1, 2, 3}, {1, 2, 2, 1}, {.stride = 2}, {1, 1}},
      {{1, 1, 6, 5},
       {1, 1, 2, 1},
       {1, 1, 2, 3},
       {.stride = {3, 2}},
       {1, 0}},  // strides wider than the kernel
      {{1, 1, 5, 6}, {1, 1, 3, 2}, {1, 1, 1, 4}, {.dilation = 2}},
      {{1, 1, 5, 7},
       {1, 1, 2, 3},
       {1, 1, 1, 3},
       {.stride = 2, .padding = {0, 1}, .dilation = {3, 2}},
       {1, 0}},
      {{1, 2, 4, 4}, {1, 2, 3, 3}, {1, 1, 2, 2}, {.stride = 2, .padding = 1}, 1},
      {{1, 1, 2, 2}, {1, 1, 3, 3}, {1, 1, 2, 2}, {.padding = 5, .dilation = 5}},  // the middle alone meets it
      {{1, 1, 3, 2}, {1, 1, 3, 2}, {1, 1, 2, 3}, {.stride = {2, 1}, .padding = {4, 2}, .dilation = {4, 3}}},
      {{1, 1, 1, 1}, {1, 1, 2, 2}, {1, 1, 2, 2}, {.padding = 2, .dilation = 3}},  // no element meets it
      {{1, 4, 3, 3}, {4, 2, 2, 2}, {1, 4, 2, 2}, {.groups = 2}},
      {{1, 3, 3, 3}, {3, 1, 2, 2}, {1, 3, 2, 2}, {.groups = 3}},
      {{0, 2, 3, 3}, {2, 2, 2, 2}, {0, 2, 2, 2}},
      {{2, 0, 3, 3}, {2, 0, 2, 2}, {2, 2, 2, 2}},  // sums of nothing: zeros
      {{2, 2, 3, 3}, {0, 2, 2, 2}, {2, 0, 2, 2}},
      {{2, 1, 0, 2}, {1, 1, 2, 2}, {2, 1, 1, 1}, {.padding = {1, 0}}},  // images of padding alone
      {{1, 2, 2, 0}, {2, 1, 2, 3}, {1, 2, 3, 2}, {.padding = {1, 2}, .groups = 2}},
      {{0, 1, 0, 0}, {1, 1, 2, 2}, {0, 1, 1, 1}, {.padding = 1}},
      {{3, 5, 9, 17}, {13, 5, 3, 3}, {3, 13, 9, 17}, {.padding = 1}, 0, false},
      {{17, 6, 12, 12}, {7, 6, 5, 5}, {17, 7, 8, 8}, {}, 0, false},
      {{5, 6, 14, 11},
       {12, 3, 3, 4},
       {5, 12, 6, 4},
       {.stride = {2, 3}, .padding = {0, 2}, .groups = 2},
       {1, 2},
       false},
      {{2, 300, 3, 3}, {9, 300, 3, 3}, {2, 9, 3, 3}, {.padding = 1}, 0, false},  // many terms: several passes
      {{1, 2, 130, 130}, {3, 2, 3, 3}, {1, 3, 130, 130}, {.padding = 1}, 0, false},
  };
}

std::string describe(const Case& c) {
  return to_string(c.x) + " " + to_string(c.weight) + " stride " + to_string(c.options.stride) + " padding " +
         to_string(c.options.padding) + " dilation " + to_string(c.options.dilation) + " groups " +
         std::to_string(c.options.groups);
}

constexpr Accuracy accuracy = {.ulps = 16, .by_magnitudes = true, .signed_zeros = false};

const OpSamples conv2d_samples(OpId::conv2d, [](Op& op) {
  op.accuracy = accuracy;
  for (const Case& c : cases()) {
    op.sample({.attributes = describe(c),
               .inputs = {{.shape = c.x}, {.shape = c.weight}},
               .apply = [=](const Tensor& x, const Tensor& w) { return conv2d(x, w, c.options); },
               .reference = conv2d_reference(c.y, c.options),
               .linear_in = {0, 1},
               .derivatives = c.derivatives,
               .nasty = c.derivatives});
  }
  for (const Conv2dOptions& options : {Conv2dOptions{}, Conv2dOptions{.padding = 1, .groups = 2}}) {
    const Shape y = options.groups == 1 ? Shape{2, 2, 2, 2} : Shape{2, 2, 4, 4};
    op.sample(
        {.attributes = "with bias",
         .inputs = {{.shape = {2, 2, 3, 3}}, {.shape = {2, 2 / options.groups, 2, 2}}, {.shape = {2}}},
         .apply = [=](const Tensor& x, const Tensor& w, const Tensor& b) { return conv2d(x, w, b, options); },
         .reference = conv2d_reference(y, options),
         .linear_in = {0, 1, 2}});
  }
  const auto call = [](const Shape& x, const Shape& w, const Conv2dOptions& options = {}) {
    return [=] { return conv2d(ones(x), ones(w), options); };
  };
  op.throws<ShapeError>("x needs 4 dimensions [n, c, h, w]: x is [3, 3]", call({3, 3}, {1, 1, 2, 2}));
  op.throws<ShapeError>("weight needs 4 dimensions [out, in / groups, kh, kw]: weight is [2, 2]",
                        call({1, 1, 3, 3}, {2, 2}));
  op.throws<ShapeError>("the kernel has no elements: weight is [1, 1, 0, 2]",
                        call({1, 1, 3, 3}, {1, 1, 0, 2}));
  op.throws<ShapeError>(
      "x must have in / groups channels for each group: x is [1, 3, 4, 4], weight is [2, 2, 3, 3], groups 1",
      call({1, 3, 4, 4}, {2, 2, 3, 3}));
  op.throws<ShapeError>("groups must divide the first dimension of weight: weight is [3, 1, 1, 1], groups 2",
                        call({1, 2, 2, 2}, {3, 1, 1, 1}, {.groups = 2}));
  op.throws<ShapeError>("the window does not fit: x is [1, 1, 2, 2], kernel 3x3, dilation 1x1, padding 0x0",
                        call({1, 1, 2, 2}, {1, 1, 3, 3}));
  op.throws<ShapeError>(
      "x must have in / groups channels for each group: x is [1, 0, 2, 2], weight is [0, 4, 1, 1], groups "
      "4611686018427387904",
      call({1, 0, 2, 2}, {0, 4, 1, 1}, {.groups = std::int64_t{1} << 62}));
  op.throws<ValueError>("groups must be at least 1, got 0", call({1, 1, 2, 2}, {1, 1, 1, 1}, {.groups = 0}));
  op.throws<ShapeError>("the window does not fit: x is [2, 3, 0, 5], kernel 3x3",
                        call({2, 3, 0, 5}, {4, 3, 3, 3}, {.padding = 1}));
  op.throws<ValueError>("stride must be at least 1, got 0x1",
                        call({1, 1, 2, 2}, {1, 1, 1, 1}, {.stride = {0, 1}}));
  op.throws<ValueError>("padding must be at least 0, got -1x-1",
                        call({1, 1, 2, 2}, {1, 1, 1, 1}, {.padding = -1}));
  op.throws<ShapeError>("bias needs one element an output channel: weight is [2, 1, 1, 1], bias is [3]", [] {
    return conv2d(ones({1, 1, 2, 2}), ones({2, 1, 1, 1}), ones({3}));
  });
  op.throws<DtypeError>("dtypes differ: weight is float32, bias is float64; convert one with to()", [] {
    return conv2d(ones({1, 1, 2, 2}), ones({2, 1, 1, 1}), ones({2}, {.dtype = float64}));
  });
});

const OpSamples conv_transpose2d_samples(OpId::conv_transpose2d, [](Op& op) {
  op.accuracy = accuracy;
  for (const Case& c : cases()) {
    op.sample({.attributes = describe(c),
               .inputs = {{.shape = c.y}, {.shape = c.weight}},
               .apply =
                   [=](const Tensor& y, const Tensor& w) {
                     return conv_transpose2d(y, w,
                                             {.stride = c.options.stride,
                                              .padding = c.options.padding,
                                              .output_padding = c.output_padding,
                                              .dilation = c.options.dilation,
                                              .groups = c.options.groups});
                   },
               .reference = transposed_reference(c.x, c.options),
               .linear_in = {0, 1},
               .derivatives = c.derivatives,
               .nasty = c.derivatives});
  }
  const auto call = [](const Shape& x, const Shape& w, const ConvTranspose2dOptions& options = {}) {
    return [=] { return conv_transpose2d(ones(x), ones(w), options); };
  };
  op.throws<ShapeError>("x needs 4 dimensions [n, c, h, w]: x is [3, 3]", call({3, 3}, {1, 1, 2, 2}));
  op.throws<ShapeError>(
      "x needs as many channels as weight has in its first dimension: x is [1, 3, 4, 4], weight is [2, 3, 3, "
      "3], "
      "groups 1",
      call({1, 3, 4, 4}, {2, 3, 3, 3}));
  op.throws<ValueError>("output_padding must be at least 0 and less than stride: it is 1x1, stride 1x1",
                        call({1, 1, 2, 2}, {1, 1, 2, 2}, {.output_padding = 1}));
  op.throws<ValueError>("output_padding must be at least 0 and less than stride: it is 0x-1, stride 2x2",
                        call({1, 1, 2, 2}, {1, 1, 2, 2}, {.stride = 2, .output_padding = {0, -1}}));
  op.throws<ShapeError>(
      "a side of the result is negative: x is [1, 1, 2, 2], weight is [1, 1, 2, 2], stride 1x1, padding 2x2",
      call({1, 1, 2, 2}, {1, 1, 2, 2}, {.padding = 2}));
  op.throws<ShapeError>("x has no rows or no columns: x is [1, 1, 0, 2]", call({1, 1, 0, 2}, {1, 1, 2, 2}));
  op.throws<ValueError>("dilation must be at least 1, got 0x0",
                        call({1, 1, 2, 2}, {1, 1, 2, 2}, {.dilation = 0}));
});

const OpSamples conv2d_weight_grad_samples(OpId::conv2d_weight_grad, [](Op& op) {
  op.accuracy = accuracy;
  for (const Case& c : cases()) {
    const Size2d kernel(c.weight[2], c.weight[3]);
    if (c.x[1] == 0 || c.y[1] == 0) continue;  // a result without elements
    op.sample({.attributes = describe(c),
               .inputs = {{.shape = c.x}, {.shape = c.y}},
               .apply = [=](const Tensor& x,
                            const Tensor& y) { return conv2d_weight_grad(x, y, kernel, c.options); },
               .reference = weight_grad_reference(c.weight, c.options),
               .linear_in = {0, 1},
               .derivatives = c.derivatives,
               .nasty = c.derivatives});
  }
  const auto call = [](const Shape& x, const Shape& g, const Size2d& kernel,
                       const Conv2dOptions& options = {}) {
    return [=] { return conv2d_weight_grad(ones(x), ones(g), kernel, options); };
  };
  op.throws<ShapeError>("x needs 4 dimensions [n, c, h, w]: x is [3, 3]", call({3, 3}, {1, 1, 2, 2}, 2));
  op.throws<ShapeError>("g needs 4 dimensions [n, c, h, w]: g is [3, 3]", call({1, 1, 3, 3}, {3, 3}, 2));
  op.throws<ShapeError>(
      "g is not of the shape of conv2d's output: g is [1, 2, 3, 3], the output [1, 2, 2, 2]",
      call({1, 1, 3, 3}, {1, 2, 3, 3}, 2));
  op.throws<ShapeError>(
      "groups must divide the channels of both: x is [1, 3, 2, 2], g is [1, 2, 2, 2], groups 2",
      call({1, 3, 2, 2}, {1, 2, 2, 2}, 1, {.groups = 2}));
  op.throws<ValueError>("kernel must be at least 1, got 2x-1", call({1, 1, 3, 3}, {1, 1, 2, 2}, {2, -1}));
});

}}  // namespace xtgrad::testing
