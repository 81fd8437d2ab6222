#include "xtgrad/datasets/loader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using datasets::Batch;
using datasets::Dataset;
using datasets::Loader;

namespace {

static_assert(std::input_iterator<Loader::Iterator>);

/// Sample i is (i, 10 i, 100 i), its label i mod 4.
Dataset counting(std::int64_t n, Dtype dtype = float32) {
  std::vector<double> inputs;
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < n; ++i) {
    for (const std::int64_t factor : {1, 10, 100}) inputs.push_back(static_cast<double>(i * factor));
    labels.push_back(i % 4);
  }
  return Dataset(
      {.inputs = from_span(inputs, {n, 3}, {.dtype = dtype}), .labels = from_vector(labels), .classes = 4});
}

/// Indices of a batch's samples; checks that whole samples, and their labels, were taken.
std::vector<std::int64_t> indices_of(const Batch& batch) {
  REQUIRE(batch.inputs.rank() == 2);
  REQUIRE(batch.labels.shape() == Shape{batch.inputs.shape()[0]});
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < batch.inputs.shape()[0]; ++i) {
    const double first = batch.inputs.at({i, 0});
    CHECK(batch.inputs.at({i, 1}) == 10 * first);
    CHECK(batch.inputs.at({i, 2}) == 100 * first);
    indices.push_back(static_cast<std::int64_t>(first));
    CHECK(batch.labels.at({i}) == static_cast<double>(indices.back() % 4));
  }
  return indices;
}

/// The sizes of an epoch's batches, and its samples in order.
struct Epoch {
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> indices;
};

Epoch run(Loader& loader) {
  Epoch epoch;
  for (auto& batch : loader) {
    const std::vector<std::int64_t> indices = indices_of(batch);
    epoch.sizes.push_back(static_cast<std::int64_t>(indices.size()));
    epoch.indices.insert(epoch.indices.end(), indices.begin(), indices.end());
  }
  CHECK(static_cast<std::int64_t>(epoch.sizes.size()) == loader.batches());
  return epoch;
}

std::vector<std::int64_t> upto(std::int64_t n) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(n));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

std::vector<std::int64_t> sorted(std::vector<std::int64_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<std::int64_t> order_of(const Loader& loader, std::int64_t epoch) {
  const Tensor order = loader.order(epoch);
  const std::span<const std::int64_t> indices = order.data<std::int64_t>();
  return {indices.begin(), indices.end()};
}

}  // namespace

TEST_CASE("loader: structured bindings in a range-for") {
  Loader loader(counting(5), {.batch_size = 2});
  std::int64_t seen = 0;
  for (auto& [x, y] : loader) {
    CHECK(x.shape()[0] == y.shape()[0]);
    CHECK(x.dtype() == float32);
    CHECK(y.dtype() == int64);
    CHECK_FALSE(x.requires_grad());
    seen += x.shape()[0];
  }
  CHECK(seen == 5);
  // A loader that lives for one loop.
  for (auto& [x, y] : Loader(counting(3))) CHECK(x.shape() == Shape{3, 3});
}

TEST_CASE("loader: without shuffling, batches follow the data set in both dtypes") {
  for (const Dtype dtype : {float32, float64}) {
    Loader loader(counting(10, dtype), {.batch_size = 4});
    for (int repeat = 0; repeat < 2; ++repeat) {
      const Epoch epoch = run(loader);
      CHECK(epoch.sizes == std::vector<std::int64_t>{4, 4, 2});
      CHECK(epoch.indices == upto(10));
    }
    CHECK((*loader.begin()).inputs.dtype() == dtype);
  }
}

TEST_CASE("loader: shuffled epochs visit every sample exactly once, each in another order") {
  for (const Dtype dtype : {float32, float64}) {
    Loader loader(counting(50, dtype), {.batch_size = 8, .shuffle = true, .seed = 4});
    std::vector<std::vector<std::int64_t>> orders;
    for (int i = 0; i < 10; ++i) {
      const Epoch epoch = run(loader);
      CHECK(epoch.sizes == std::vector<std::int64_t>{8, 8, 8, 8, 8, 8, 2});
      CHECK(sorted(epoch.indices) == upto(50));
      CHECK(epoch.indices != upto(50));
      for (const std::vector<std::int64_t>& before : orders) CHECK(epoch.indices != before);
      orders.push_back(epoch.indices);
    }
  }
}

TEST_CASE("loader: the seed decides about all epochs") {
  Loader a(counting(30), {.batch_size = 7, .shuffle = true, .seed = 4});
  Loader again(counting(30, float64), {.batch_size = 9, .shuffle = true, .seed = 4});
  Loader other(counting(30), {.batch_size = 7, .shuffle = true, .seed = 5});
  for (int i = 0; i < 4; ++i) {
    const std::vector<std::int64_t> order = run(a).indices;
    // Neither dtype nor batch size changes the order.
    CHECK(run(again).indices == order);
    CHECK(run(other).indices != order);
  }
}

