// Scans of many elements, and their derivatives at zeros.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/scan.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/transforms.h"

using namespace xtgrad;
using xtgrad::testing::same_bits;
using xtgrad::testing::ThreadCount;

TEST_CASE("sums of float32 along an axis are added in double") {
  const Tensor x = full({1 << 20}, 0.1);
  const Tensor y = cumsum(x);
  const double tenth = x.at({0});
  for (const std::int64_t i : {1000, 500000, (1 << 20) - 1})
    CHECK(y.at({i}) == static_cast<float>(tenth * static_cast<double>(i + 1)));
}

TEST_CASE("scans have the same bits on any number of threads, and whichever way the axis lies") {
  Random random(1);
  const Tensor x = randn({37, 5000}, random);
  const Tensor across = transpose(x, 0, 1);
  std::vector<Tensor> wanted;
  const auto results = [&] {
    return std::vector{cumsum(x),
                       cumprod(x),
                       logcumsumexp(x),
                       cummax(x).values,
                       cummin(x).indices,
                       transpose(cumsum(across, {.axis = 0}), 0, 1),
                       transpose(cumprod(across, {.axis = 0}), 0, 1),
                       transpose(logcumsumexp(across, {.axis = 0}), 0, 1),
                       transpose(cummax(across, {.axis = 0}).values, 0, 1),
                       transpose(cummin(across, {.axis = 0}).indices, 0, 1)};
  };
  for (const int threads : {1, 3}) {
    const ThreadCount count(threads);
    const std::vector<Tensor> got = results();
    if (wanted.empty()) wanted = got;
    for (std::size_t k = 0; k < got.size(); ++k) {
      CAPTURE(k);
      CHECK(same_bits(got[k], wanted[k % 5]));
    }
  }
}

TEST_CASE("a scan from behind is the scan of the flipped axis") {
  const Tensor x = tensor({3, 1, 4, 1, 5}, {.dtype = float64});
  const Tensor flipped = tensor({5, 1, 4, 1, 3}, {.dtype = float64});
  const Tensor from_behind = cumprod(x, {.reverse = true}), wanted = cumprod(flipped);
  for (std::int64_t i = 0; i < 5; ++i) CHECK(from_behind.at({i}) == wanted.at({4 - i}));
  // Indices stay those of x.
  const Tensor places = cummax(x, {.reverse = true}).indices;
  CHECK(places.at({0}) == 4);
  CHECK(places.at({4}) == 4);
}

TEST_CASE("second derivatives of running products with two zeros") {
  // y3 = x0 x1 x2 x3: in x1 and x3 it is x0 x2; y2 = x0 x1 x2.
  const auto f = [](const Tensor& x) {
    return sum(cumprod(x) * tensor({1, 10, 100, 1000}, {.dtype = float64}));
  };
  const Tensor h = hessian(f, tensor({2, 0, 3, 0}, {.dtype = float64}));
  CHECK(h.at({1, 3}) == 1000 * 6);
  CHECK(h.at({3, 1}) == 1000 * 6);
  CHECK(h.at({0, 1}) == 10 + 100 * 3);
  CHECK(h.at({1, 2}) == 100 * 2);
  CHECK(h.at({0, 2}) == 0);
}

TEST_CASE("logarithms of sums that lie far apart have finite derivatives") {
  const Tensor x = tensor({-800, 800, 799, -std::numeric_limits<double>::infinity()},
                          {.dtype = float64, .requires_grad = true});
  const Tensor g = grad({sum(logcumsumexp(x))}, {x}, {.create_graph = true})[0];
  const double share = 1 / (1 + std::exp(-1));
  CHECK(g.at({0}) == 1);
  CHECK(g.at({1}) == doctest::Approx(1 + 2 * share));
  CHECK(g.at({2}) == doctest::Approx(2 * (1 - share)));
  CHECK(g.at({3}) == 0);
  const Tensor second = grad({slice(g, {.axis = 0, .start = 1, .stop = 2})}, {x})[0];
  CHECK(second.at({1}) == doctest::Approx(2 * share * (1 - share)));
  CHECK(second.at({2}) == doctest::Approx(-2 * share * (1 - share)));
  CHECK(second.at({3}) == 0);
}
