// EmbeddingBag: PyTorch's numbers, bags of all kinds, padding, derivatives, what is refused.
#include "xtgrad/nn/embedding_bag.h"

#include <doctest/doctest.h>

#include <optional>
#include <tuple>

#include "tests/nn/module_checks.h"
#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/nn/capture.h"

using namespace xtgrad;
using namespace nn_test;
using nn::BagMode;
using xtgrad::testing::message_of;
using xtgrad::testing::same_bits;

namespace {

Tensor ints(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = int64}); }

nn::EmbeddingBag bag_of_ramps(BagMode mode, std::optional<std::int64_t> padding = std::nullopt) {
  nn::EmbeddingBag bag{{.num_embeddings = 5, .embedding_dim = 2, .mode = mode, .padding_idx = padding}};
  bag.weight.set_value(ramp({5, 2}));
  return bag;
}

/// What PyTorch gives: bags of indices in one dimension, and their squares' sum's gradient; then of rows.
struct Case {
  BagMode mode;
  Numbers flat, flat_gradient, rows, rows_gradient;
};
const Case cases[] = {
    {BagMode::sum,
     {-0.25, 0.375, 0, 0, -0.25, -2.5, 0, 0},
     {-0.5, 0.75, 0, 0, -1, -10, 0, 0, -0.5, 0.75},
     {-0.25, 0.375, -0.125, -1.25},
     {-0.5, 0.75, 0, 0, -0.25, -2.5, 0, 0, -0.5, 0.75}},
    {BagMode::mean,
     {-0.125, 0.1875, 0, 0, -0.125, -1.25, 0, 0},
     {-0.125, 0.1875, 0, 0, -0.25, -2.5, 0, 0, -0.125, 0.1875},
     {-0.125, 0.1875, -0.125, -1.25},
     {-0.125, 0.1875, 0, 0, -0.25, -2.5, 0, 0, -0.125, 0.1875}},
    {BagMode::max,
     {1.125, 0.375, 0, 0, -0.125, -1.25, 0, 0},
     {0, 0.75, 0, 0, -0.25, -2.5, 0, 0, 2.25, 0},
     {1.125, 0.375, -0.125, -1.25},
     {0, 0.75, 0, 0, -0.25, -2.5, 0, 0, 2.25, 0}},
};

}  // namespace

TEST_CASE("EmbeddingBag has PyTorch's bags and gradients; padding is in none, and an empty bag is 0") {
  for (const Case& c : cases) {
    for (const Dtype dtype : {float32, float64}) {
      nn::EmbeddingBag bag = bag_of_ramps(c.mode, -4);
      bag.to(dtype);
      const Tensor y = bag(ints({4, 0, 1, 2, 2, 1}), {.offsets = ints({0, 3, 3, 5})});
      CHECK(y.dtype() == dtype);
      CHECK(y.shape() == Shape{4, 2});
      CHECK(elements(y) == c.flat);
      sum(square(y)).backward();
      CHECK(elements(bag.weight.grad()) == c.flat_gradient);
      bag.zero_grad();
      const Tensor z = bag(ints({{4, 0}, {1, 2}}).to(int32));
      CHECK(elements(z) == c.rows);
      sum(square(z)).backward();
      CHECK(elements(bag.weight.grad()) == c.rows_gradient);
    }
  }
}

TEST_CASE("per_sample_weights are factors, and have a gradient") {
  nn::EmbeddingBag bag = bag_of_ramps(BagMode::sum);
  const Tensor weights = tensor({{0.5, 2}, {1, -1}}, {.requires_grad = true});
  const Tensor y = bag(ints({{4, 0}, {1, 2}}), {.per_sample_weights = weights});
  CHECK(elements(y) == Numbers{-2.1875, 0.75, -0.625, 2.25});
  sum(square(y)).backward();
  CHECK(elements(weights.grad()) == Numbers{-4.921875, 6.578125, 5.4375, -5.46875});
}