TEST_CASE("loader: the orders of seed 1 are these, on every machine") {
  // Computed by another program from the definitions: Philox, Lemire's bounded draw, Fisher and Yates'
  // shuffle.
  const Loader loader(counting(8), {.shuffle = true, .seed = 1});
  CHECK(order_of(loader, 0) == std::vector<std::int64_t>{0, 5, 4, 7, 6, 2, 1, 3});
  CHECK(order_of(loader, 1) == std::vector<std::int64_t>{3, 6, 1, 0, 2, 5, 4, 7});
}

TEST_CASE("loader: epochs are counted, and any can be gone back to") {
  Loader loader(counting(20), {.batch_size = 6, .shuffle = true, .seed = 9});
  CHECK(loader.epoch() == 0);
  std::vector<std::vector<std::int64_t>> orders;
  for (int i = 0; i < 3; ++i) orders.push_back(run(loader).indices);
  CHECK(loader.epoch() == 3);

  // As after a restart from a checkpoint.
  Loader resumed(counting(20), {.batch_size = 6, .shuffle = true, .seed = 9});
  resumed.set_epoch(2);
  CHECK(run(resumed).indices == orders[2]);
  CHECK(resumed.epoch() == 3);
  CHECK(run(resumed).indices == run(loader).indices);
  loader.set_epoch(1);
  CHECK(run(loader).indices == orders[1]);
}

TEST_CASE("loader: a loop that is left early has been an epoch") {
  Loader loader(counting(20), {.batch_size = 4, .shuffle = true, .seed = 9});
  for (auto& batch : loader) {
    static_cast<void>(batch);
    break;
  }
  CHECK(loader.epoch() == 1);
  CHECK(run(loader).indices == order_of(loader, 1));
}

TEST_CASE("loader: order tells what an epoch visits without being one") {
  Loader loader(counting(12), {.batch_size = 5, .shuffle = true, .seed = 2});
  const Tensor order = loader.order(0);
  CHECK(order.dtype() == int64);
  CHECK(order.shape() == Shape{12});
  CHECK(loader.epoch() == 0);
  CHECK(run(loader).indices == order_of(loader, 0));
  CHECK(order_of(Loader(counting(3)), 7) == upto(3));
  CHECK_THROWS_WITH_AS(static_cast<void>(loader.order(-1)), "order: epoch must be at least 0: got -1",
                       ValueError);
}

TEST_CASE("loader: the last batch is smaller, or dropped") {
  for (const bool shuffle : {false, true}) {
    CAPTURE(shuffle);
    Loader keeping(counting(10), {.batch_size = 4, .shuffle = shuffle});
    CHECK(run(keeping).sizes == std::vector<std::int64_t>{4, 4, 2});
    Loader dropping(counting(10), {.batch_size = 4, .shuffle = shuffle, .drop_last = true});
    const Epoch epoch = run(dropping);
    CHECK(epoch.sizes == std::vector<std::int64_t>{4, 4});
    const std::vector<std::int64_t> seen = sorted(epoch.indices);
    CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
    // Nothing to drop: the last batch is full.
    Loader even(counting(8), {.batch_size = 4, .shuffle = shuffle, .drop_last = true});
    CHECK(run(even).sizes == std::vector<std::int64_t>{4, 4});
  }
}

TEST_CASE("loader: batches of one, of all and of more than all") {
  Loader ones(counting(3), {.batch_size = 1});
  CHECK(run(ones).sizes == std::vector<std::int64_t>{1, 1, 1});
  Loader all(counting(3), {.batch_size = 3, .drop_last = true});
  CHECK(run(all).sizes == std::vector<std::int64_t>{3});
  Loader more(counting(3), {.batch_size = 100, .shuffle = true});
  CHECK(run(more).sizes == std::vector<std::int64_t>{3});
  Loader none(counting(3), {.batch_size = 4, .drop_last = true});
  CHECK(none.batches() == 0);
  CHECK(run(none).sizes.empty());
}

TEST_CASE("loader: empty data sets give no batches, samples without elements do") {
  for (const bool shuffle : {false, true}) {
    Loader empty(
        Dataset({.inputs = zeros({0, 3}), .labels = from_vector(std::vector<std::int64_t>{}), .classes = 4}),
        {.shuffle = shuffle});
    CHECK(empty.batches() == 0);
    CHECK(run(empty).sizes.empty());
    Loader hollow(Dataset({.inputs = zeros({3, 0}), .labels = zeros({3})}),
                  {.batch_size = 2, .shuffle = shuffle});
    std::vector<Shape> shapes;
    for (auto& [x, y] : hollow) shapes.push_back(x.shape());
    CHECK(shapes == std::vector<Shape>{{2, 0}, {1, 0}});
  }
}

