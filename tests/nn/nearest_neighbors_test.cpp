#include "xtgrad/nn/nearest_neighbors.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/nn/activations.h"
#include "xtgrad/nn/conv_net.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/mlp.h"
#include "xtgrad/nn/neighbor_search.h"
#include "xtgrad/nn/sequential.h"

using namespace xtgrad;
using xtgrad::testing::message_of;

namespace {

/// The definition: all distances, each summed in double term by term, in the order of distance and row.
nn::Neighbors plain_loop(const Tensor& samples, const Tensor& queries, std::int64_t k) {
  const std::int64_t n = samples.size(0), m = queries.size(0);
  const std::int64_t features = samples.numel() / n;
  const Tensor x = samples.to(float64), q = queries.to(float64);
  const auto xs = x.data<double>(), qs = q.data<double>();
  std::vector<std::int64_t> indices;
  std::vector<double> distances;
  for (std::int64_t query = 0; query < m; ++query) {
    std::vector<double> squares(static_cast<std::size_t>(n));
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::int64_t i = 0; i < features; ++i) {
        const double difference = xs[static_cast<std::size_t>(j * features + i)] -
                                  qs[static_cast<std::size_t>(query * features + i)];
        sum += difference * difference;
      }
      squares[static_cast<std::size_t>(j)] = sum;
    }
    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      return squares[static_cast<std::size_t>(a)] < squares[static_cast<std::size_t>(b)];
    });
    for (std::int64_t i = 0; i < k; ++i) {
      indices.push_back(order[static_cast<std::size_t>(i)]);
      distances.push_back(std::sqrt(squares[static_cast<std::size_t>(indices.back())]));
    }
  }
  return {from_span(std::span<const std::int64_t>(indices), {m, k}),
          from_span(std::span<const double>(distances), {m, k})};
}

template <class T>
std::vector<T> elements(const Tensor& x) {
  return {x.data<T>().begin(), x.data<T>().end()};
}

nn::NearestNeighbors over(const Tensor& samples) {
  return {samples, zeros({samples.size(0)}, {.dtype = int64})};
}

void check_as_plain_loop(const Tensor& samples, const Tensor& queries, std::int64_t k) {
  const nn::Neighbors found = over(samples).neighbors(queries, k);
  const nn::Neighbors expected = plain_loop(samples, queries, k);
  CHECK(found.indices.shape() == expected.indices.shape());
  CHECK(elements<std::int64_t>(found.indices) == elements<std::int64_t>(expected.indices));
  CHECK(elements<double>(found.distances) == elements<double>(expected.distances));
}

Tensor rows_in(Dtype dtype, const Shape& shape, double scale, Random& random) {
  return (uniform(shape, {}, random, {.dtype = float64}) * scale).to(dtype);
}

}  // namespace

TEST_CASE("nearest neighbours are the plain loop's, to the bit, for every dtype, k and block") {
  Random random(1);
  for (const Dtype dtype : {float32, float64, uint8}) {
    CAPTURE(to_string(dtype));
    const double scale = is_floating(dtype) ? 1 : 255;
    // More than one block of samples, and of queries.
    const Tensor samples = rows_in(dtype, {2500, 3, 4}, scale, random);
    const Tensor queries = rows_in(dtype, {300, 3, 4}, scale, random);
    for (const std::int64_t k : {1, 7}) check_as_plain_loop(samples, queries, k);
    check_as_plain_loop(samples, slice(queries, {.stop = 1}), 2500);
    check_as_plain_loop(slice(samples, {.stop = 1}), queries, 1);
  }
}

TEST_CASE("equal distances are ordered by row, however many there are") {
  Random random(2);
  const Tensor few_values = (uniform({3000, 4}, {}, random) * 3).to(int64).to(float32);
  check_as_plain_loop(few_values, slice(few_values, {.stop = 20}), 60);
  // More than are kept in question at once.
  const Tensor all_equal = ones({9000, 5});
  check_as_plain_loop(all_equal, zeros({3, 5}), 4);
  check_as_plain_loop(all_equal, ones({2, 5}), 9000);
}

