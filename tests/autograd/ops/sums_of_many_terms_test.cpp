// Every sum inside one operation: of n terms, the error is at most 4 + log2(n) roundings of the sum of their
// magnitudes. One large term, then ones, then the large term's opposite: added one by one, all ones are lost.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batch_norm.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr std::int64_t side = 256;
constexpr std::int64_t count = side * side;

/// The sum of `terms` [count], by way of an operation.
struct LongSumCase {
  std::string name;
  std::function<Tensor(const Tensor& terms)> sum;
};

double rounding_of(Dtype dtype) { return dtype == float32 ? 0x1p-24 : 0x1p-53; }

void check(const std::vector<LongSumCase>& cases, std::int64_t n = count) {
  for (const Dtype dtype : {float32, float64}) {
    const double large = 1 / rounding_of(dtype);
    std::vector<double> values(static_cast<std::size_t>(n), 1.0);
    values.front() = large;
    values.back() = -large;
    const Tensor terms = from_vector(values, {.dtype = dtype});
    const auto ones_left = static_cast<double>(n - 2);
    for (const LongSumCase& one : cases) {
      CAPTURE(one.name);
      CAPTURE(dtype);
      const double error = std::abs(one.sum(terms).item() - ones_left);
      CHECK(error <= (4 + std::log2(n)) * rounding_of(dtype) * (2 * large + static_cast<double>(n)));
    }
  }
}

Tensor like(const Tensor& x, const Shape& shape, double value) {
  return full(shape, value, {.dtype = x.dtype()});
}
/// Elements of `x` in the first of `columns` columns, and ones in the others.
Tensor in_column(const Tensor& x, std::int64_t columns) {
  return concat({reshape(x, {count, 1}), like(x, {count, columns - 1}, 1)}, 1);
}
Tensor first(const Tensor& x) { return slice(reshape(x, {-1}), {.stop = 1}); }

/// The gradient of b, of shape `shape`, in the sum of f(b).
Tensor gradient(const Tensor& x, const Shape& shape, const std::function<Tensor(const Tensor&)>& f) {
  const Tensor b = full(shape, 1.0, {.dtype = x.dtype(), .requires_grad = true});
  return grad(std::vector{sum(f(b))}, std::vector{b})[0];
}

TEST_CASE("long sums: reductions") {
  check({
      {"sum", [](const Tensor& x) { return sum(x); }},
      {"sum of a column", [](const Tensor& x) { return first(sum(in_column(x, 2), {.axes = {0}})); }},
      {"sum of a wide column", [](const Tensor& x) { return first(sum(in_column(x, 40), {.axes = {0}})); }},
      {"sum over several axes",
       [](const Tensor& x) {
         return first(sum(reshape(in_column(x, 3), {side, side, 3}), {.axes = {0, 1}}));
       }},
      {"mean", [](const Tensor& x) { return mean(x) * static_cast<double>(count); }},
      {"avg_pool2d",
       [](const Tensor& x) {
         return avg_pool2d(reshape(x, {1, 1, side, side}), {.kernel = side}) * static_cast<double>(count);
       }},
  });
}

TEST_CASE("long sums: the gradient of an operand that broadcasts") {
  check({
      {"add", [](const Tensor& x) { return gradient(x, {}, [&](const Tensor& b) { return (x + b) * x; }); }},
      {"mul", [](const Tensor& x) { return gradient(x, {1}, [&](const Tensor& b) { return x * b; }); }},
      {"div", [](const Tensor& x) { return -gradient(x, {1}, [&](const Tensor& b) { return x / b; }); }},
      {"where",
       [](const Tensor& x) {
         return gradient(x, {1}, [&](const Tensor& b) { return where(x != 0, b, x) * x; });
       }},
      {"mul of rows",
       [](const Tensor& x) {
         const Tensor rows = in_column(x, 5);
         return first(gradient(x, {5}, [&](const Tensor& b) { return rows * b; }));
       }},
      {"normalize_by",
       [](const Tensor& x) {
         const Tensor rows = in_column(x, 2);
         const Tensor one = like(x, {2}, 1);
         return first(gradient(x, {2}, [&](const Tensor& b) { return normalize_by(rows, one * 0, b, one); }));
       }},
  });
}