TEST_CASE("loader: images, targets and other dtypes") {
  const Dataset data(
      {.inputs = reshape(arange(24), {3, 2, 2, 2}), .labels = tensor({{0.5, 1}, {1.5, 2}, {2.5, 3}})});
  Loader loader(data, {.batch_size = 2, .shuffle = true, .seed = 1});
  const std::vector<std::int64_t> indices = order_of(loader, 0);
  std::size_t place = 0;
  for (auto& [x, y] : loader) {
    CHECK(x.dtype() == int64);
    CHECK(x.rank() == 4);
    for (std::int64_t i = 0; i < x.shape()[0]; ++i, ++place) {
      CHECK(x.at({i, 1, 1, 1}) == static_cast<double>(indices[place] * 8 + 7));
      CHECK(y.at({i, 0}) == static_cast<double>(indices[place]) + 0.5);
    }
  }
  CHECK(place == 3);
}

TEST_CASE("loader: a batch is a copy of its own") {
  const Dataset data = counting(4);
  Loader loader(data, {.batch_size = 4});
  std::optional<Batch> kept;
  for (auto& batch : loader) {
    batch.inputs.set_requires_grad();
    kept = batch;
  }
  CHECK_FALSE(data.inputs().requires_grad());
  CHECK(kept->inputs.node() != data.inputs().node());
  CHECK(kept->inputs.data<float>().data() != data.inputs().data<float>().data());
  Tensor loss = sum(kept->inputs * kept->inputs);
  loss.backward();
  CHECK(kept->inputs.grad().at({3, 0}) == 6);
  // What a loop puts into the batch does not come back.
  CHECK(run(loader).indices == upto(4));
}

TEST_CASE("loader: kept batches stay what they were") {
  Loader loader(counting(9), {.batch_size = 2, .shuffle = true});
  std::vector<Batch> kept;
  std::vector<std::vector<std::int64_t>> seen;
  for (auto& batch : loader) {
    kept.push_back(batch);
    seen.push_back(indices_of(batch));
  }
  for (std::size_t i = 0; i < kept.size(); ++i) CHECK(indices_of(kept[i]) == seen[i]);
}

TEST_CASE("loader: nested loops are epochs of their own") {
  Loader loader(counting(6), {.batch_size = 2, .shuffle = true, .seed = 3});
  std::vector<std::int64_t> outer;
  for (auto& batch : loader) {
    const std::vector<std::int64_t> before = indices_of(batch);
    CHECK(sorted(run(loader).indices) == upto(6));
    CHECK(indices_of(batch) == before);
    outer.insert(outer.end(), before.begin(), before.end());
  }
  CHECK(sorted(outer) == upto(6));
  CHECK(loader.epoch() == 4);
}

TEST_CASE("loader: transform changes each batch") {
  std::vector<std::int64_t> sizes;
  Loader loader(counting(5), {.batch_size = 2, .transform = [&](Batch& batch, Random&) {
                                sizes.push_back(batch.inputs.shape()[0]);
                                batch.inputs = batch.inputs * 2.0;
                                batch.labels = one_hot(batch.labels, 4);
                              }});
  std::vector<double> firsts;
  for (auto& [x, y] : loader) {
    CHECK(y.rank() == 2);
    CHECK(y.shape()[1] == 4);
    for (std::int64_t i = 0; i < x.shape()[0]; ++i) {
      firsts.push_back(x.at({i, 0}));
      CHECK(y.at({i, static_cast<std::int64_t>(firsts.size() - 1) % 4}) == 1);
    }
  }
  CHECK(firsts == std::vector<double>{0, 2, 4, 6, 8});
  CHECK(sizes == std::vector<std::int64_t>{2, 2, 1});
}

TEST_CASE("loader: a transform's random numbers depend on seed, epoch and batch") {
  const auto draws = [](std::uint64_t seed, std::int64_t first_epoch, int epochs) {
    std::vector<double> numbers;
    Loader loader(counting(6), {.batch_size = 2, .seed = seed, .transform = [&](Batch&, Random& random) {
                                  numbers.push_back(random.next_uniform());
                                  // How much one batch draws is nothing to the others.
                                  if (numbers.size() % 2 == 0) random.next_uniform();
                                }});
    loader.set_epoch(first_epoch);
    for (int i = 0; i < epochs; ++i) {
      for (auto& batch : loader) static_cast<void>(batch);
    }
    return numbers;
  };
  const std::vector<double> two = draws(1, 0, 2);
  REQUIRE(two.size() == 6);
  std::vector<double> distinct = two;
  std::sort(distinct.begin(), distinct.end());
  CHECK(std::adjacent_find(distinct.begin(), distinct.end()) == distinct.end());
  CHECK(draws(1, 0, 2) == two);
  CHECK(draws(1, 1, 1) == std::vector<double>(two.begin() + 3, two.end()));
  CHECK(draws(2, 0, 2) != two);
}