TEST_CASE("neighbours are right where float32 products say nothing") {
  Random random(3);
  SUBCASE("the differences are lost in the norms") {
    const Tensor samples = (uniform({4000, 30}, {}, random, {.dtype = float64}) * 1e-3 + 1000).to(float32);
    check_as_plain_loop(samples, slice(samples, {.start = 500, .stop = 520}), 5);
  }
  SUBCASE("products overflow") {
    const Tensor samples = ((uniform({2100, 3}, {}, random, {.dtype = float64}) - 0.5) * 1e30).to(float32);
    check_as_plain_loop(samples, slice(samples, {.stop = 9}) * 0.5, 3);
    const Tensor some_large = concat({samples, uniform({2100, 3}, {}, random)}, 0);
    check_as_plain_loop(some_large, uniform({9, 3}, {}, random), 2101);
  }
  SUBCASE("products underflow") {
    for (const Dtype dtype : {float32, float64}) {
      const double scale = dtype == float32 ? 1e-23 : 1e-160;
      const Tensor samples = rows_in(dtype, {300, 3}, scale, random);
      check_as_plain_loop(samples, rows_in(dtype, {9, 3}, scale, random), 3);
    }
  }
  SUBCASE("sums of squares overflow where no square does") {
    const Tensor samples = tensor({{1.3e154}, {-1.0e154}}, {.dtype = float64});
    const Tensor query = tensor({{3.4e153}}, {.dtype = float64});
    check_as_plain_loop(samples, query, 1);
    check_as_plain_loop(samples, query, 2);
  }
  SUBCASE("squares overflow in double") {
    const Tensor samples = (uniform({50, 2}, {}, random, {.dtype = float64}) - 0.5) * 1e300;
    check_as_plain_loop(samples, slice(samples, {.stop = 4}),
                        1);  // each is its own, the others infinitely far
    CHECK_THROWS_AS((void)over(samples).neighbors(slice(samples, {.stop = 4}), 3), ValueError);
  }
}

TEST_CASE("a bound on the error of products holds, and is not idle") {
  Random random(4);
  for (const double offset : {0.0, 3.0, 1e3}) {
    CAPTURE(offset);
    const Tensor x = (randn({200, 100}, random) + offset);
    const Tensor q = (randn({20, 100}, random) + offset);
    const Tensor products = matmul(q, x, {.transpose_b = true});
    const nn::detail::ProductError error(100, std::numeric_limits<float>::epsilon() / 2,
                                         std::numeric_limits<float>::min());
    double largest_share = 0;
    for (std::int64_t i = 0; i < 20; ++i) {
      for (std::int64_t j = 0; j < 200; ++j) {
        double xx = 0, qq = 0, exact = 0;
        for (std::int64_t f = 0; f < 100; ++f) {
          const double a = x.at({j, f}), b = q.at({i, f});
          xx += a * a;
          qq += b * b;
          exact += (a - b) * (a - b);
        }
        const double off = std::abs(xx + qq - 2 * products.at({i, j}) - exact);
        const double bound =
            error.product * std::sqrt(xx) * std::sqrt(qq) + error.norms * (xx + qq) + error.constant;
        CHECK(off <= bound);
        largest_share = std::max(largest_share, off / bound);
      }
    }
    // Roundings add up like a random walk: far from the worst case, but not by a factor of 10,000.
    CHECK(largest_share > 1e-4);
  }
}