TEST_CASE("bags of nothing") {
  nn::EmbeddingBag bag = bag_of_ramps(BagMode::max);
  CHECK(bag(zeros({0, 3}, {.dtype = int64})).shape() == Shape{0, 2});
  CHECK(elements(bag(zeros({2, 0}, {.dtype = int64}))) == Numbers(4, 0));
  CHECK(elements(bag(zeros({0}, {.dtype = int64}), {.offsets = ints({0, 0})})) == Numbers(4, 0));
  CHECK(bag(zeros({0}, {.dtype = int64}), {.offsets = zeros({0}, {.dtype = int64})}).shape() == Shape{0, 2});
}

TEST_CASE("EmbeddingBag keeps the rules of modules") {
  manual_seed(4);
  for (const BagMode mode : {BagMode::sum, BagMode::mean, BagMode::max}) {
    nn::EmbeddingBag bag = bag_of_ramps(mode, 0);
    nn::EmbeddingBag other{{.num_embeddings = 5, .embedding_dim = 2, .mode = mode, .padding_idx = 0}};
    CHECK(elements(select(other.weight, 0, 0)) == Numbers{0, 0});
    const Tensor indices = ints({{1, 4, 0}, {2, 3, 3}});
    other.load_state_dict(bag.state_dict());
    CHECK(elements(other(indices)) == elements(bag(indices)));
    nn::EmbeddingBag copy(bag);
    copy.weight.set_value(zeros({5, 2}));
    CHECK(elements(copy(indices)) != elements(bag(indices)));
    const auto report = nn::check_grads(bag, std::tuple<Tensor, nn::BagInput>(indices, {}));
    CHECK_MESSAGE(report.ok(), report.message);
  }
  nn::EmbeddingBag bag = bag_of_ramps(BagMode::mean, 0);
  CHECK(bag.state_dict().contains("weight"));
  auto replay = capture([&](const Tensor& i, const Tensor& o) { return bag(i, {.offsets = o}); },
                        {ints({1, 2, 3}), ints({0, 1})}, {&bag});
  const Tensor i = ints({0, 4, 4}), o = ints({0, 2});
  CHECK(same_bits(replay(i, o), bag(i, {.offsets = o})));
}

TEST_CASE("EmbeddingBag says what does not fit") {
  nn::EmbeddingBag bag = bag_of_ramps(BagMode::mean);
  const Tensor row = ints({1, 2});
  CHECK(message_of<ValueError>([] { return nn::EmbeddingBag({.embedding_dim = 2}).weight.shape(); }) ==
        "EmbeddingBag: num_embeddings is required, and was not given");
  CHECK(message_of<ValueError>([&] {
          return bag(ints({{1, 5}}));
        }) == "EmbeddingBag: index out of range: got 5 at [0, 1], there are 5 embeddings");
  CHECK(message_of<DtypeError>([&] {
          return bag(zeros({1, 2}));
        }) == "EmbeddingBag: indices must be int64 or int32: got float32");
  CHECK(message_of<ShapeError>([&] { return bag(row); }) ==
        "EmbeddingBag: indices must be [bags, length], or [n] with offsets [bags]: got [2] with none");
  CHECK(message_of<ShapeError>([&] { return bag(ints({{1}}), {.offsets = ints({0})}); }) ==
        "EmbeddingBag: indices must be [bags, length], or [n] with offsets [bags]: got [1, 1] with [1]");
  CHECK(message_of<ValueError>([&] { return bag(row, {.offsets = ints({1})}); }) ==
        "EmbeddingBag: offsets must ascend from 0 to at most 2, the number of indices: got 1 at [0]");
  CHECK(message_of<ValueError>([&] {
          return bag(row, {.offsets = ints({0, 3})});
        }) == "EmbeddingBag: offsets must ascend from 0 to at most 2, the number of indices: got 3 at [1]");
  CHECK(message_of<ValueError>([&] {
          return bag(row, {.offsets = ints({0}), .per_sample_weights = ones({2})});
        }) == "EmbeddingBag: per_sample_weights need mode sum");
  nn::EmbeddingBag sums = bag_of_ramps(BagMode::sum);
  CHECK(message_of<ShapeError>([&] {
          return sums(ints({{1, 2}}), {.per_sample_weights = ones({2})});
        }) == "EmbeddingBag: per_sample_weights must be [1, 2], as the indices: got [2]");
}