TEST_CASE("loader: a transform that breaks the batch is an error") {
  const auto loop = [](datasets::BatchTransform transform) {
    Loader loader(counting(5), {.batch_size = 2, .transform = std::move(transform)});
    for (auto& batch : loader) static_cast<void>(batch);
  };
  CHECK_THROWS_WITH_AS(
      loop([](Batch& batch, Random&) {
        batch.inputs = zeros({3, 3});
      }),
      "Loader: transform must keep inputs and labels of equal number: inputs are [3, 3], labels are [2]",
      ShapeError);
  CHECK_THROWS_WITH_AS(
      loop([](Batch& batch, Random&) { batch.labels = zeros({}); }),
      "Loader: transform must keep inputs and labels of equal number: inputs are [2, 3], labels are []",
      ShapeError);
  CHECK_THROWS_WITH_AS(loop([](Batch& batch, Random&) { batch.labels = {}; }),
                       "Loader: transform must keep inputs and labels: one of them is an empty handle",
                       ValueError);
  CHECK_THROWS_WITH_AS(loop([](Batch&, Random&) { throw std::runtime_error("own"); }), "own",
                       std::runtime_error);
}

TEST_CASE("loader: the iterator by hand") {
  Loader loader(counting(10), {.batch_size = 3});
  auto it = loader.begin();
  CHECK(it->inputs.at({0, 0}) == 0);
  it++;
  CHECK((*it).inputs.at({0, 0}) == 3);
  ++(++it);
  CHECK(it->inputs.shape() == Shape{1, 3});
  CHECK(it != loader.end());
  CHECK(++it == loader.end());
}

TEST_CASE("loader: options out of range") {
  const auto make = [](std::int64_t batch_size) { Loader loader(counting(3), {.batch_size = batch_size}); };
  CHECK_THROWS_WITH_AS(make(0), "Loader: batch_size must be at least 1: got 0", ValueError);
  CHECK_THROWS_WITH_AS(make(-2), "Loader: batch_size must be at least 1: got -2", ValueError);
  Loader loader(counting(3));
  CHECK(loader.options().batch_size == 32);
  CHECK(loader.data().size() == 3);
  CHECK_THROWS_WITH_AS(loader.set_epoch(-1), "set_epoch: epoch must be at least 0: got -1", ValueError);
  CHECK(loader.epoch() == 0);
}

TEST_CASE("loader: an iterator at the end, or moved from, has no batch and goes no further") {
  for (const std::int64_t workers : {0, 2}) {
    Loader loader(counting(5), {.batch_size = 3, .workers = workers});
    auto at = loader.begin();
    ++at;
    ++at;
    CHECK(at == loader.end());
    const char* const message =
        "Loader: the iterator has no batch: it was moved from, or is at the end of the epoch, which has 2";
    CHECK_THROWS_WITH_AS(++at, message, ValueError);
    CHECK_THROWS_WITH_AS(at++, message, ValueError);
    CHECK_THROWS_WITH_AS(static_cast<void>(*at), message, ValueError);
    CHECK_THROWS_WITH_AS(static_cast<void>(at->inputs), message, ValueError);
    CHECK(at == loader.end());

    auto from = loader.begin();
    auto to = std::move(from);
    CHECK(from == loader.end());  // NOLINT(bugprone-use-after-move): that is asked
    CHECK_THROWS_WITH_AS(++from, message, ValueError);
    CHECK_THROWS_WITH_AS(static_cast<void>(*from), message, ValueError);
    CHECK(indices_of(*to) == std::vector<std::int64_t>{0, 1, 2});
    from = std::move(to);
    CHECK_THROWS_WITH_AS(++to, message, ValueError);  // NOLINT(bugprone-use-after-move)
    ++from;
    CHECK(indices_of(*from) == std::vector<std::int64_t>{3, 4});
    auto& same = from;
    from = std::move(same);
    CHECK(indices_of(*from) == std::vector<std::int64_t>{3, 4});
  }
  Loader none(counting(0), {.batch_size = 3});
  auto at = none.begin();
  CHECK_THROWS_AS(++at, ValueError);
}