TEST_CASE("long sums: what is added at one place") {
  const auto zeros_at = [](const Shape& shape) { return zeros(shape, {.dtype = int64}); };
  check({
      {"scatter_add", [=](const Tensor& x) { return scatter_add(like(x, {1}, 0), 0, zeros_at({count}), x); }},
      {"scatter_add to a long table",
       [=](const Tensor& x) { return first(scatter_add(like(x, {5 * count}, 0), 0, zeros_at({count}), x)); }},
      {"scatter_add of rows",
       [=](const Tensor& x) {
         return first(scatter_add(like(x, {3000, 70}, 0), 0, zeros_at({count, 70}), in_column(x, 70)));
       }},
      {"scatter_add of columns that go apart",
       [=](const Tensor& x) {
         const Tensor index = concat({zeros_at({count, 1}), full({count, 1}, 7, {.dtype = int64})}, 1);
         return first(scatter_add(like(x, {3000, 2}, 0), 0, index, in_column(x, 2)));
       }},
      {"scatter_add of columns to long tables",
       [=](const Tensor& x) {
         const Tensor index = concat({zeros_at({count, 1}), full({count, 1}, 7, {.dtype = int64})}, 1);
         return first(scatter_add(like(x, {5 * count, 2}, 0), 0, index, in_column(x, 2)));
       }},
      {"index_add of rows",
       [=](const Tensor& x) {
         return first(index_add(like(x, {3000, 70}, 0), 0, zeros_at({count}), in_column(x, 70)));
       }},
      {"index_add of columns",
       [=](const Tensor& x) {
         return first(index_add(like(x, {2, 3}, 0), 1, zeros_at({count}),
                                reshape(x, {1, count}) * like(x, {2, 1}, 1)));
       }},
      {"gather's gradient",
       [=](const Tensor& x) {
         return first(
             gradient(x, {100}, [&](const Tensor& b) { return gather(b, 0, zeros_at({count})) * x; }));
       }},
  });
}

TEST_CASE("long sums: convolution's weights, over long batches and large images") {
  // By dot products, and of eight channels by outer ones.
  const auto weight_grad = [](const Shape& images, const Size2d& kernel, std::int64_t channels = 1) {
    return [=](const Tensor& x) {
      const Tensor image = reshape(x, images);
      const Shape out{images[0], channels, images[2] - kernel.height + 1, images[3] - kernel.width + 1};
      return first(conv2d_weight_grad(image, like(x, out, 1), kernel));
    };
  };
  check({
      {"a long batch", weight_grad({count, 1, 1, 1}, 1)},
      {"one image", weight_grad({1, 1, side, side}, 1)},
      {"small images", weight_grad({count / 16, 1, 4, 4}, 1)},
      {"rows", weight_grad({side, 1, 1, side}, 1)},
      {"a long batch, outer products", weight_grad({count, 1, 1, 1}, 1, 8)},
      {"one image, outer products", weight_grad({1, 1, side, side}, 1, 8)},
      {"small images, outer products", weight_grad({count / 16, 1, 4, 4}, 1, 8)},
      {"rows, outer products", weight_grad({side, 1, 1, side}, 1, 8)},
      {"the bias",
       [](const Tensor& x) {
         const Tensor image = reshape(x, {side, 1, 1, side});
         return gradient(x, {1}, [&](const Tensor& b) {
           return conv2d(image, like(x, {1, 1, 1, 1}, 0), b) * image;
         });
       }},
  });
}

TEST_CASE("long sums: windows that meet in one element") {
  constexpr std::int64_t windows = 1024;
  constexpr std::int64_t width = 2 * windows - 1;  // all windows have the middle
  const Size2d kernel{1, windows};
  const auto middle = [](const Tensor& image) {
    return slice(reshape(image, {-1}), {.start = windows - 1, .stop = windows});
  };
  // Windows further to the right, which meet the middle with an earlier element, are added first.
  const auto last_first = [](const Tensor& x) {
    std::vector<std::int64_t> order;
    for (std::int64_t i = windows; i-- > 0;) order.push_back(i);
    return gather(x, 0, from_vector(order));
  };
  const auto in_row = [](const Tensor& x) { return reshape(x, {1, 1, 1, windows}); };
  check(
      {
          {"fold2d",
           [=](const Tensor& x) {
             return middle(
                 fold2d(broadcast_to(reshape(last_first(x), {1, 1, windows}), {1, windows, windows}),
                        {1, width}, {.kernel = kernel}));
           }},
          {"avg_pool2d_spread",
           [=](const Tensor& g) {
             return middle(avg_pool2d_spread(in_row(last_first(g)), {1, width},
                                             {.kernel = kernel, .stride = 1, .divisor_override = 1}));
           }},
          {"max_pool2d_put",
           [=](const Tensor& g) {
             const Tensor places = full({1, 1, 1, windows}, windows - 1, {.dtype = int64});
             return middle(max_pool2d_put(in_row(g), places, {1, width}));
           }},
          {"max_pool2d's gradient",
           [=](const Tensor& g) {
             std::vector<double> pixels(width, 0.0);
             pixels[windows - 1] = 1;
             const Tensor x = from_vector(pixels, {.dtype = g.dtype(), .requires_grad = true});
             const Tensor y =
                 max_pool2d(reshape(x, {1, 1, 1, width}), {.kernel = kernel, .stride = 1, .padding = 0});
             return middle(grad(std::vector{sum(y * in_row(g))}, std::vector{x})[0]);
           }},
      },
      windows);
}

TEST_CASE("sums of windows, long and short, are 0 and not -0 where nothing is added") {
  for (const Dtype dtype : {float32, float64}) {
    for (const std::int64_t many : {2, 40}) {
      const Tensor places = full({1, 1, 1, many}, 1, {.dtype = int64});
      const Tensor put = max_pool2d_put(full({1, 1, 1, many}, -0.0, {.dtype = dtype}), places, {1, 3});
      for (std::int64_t i = 0; i < 3; ++i) CHECK_FALSE(std::signbit(put.at({0, 0, 0, i})));
    }
  }
}

