// Samples of unfold, unfold2d and fold2d.
#include <limits>
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

struct Case {
  Shape image;
  Unfold2dOptions options;
  Size2d places;
  bool derivatives = true;
};

std::vector<Case> cases() {
  return {{{1, 1, 3, 3}, {.kernel = 2}, 2},
          {{2, 2, 4, 3}, {.kernel = {3, 2}, .stride = {1, 2}, .padding = {1, 0}}, {4, 1}},
          {{1, 2, 5, 4}, {.kernel = 2, .dilation = {3, 2}}, 2},
          {{2, 1, 3, 3}, {.kernel = 1, .stride = 2}, 2},
          {{1, 1, 2, 2}, {.kernel = 3, .stride = 3, .padding = 2}, 2},  // places on padding alone, too
          {{0, 2, 3, 3}, {.kernel = 2}, 2},
          {{2, 0, 3, 3}, {.kernel = 2}, 2},
          {{1, 1, 1, 1}, {.kernel = 1}, 1},
          {{3, 5, 11, 13}, {.kernel = 3, .padding = 1}, {11, 13}, false},
          {{40, 3, 17, 19}, {.kernel = {5, 3}, .stride = {2, 3}, .padding = {2, 1}}, {9, 7}, false}};
}

std::string describe(const Case& c) {
  return to_string(c.image) + ", kernel=" + to_string(c.options.kernel) +
         ", stride=" + to_string(c.options.stride) + ", padding=" + to_string(c.options.padding) +
         ", dilation=" + to_string(c.options.dilation);
}

Shape columns_of(const Case& c) {
  return {c.image[0], c.image[1] * c.options.kernel.height * c.options.kernel.width,
          c.places.height * c.places.width};
}

/// The pixel [n, c, y, x] that an entry [n, c * kh * kw, place] of the columns stands for.
Index pixel_of(const Case& c, const Index& entry) {
  const auto& [kernel, stride, padding, dilation] = c.options;
  const std::int64_t element = entry[1] % (kernel.height * kernel.width);
  return {
      entry[0], entry[1] / (kernel.height * kernel.width),
      entry[2] / c.places.width * stride.height - padding.height + element / kernel.width * dilation.height,
      entry[2] % c.places.width * stride.width - padding.width + element % kernel.width * dilation.width};
}

bool is_inside(const Case& c, const Index& pixel) {
  return pixel[2] >= 0 && pixel[2] < c.image[2] && pixel[3] >= 0 && pixel[3] < c.image[3];
}

const OpSamples unfold2d_samples(OpId::unfold2d, [](Op& op) {
  for (const Case& c : cases()) {
    op.sample({.attributes = describe(c),
               .inputs = {{.shape = c.image}},
               .apply = [c](const Tensor& x) { return unfold2d(x, c.options); },
               .reference =
                   [c](std::span<const Values> in) {
                     return fill(columns_of(c), [&](const Index& entry) {
                       const Index pixel = pixel_of(c, entry);
                       return is_inside(c, pixel) ? in[0].at(pixel) : 0;
                     });
                   },
               .linear_in = {0},
               .derivatives = c.derivatives,
               .nasty = c.derivatives});
  }
  op.throws<ValueError>("unfold2d: the option kernel is required, such as {.kernel = 2}", [] {
    return unfold2d(ones({1, 1, 3, 3}), {});
  });
  op.throws<ValueError>("kernel must be at least 1, got 0x2", [] {
    return unfold2d(ones({1, 1, 3, 3}), {.kernel = {0, 2}});
  });
  op.throws<ValueError>("kernel must be at most 2^31 - 1, got 2x4294967296", [] {
    return unfold2d(ones({1, 1, 3, 3}), {.kernel = {2, std::int64_t{1} << 32}});
  });
  op.throws<ValueError>("stride must be at least 1, got 0x1", [] {
    return unfold2d(ones({1, 1, 3, 3}), {.kernel = 2, .stride = {0, 1}});
  });
  op.throws<ValueError>("padding must be at least 0, got 0x-1", [] {
    return unfold2d(ones({1, 1, 3, 3}), {.kernel = 2, .padding = {0, -1}});
  });
  op.throws<ValueError>("dilation must be at least 1, got 0x0", [] {
    return unfold2d(ones({1, 1, 3, 3}), {.kernel = 2, .dilation = 0});
  });
  op.throws<ShapeError>("unfold2d: x needs 4 dimensions [n, c, h, w]: x is [3, 3]", [] {
    return unfold2d(ones({3, 3}), {.kernel = 2});
  });
  op.throws<ShapeError>(
      "unfold2d: the window does not fit: x is [1, 1, 2, 4], kernel 2x2, dilation 3x1, padding 0x0", [] {
        return unfold2d(ones({1, 1, 2, 4}), {.kernel = 2, .dilation = {3, 1}});
      });
  op.throws<ShapeError>(
      "unfold2d: more than 2^63 - 1 elements in one dimension: x is [0, 2305843009213693952, 1, 1]", [] {
        return unfold2d(zeros({0, std::int64_t{1} << 61, 1, 1}), {.kernel = 2, .padding = 1});
      });
  op.throws<ShapeError>(
      "unfold2d: more than 2^63 - 1 elements in one dimension: x is [0, 1, 1, 9223372036854775807]", [] {
        return unfold2d(zeros({0, 1, 1, std::numeric_limits<std::int64_t>::max()}), {.kernel = 1});
      });
});