TEST_CASE("a search holds no more than k samples and some thousands, whatever comes") {
  nn::detail::NeighborSearch search(3);
  const auto sum = [](std::int64_t index) { return static_cast<double>(index % 7); };
  for (std::int64_t i = 0; i < 100000; ++i) {
    if (search.add(i, -1, 100)) search.settle(sum);
    CHECK(search.nearest().size() <= 3 + 2048);
  }
  search.settle(sum);
  REQUIRE(search.nearest().size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(search.nearest()[i].index == static_cast<std::int64_t>(7 * i));
}

TEST_CASE("most votes win, and of equally many the label whose nearest member is nearest") {
  //                              0  1  2  3  4  5
  const Tensor samples = tensor({{1}, {2}, {3}, {4}, {5}, {6}});
  const Tensor labels = tensor({5, 7, 7, 5, 9, 9}, {.dtype = int64});
  const nn::NearestNeighbors classifier(samples, labels);
  const Tensor query = tensor({{0}, {7}});
  const auto labels_for = [&](std::int64_t k) {
    return elements<std::int64_t>(classifier.predict(query, k));
  };
  CHECK(labels_for(1) == std::vector<std::int64_t>{5, 9});
  CHECK(labels_for(2) == std::vector<std::int64_t>{5, 9});  // 5 7 | 9 9
  CHECK(labels_for(3) == std::vector<std::int64_t>{7, 9});  // 5 7 7
  CHECK(labels_for(4) == std::vector<std::int64_t>{5, 9});  // 5 7 7 5: 5 is nearer
  CHECK(labels_for(6) == std::vector<std::int64_t>{5, 9});  // two of each
  const nn::Neighbors nearest = classifier.neighbors(query, 6);
  for (std::int64_t k = 1; k <= 6; ++k) {
    CHECK(elements<std::int64_t>(classifier.vote(nearest, k)) == labels_for(k));
  }
  // At one distance the sample with the lower row is nearer, and so is its label.
  const nn::NearestNeighbors around(tensor({{-1}, {1}}), tensor({3, 2}, {.dtype = int64}));
  CHECK(around.predict(zeros({1, 1}), 2).item() == 3);
}

TEST_CASE("no queries have no neighbours, and samples without features are all alike") {
  const nn::NearestNeighbors classifier(ones({3, 2, 2}), tensor({1, 0, 0}, {.dtype = int64}));
  CHECK(classifier.predict(zeros({0, 2, 2}), 2).shape() == Shape{0});
  CHECK(classifier.neighbors(zeros({0, 2, 2}), 2).distances.shape() == Shape{0, 2});
  CHECK(classifier.size() == 3);
  const nn::NearestNeighbors featureless(ones({3, 0}), tensor({1, 0, 0}, {.dtype = int64}));
  CHECK(elements<std::int64_t>(featureless.predict(ones({2, 0}), 1)) == std::vector<std::int64_t>{1, 1});
  CHECK(elements<std::int64_t>(featureless.predict(ones({2, 0}), 3)) == std::vector<std::int64_t>{0, 0});
}

TEST_CASE("neighbours among a module's features are those of the plain loop over them") {
  Random random(11);
  nn::ConvNet net({.image = 8, .channels = {4}, .hidden = {6}, .batch_norm = true});
  const Tensor samples = rows_in(float32, {60, 1, 8, 8}, 1, random);
  const Tensor queries = rows_in(float32, {20, 1, 8, 8}, 1, random);
  net.eval();
  // As they come, with their graph.
  const Tensor of_samples = net.features(samples);
  const Tensor of_queries = net.features(queries);
  CHECK(of_samples.requires_grad());
  check_as_plain_loop(of_samples, of_queries, 5);
}

TEST_CASE("neighbours among what a Sequential's body, an MLP's hidden layer or a function makes of samples") {
  Random random(12);
  const Tensor samples = rows_in(float32, {60, 10}, 1, random);
  const Tensor queries = rows_in(float32, {20, 10}, 1, random);
  const auto check = [&](const auto& features, const Shape& of_queries) {
    CHECK(features(queries).shape() == of_queries);
    check_as_plain_loop(features(samples), features(queries), 5);
  };
  nn::Sequential model{nn::Sequential{nn::Linear{10, 6}, nn::Tanh{}}, nn::Linear{6, 3}};
  check([&](const Tensor& x) { return model[0](x); }, {20, 6});
  nn::MLP mlp{{.sizes = {10, 8, 4, 3}}};
  check([&](const Tensor& x) { return relu(mlp.layers[0](x)); }, {20, 8});
  check([&](const Tensor& x) { return concat({x, x * x}, 1); }, {20, 20});
  // Another module, other neighbours.
  const Tensor by_body = over(model[0](samples)).neighbors(model[0](queries), 5).indices;
  const Tensor by_pixels = over(samples).neighbors(queries, 5).indices;
  CHECK(elements<std::int64_t>(by_body) != elements<std::int64_t>(by_pixels));
}

TEST_CASE("distances whose squares are beyond double are refused, and no order is made of them") {
  const Tensor samples = tensor({{1e200, 0}, {-1e200, 0}, {1e200, 1e190}}, {.dtype = float64});
  const Tensor queries = tensor({{1e200, 2e190}}, {.dtype = float64});
  CHECK(message_of<ValueError>([&] { return over(samples).neighbors(queries, 1).indices; }) ==
        "NearestNeighbors: neighbors: the squared distance of sample 0 and query 0 must be finite: got inf; "
        "divide samples and queries by a power of two");
  // Which is exact, and has the order.
  const double scale = std::ldexp(1.0, -600);
  const nn::Neighbors scaled = over(samples * scale).neighbors(queries * scale, 3);
  CHECK(elements<std::int64_t>(scaled.indices) == std::vector<std::int64_t>{2, 0, 1});
  CHECK(elements<double>(scaled.distances)[0] == doctest::Approx(1e190 * scale));
  // What is infinitely far away beside a neighbour that is not is farther: no harm.
  const Tensor near = tensor({{1e200, 3}}, {.dtype = float64});
  CHECK(over(samples).neighbors(near, 1).distances.item() == 3);
  CHECK_THROWS_AS((void)over(samples).neighbors(near, 2), ValueError);
  // The squares of float32 are all in reach, at both ends.
  const Tensor wide = tensor({{3e38, 0}, {-3e38, 0}, {3e38, 1e30}});
  check_as_plain_loop(wide, tensor({{3e38, 2e30}}), 3);
  const nn::Neighbors tiny = over(tensor({{0.0}, {1e-44}})).neighbors(tensor({{2e-44}}), 2);
  CHECK(elements<std::int64_t>(tiny.indices) == std::vector<std::int64_t>{1, 0});
  // Of float64 they are not: below 1e-162 there is no distance, as in the plain loop.
  check_as_plain_loop(tensor({{0.0}, {1e-200}}, {.dtype = float64}), tensor({{1e-200}}, {.dtype = float64}),
                      2);
}

TEST_CASE("nothing is recorded, whatever wants a gradient") {
  const Tensor samples = full({2, 2}, 1, {.requires_grad = true});
  const nn::NearestNeighbors classifier(samples, tensor({1, 0}, {.dtype = int64}));
  CHECK_FALSE(classifier.neighbors(full({1, 2}, 2, {.requires_grad = true}), 1).distances.requires_grad());
}

TEST_CASE("NearestNeighbors takes int32 labels, and predicts int64") {
  const Tensor samples = tensor({{0.0}, {1.0}, {10.0}});
  const nn::NearestNeighbors classifier(samples, tensor({7, 7, 3}, {.dtype = int32}));
  const Tensor predicted = classifier.predict(tensor({{9.0}, {0.5}}));
  CHECK(predicted.dtype() == int64);
  CHECK(predicted.at_int64({0}) == 3);
  CHECK(predicted.at_int64({1}) == 7);
  CHECK(message_of([&] {
          return nn::NearestNeighbors(samples, tensor({7, -7, 3}, {.dtype = int32})).size();
        }) == "NearestNeighbors: label 1 must be at least 0: got -7");
}

TEST_CASE("NearestNeighbors names what does not fit") {
  const Tensor labels = tensor({1, 0}, {.dtype = int64});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto refused = [&](const Tensor& samples, const Tensor& given) {
    return message_of([&] { return nn::NearestNeighbors(samples, given).size(); });
  };
  CHECK(refused(zeros({0, 2}), zeros({0}, {.dtype = int64})) ==
        "NearestNeighbors: samples must be [n, ...] with n at least 1: got [0, 2]");
  CHECK(refused(tensor(1.0), labels) ==
        "NearestNeighbors: samples must be [n, ...] with n at least 1: got []");
  CHECK(refused(ones({3, 2}), labels) == "NearestNeighbors: labels must be [3], one a sample: got [2]");
  CHECK(refused(ones({2, 2}), ones({2})) == "NearestNeighbors: labels must be int64 or int32: got float32");
  CHECK(refused(ones({2, 2}), tensor({0, -1}, {.dtype = int64})) ==
        "NearestNeighbors: label 1 must be at least 0: got -1");
  CHECK(refused(ones({2, 2}, {.dtype = int64}), labels) ==
        "NearestNeighbors: samples and queries must be float32, float64 or uint8: got int64");
  CHECK(refused(tensor({{0, 1}, {2, nan}}), labels) ==
        "NearestNeighbors: samples must be finite: element 1 of row 1 is nan");

  const nn::NearestNeighbors classifier(ones({2, 2}), labels);
  const auto fails = [&](const Tensor& queries, std::int64_t k) {
    return message_of([&] { return classifier.predict(queries, k); });
  };
  CHECK(fails(ones({1, 2}), 0) ==
        "NearestNeighbors: neighbors: k must lie in [1, 2], the number of samples: got 0");
  CHECK(fails(ones({1, 2}), 3) ==
        "NearestNeighbors: neighbors: k must lie in [1, 2], the number of samples: got 3");
  CHECK(fails(ones({1, 3}), 1) ==
        "NearestNeighbors: neighbors: queries must be [m, ...] of the samples' shape [2]: got [1, 3]");
  CHECK(fails(tensor(1.0), 1) ==
        "NearestNeighbors: neighbors: queries must be [m, ...] of the samples' shape [2]: got []");
  CHECK(fails(ones({1, 2}, {.dtype = float64}), 1) ==
        "NearestNeighbors: neighbors: queries are float64, samples are float32; convert with to()");
  CHECK(fails(tensor({{nan, 0}}), 1) ==
        "NearestNeighbors: queries must be finite: element 0 of row 0 is nan");

  // A query of a later block.
  const Tensor late = concat({ones({300, 2}), tensor({{0, nan}})}, 0);
  CHECK(fails(late, 1) == "NearestNeighbors: queries must be finite: element 1 of row 300 is nan");

  const nn::Neighbors nearest = classifier.neighbors(ones({1, 2}), 2);
  const auto vote_fails = [&](const nn::Neighbors& given, std::int64_t k) {
    return message_of([&] { return classifier.vote(given, k); });
  };
  CHECK(vote_fails(nearest, 3) ==
        "NearestNeighbors: vote: k must lie in [1, 2], the number of neighbours: got 3");
  CHECK(vote_fails({tensor({{0, 2}}, {.dtype = int64}), nearest.distances}, 2) ==
        "NearestNeighbors: vote: indices must lie in [0, 2): got 2");
  CHECK(vote_fails({ones({1, 2}), nearest.distances}, 2) ==
        "NearestNeighbors: vote: indices must be int64 [queries, neighbours]: got float32 [1, 2]");
}