TEST_CASE("long sums: the moments of a channel, and the gradients through them") {
  const auto moments = [](const Shape& shape, std::int64_t channels) {
    return [=](const Tensor& x) {
      const Tensor one = like(x, {channels}, 1);
      const Tensor input = channels == 1 ? reshape(x, shape) : in_column(x, channels);
      return first(detail::batch_norm_with_moments(input, one, one).mean) * static_cast<double>(count);
    };
  };
  const auto bias = [](const Shape& shape) {
    return [=](const Tensor& x) {
      const Tensor one = like(x, {1}, 1);
      const Tensor image = reshape(x, shape);
      return gradient(x, {1}, [&](const Tensor& b) { return batch_norm(image, one, b) * image; });
    };
  };
  check({
      {"the mean of a column", moments({count, 1}, 1)},
      {"the mean of a column of five", moments({count, 5}, 5)},
      {"the mean of a row", moments({1, 1, count}, 1)},
      {"the mean of many rows", moments({side, 1, side}, 1)},
      {"the bias of a column", bias({count, 1})},
      {"the bias of a row", bias({1, 1, count})},
      {"the bias of many rows", bias({side, 1, side})},
  });
}

TEST_CASE("long sums: layer normalisation") {
  // Of weights and biases, over rows whose normalised numbers are 1 and -1.
  const auto of_column = [](bool of_weight) {
    return [=](const Tensor& x) {
      const Tensor one = like(x, {2}, 1);
      const Tensor rows = broadcast_to(from_vector(std::vector<double>{1, -1}).to(x.dtype()), {count, 2});
      const Tensor both = in_column(x, 2);
      return first(gradient(x, {2}, [&](const Tensor& p) {
        return (of_weight ? layer_norm(rows, p, one, {.eps = 0}) : layer_norm(rows, one, p)) * both;
      }));
    };
  };
  check({{"the weight", of_column(true)}, {"the bias", of_column(false)}});
}

TEST_CASE("long sums: exponentials") {
  // 1 and many of a rounding each: one by one, they would be lost.
  for (const Dtype dtype : {float32, float64}) {
    const double part = rounding_of(dtype);
    std::vector<double> values(count, std::log(part));
    values.front() = 0;
    const double want = std::log1p(part * (count - 1));
    const double bound = (4 + std::log2(count)) * part;
    const Tensor x = reshape(from_vector(values, {.dtype = dtype}), {count, 1});
    for (const Tensor& row : {reshape(x, {1, count}), concat({x, x}, 1)}) {
      const std::int64_t axis = row.size(0) == 1 ? 1 : 0;
      CAPTURE(dtype);
      CAPTURE(axis);
      // The logarithm of a rounding is rounded, too, to a few millionths of what it is added up to.
      const double near = bound + 4e-6 * want;
      CHECK(std::abs(first(logsumexp(row, {.axes = {axis}})).item() - want) <= near);
      CHECK(std::abs(first(log_softmax(row, axis)).item() + want) <= near);
      const Tensor classes = zeros({axis == 1 ? 1 : 2}, {.dtype = int64});
      CHECK(std::abs(first(softmax_cross_entropy(row, classes, axis)).item() - want) <= near);
      CHECK(std::abs(first(softmax(row, axis)).item() - std::exp(-want)) <= near);
    }
    // Of more ties than a float counts one by one, there would be too many for a test; of these, each counts.
    const Tensor tie = zeros({count, 2}, {.dtype = dtype});
    CHECK(std::abs(first(logsumexp(tie, {.axes = {0}})).item() - std::log(count)) <=
          16 * part * std::log(count));
  }
}

TEST_CASE("long sums: what softmax's rule adds up") {
  check({
      {"softmax",
       [](const Tensor& g) {
         // y (g - sum(g y)) with y = 1 / count, at an element whose g is 1.
         const Tensor x = zeros({1, count}, {.dtype = g.dtype(), .requires_grad = true});
         const Tensor y = softmax(x, 1);
         const Tensor dx = grad(std::vector{sum(y * reshape(g, {1, count}))}, std::vector{x})[0];
         return (1 - first(slice(dx, {.axis = 1, .start = 1})) * static_cast<double>(count)) *
                static_cast<double>(count);
       }},
      {"log_softmax",
       [](const Tensor& g) {
         // g - y sum(g)
         const Tensor x = zeros({1, count}, {.dtype = g.dtype(), .requires_grad = true});
         const Tensor dx =
             grad(std::vector{sum(log_softmax(x, 1) * reshape(g, {1, count}))}, std::vector{x})[0];
         return (1 - first(slice(dx, {.axis = 1, .start = 1}))) * static_cast<double>(count);
       }},
  });
}

}}  // namespace xtgrad::v1::testing