const OpSamples fold2d_samples(OpId::fold2d, [](Op& op) {
  op.accuracy = {.ulps = 8, .by_magnitudes = true, .signed_zeros = false};
  for (const Case& c : cases()) {
    op.sample({.attributes = describe(c),
               .inputs = {{.shape = columns_of(c)}},
               .apply =
                   [c](const Tensor& columns) {
                     return fold2d(columns, {c.image[2], c.image[3]}, c.options);
                   },
               .reference =
                   [c](std::span<const Values> in) {
                     Values image = fill(c.image, [](const Index&) -> Real { return 0; });
                     for_each_index(in[0].shape, [&](const Index& entry) {
                       const Index pixel = pixel_of(c, entry);
                       if (is_inside(c, pixel)) image.at(pixel) += in[0].at(entry);
                     });
                     return image;
                   },
               .linear_in = {0},
               .derivatives = c.derivatives,
               .nasty = c.derivatives});
  }
  op.throws<ValueError>("fold2d: the option kernel is required, such as {.kernel = 2}", [] {
    return fold2d(ones({1, 4, 4}), 3, {});
  });
  op.throws<ShapeError>("fold2d: columns needs 3 dimensions [n, c * kh * kw, places]: columns is [4, 4]", [] {
    return fold2d(ones({4, 4}), 3, {.kernel = 2});
  });
  op.throws<ShapeError>(
      "the second size of columns must be a multiple of the kernel's 4 elements: columns is [1, 5, 4], "
      "kernel "
      "2x2",
      [] {
        return fold2d(ones({1, 5, 4}), 3, {.kernel = 2});
      });
  op.throws<ShapeError>("the window has 2x2 places on the output: columns is [1, 4, 5], output 3x3", [] {
    return fold2d(ones({1, 4, 5}), 3, {.kernel = 2});
  });
  op.throws<ShapeError>(
      "fold2d: the window does not fit: the output is [1, 1, 1, 3], kernel 2x2, dilation 1x1, padding 0x0",
      [] {
        return fold2d(ones({1, 4, 2}), {1, 3}, {.kernel = 2});
      });
  op.throws<ValueError>("fold2d: the output must not be negative, got 3x-1", [] {
    return fold2d(ones({1, 4, 2}), {3, -1}, {.kernel = 2});
  });
});

const OpSamples unfold_samples(OpId::unfold, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto of = [&op](const Shape& shape, const UnfoldOptions& options, std::size_t dim,
                        std::int64_t windows) {
    op.sample({.attributes = to_string(shape) + ", axis " + std::to_string(options.axis) + ", size " +
                             std::to_string(options.size) + ", step " + std::to_string(options.step),
               .inputs = {{.shape = shape}},
               .apply = [options](const Tensor& x) { return unfold(x, options); },
               .reference =
                   [=](std::span<const Values> in) {
                     Shape result = shape;
                     result[dim] = windows;
                     result.push_back(options.size);
                     return fill(result, [&](Index index) {
                       index[dim] = index[dim] * options.step + index.back();
                       index.pop_back();
                       return in[0].at(index);
                     });
                   },
               .linear_in = {0}});
  };
  of({5}, {.size = 2}, 0, 4);
  of({7}, {.size = 3, .step = 2}, 0, 3);
  of({2, 4}, {.size = 4}, 1, 1);
  of({4, 2}, {.axis = 0, .size = 2, .step = 3}, 0, 1);
  of({2, 5, 3}, {.axis = 1, .size = 2}, 1, 4);
  of({0, 3}, {.axis = 1, .size = 2}, 1, 2);
  of({3, 100}, {.size = 40, .step = 7}, 1, 9);
  of({2, 9}, {.size = 2, .step = 4}, 1, 2);
  op.throws<ShapeError>(
      "needs an axis as long as a window, and at most 7 dimensions: x is [2, 3], axis 1, size 4", [] {
        return unfold(ones({2, 3}), {.size = 4});
      });
  op.throws<ValueError>("size and step must be at least 1, got 0 and 1",
                        [] { return unfold(ones({3}), {.size = 0}); });
  op.throws<ShapeError>("axis 1 is out of range", [] { return unfold(ones({3}), {.axis = 1}); });
});

}}  // namespace xtgrad::testing
