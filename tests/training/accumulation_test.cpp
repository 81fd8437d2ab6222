#include "xtgrad/training/accumulation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/nn/mlp.h"
#include "xtgrad/optim/adam.h"
#include "xtgrad/optim/clip.h"
#include "xtgrad/optim/sgd.h"

using namespace xtgrad;
using testing::message_of;

namespace {

struct Data {
  Tensor x;  // [n, 4]
  Tensor y;  // [n, 3]
};

/// Small whole numbers: sums and products of them are exact.
Data whole_numbers(std::int64_t n, Dtype dtype) {
  Random random(7);
  const auto draw = [&](const Shape& shape) {
    std::vector<double> values(static_cast<std::size_t>(shape.numel()));
    for (double& value : values) value = static_cast<double>(random.next_below(9) - 4);
    return from_span(values, shape, {.dtype = float64}).to(dtype);
  };
  return {.x = draw({n, 4}), .y = draw({n, 3})};
}

Data rows(const Data& data, std::int64_t first, std::int64_t last) {
  return {.x = slice(data.x, {.start = first, .stop = last}),
          .y = slice(data.y, {.start = first, .stop = last})};
}

nn::Linear whole_layer(Dtype dtype) {
  nn::Linear layer(4, 3);
  layer.to(dtype);
  layer.weight.set_value(full({3, 4}, 2, {.dtype = dtype}));
  layer.bias.set_value(full({3}, 1, {.dtype = dtype}));
  return layer;
}

/// A mean over the samples of the sum over their elements.
Tensor loss_of(nn::Module& model, const Data& data) {
  const Tensor total = nn::mse_loss(model(data.x), data.y, {.reduction = nn::Reduction::sum});
  return total / static_cast<double>(data.x.size(0));
}

template <class Model>
Model after_big_step(Model model, const Data& data) {
  optim::SGD sgd(model.parameters(), {.lr = 0.25, .momentum = 0.5});
  loss_of(model, data).backward();
  sgd.step();
  return model;
}

template <class Model>
Model after_small_batches(Model model, const Data& data, std::int64_t size) {
  optim::SGD sgd(model.parameters(), {.lr = 0.25, .momentum = 0.5});
  const std::int64_t n = data.x.size(0);
  training::GradientAccumulation accumulation(sgd, {.batches = (n + size - 1) / size});
  bool stepped = false;
  for (std::int64_t first = 0; first < n; first += size) {
    CHECK_FALSE(stepped);
    const Data part = rows(data, first, std::min(first + size, n));
    stepped = accumulation.backward(loss_of(model, part), part.x.size(0));
  }
  CHECK(stepped);
  return model;
}

/// The largest difference of two parameters, over the size of the larger.
double distance(const Tensor& a, const Tensor& b) {
  const Tensor difference = abs(a - b).to(float64);
  return amax(difference).item() / amax(abs(a)).to(float64).item();
}

}  // namespace

TEST_CASE("small batches make the step of a big one, to the bit where sums are exact, uneven or not") {
  for (const Dtype dtype : {float32, float64}) {
    const Data data = whole_numbers(16, dtype);
    const nn::Linear big = after_big_step(whole_layer(dtype), data);
    for (const std::int64_t size : {16, 8, 4, 1, 7, 5, 3}) {
      CAPTURE(size);
      const nn::Linear small = after_small_batches(whole_layer(dtype), data, size);
      CHECK(distance(small.weight.tensor(), big.weight.tensor()) == 0);
      CHECK(distance(small.bias.tensor(), big.bias.tensor()) == 0);
    }
  }
}

TEST_CASE("small batches make the step of a big one up to the rounding of sums") {
  for (const Dtype dtype : {float32, float64}) {
    Random random(3);
    const Data data{.x = randn({23, 4}, random, {.dtype = dtype}),
                    .y = randn({23, 3}, random, {.dtype = dtype})};
    nn::MLP model({.sizes = {4, 8, 3}});
    model.to(dtype);
    const nn::MLP big = after_big_step(nn::MLP(model), data);
    // A sum of 23 gradients in another order: 23 roundings, of terms as large as the sum.
    const double epsilon =
        dtype == float32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
    for (const std::int64_t size : {8, 5, 22}) {
      CAPTURE(size);
      const nn::MLP small = after_small_batches(nn::MLP(model), data, size);
      for (std::size_t i = 0; i < big.parameters().size(); ++i) {
        CHECK(distance(small.parameters()[i]->tensor(), big.parameters()[i]->tensor()) < 23 * epsilon);
      }
    }
  }
}

TEST_CASE("batches of weighted means weigh by their weights") {
  const Tensor class_weights = tensor({1, 2, 4});
  const Tensor labels = tensor({0, 1, 2, 2, 1}, {.dtype = int64});
  Random random(1);
  const Tensor x = randn({5, 4}, random);
  const nn::Linear start(4, 3);
  const auto train = [&](const std::vector<std::int64_t>& cuts) {
    nn::Linear model(start);
    optim::SGD sgd(model.parameters(), {.lr = 1});
    training::GradientAccumulation accumulation(sgd, {.batches = static_cast<std::int64_t>(cuts.size()) - 1});
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
      const Tensor part = slice(labels, {.start = cuts[i], .stop = cuts[i + 1]});
      const Tensor scores = model(slice(x, {.start = cuts[i], .stop = cuts[i + 1]}));
      accumulation.backward(nn::cross_entropy(scores, part, {.weight = class_weights}),
                            sum(gather(class_weights, 0, part)).item());
    }
    return model;
  };
  const nn::Linear whole = train({0, 5});
  const nn::Linear parts = train({0, 2, 5});
  CHECK(distance(parts.weight.tensor(), whole.weight.tensor()) < 1e-6);
}

TEST_CASE("batches that wait are stepped at the end, or forgotten") {
  const Data data = whole_numbers(4, float32);
  nn::Linear model = whole_layer(float32);
  optim::SGD sgd(model.parameters(), {.lr = 0.25, .momentum = 0.5});
  int calls = 0;
  training::GradientAccumulation accumulation(sgd, {.batches = 8, .before_step = [&] { ++calls; }});
  CHECK_FALSE(accumulation.finish());
  CHECK_FALSE(accumulation.backward(loss_of(model, data), std::int64_t{4}));
  CHECK(accumulation.waiting() == 1);
  accumulation.reset();
  CHECK_FALSE(accumulation.finish());
  CHECK(calls == 0);
  // What was forgotten is in no later step.
  accumulation.backward(loss_of(model, rows(data, 0, 2)), std::int64_t{2});
  accumulation.backward(loss_of(model, rows(data, 2, 4)), std::int64_t{2});
  CHECK(accumulation.finish());
  CHECK(calls == 1);
  CHECK(accumulation.waiting() == 0);
  const nn::Linear big = after_big_step(whole_layer(float32), data);
  CHECK(distance(model.weight.tensor(), big.weight.tensor()) == 0);
}

TEST_CASE("gradients are clipped as those of the whole step") {
  const Data data = whole_numbers(8, float64);
  nn::Linear model = whole_layer(float64);
  optim::SGD sgd(model.parameters(), {.lr = 1});
  double norm = 0;
  training::GradientAccumulation accumulation(
      sgd,
      {.batches = 2, .before_step = [&] { norm = optim::clip_grad_norm(model.parameters(), 0.5).item(); }});
  nn::Linear other = whole_layer(float64);
  loss_of(other, data).backward();
  accumulation.backward(loss_of(model, rows(data, 0, 4)), std::int64_t{4});
  CHECK(norm == 0);
  accumulation.backward(loss_of(model, rows(data, 4, 8)), std::int64_t{4});
  CHECK(norm == optim::grad_norm(other.parameters()).item());
  CHECK(optim::grad_norm(model.parameters()).item() == doctest::Approx(0.5).epsilon(1e-5));
}

TEST_CASE("one batch to a step is a loop without accumulation, to the bit") {
  Random random(3);
  const Data data{.x = randn({6, 4}, random), .y = randn({6, 3}, random)};
  const nn::Linear start(4, 3);
  nn::Linear plain(start);
  nn::Linear accumulated(start);
  optim::Adam adam(plain.parameters(), {});
  optim::Adam other(accumulated.parameters(), {});
  training::GradientAccumulation accumulation(other, {.batches = 1});
  for (int step = 0; step < 5; ++step) {
    const Tensor loss = loss_of(plain, data);
    adam.zero_grad();
    loss.backward();
    adam.step();
    CHECK(accumulation.backward(loss_of(accumulated, data), std::int64_t{6}));
    CHECK(distance(plain.weight.tensor(), accumulated.weight.tensor()) == 0);
  }
}

TEST_CASE("accumulation refuses weights and numbers of batches that make no step") {
  nn::Linear model = whole_layer(float32);
  optim::SGD sgd(model.parameters(), {.lr = 0.25});
  training::GradientAccumulation accumulation(sgd, {.batches = 2});
  const Data data = whole_numbers(2, float32);
  for (const double weight : {0.0, -1.0, std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_AS(accumulation.backward(loss_of(model, data), weight), ValueError);
  }
  CHECK(message_of<ValueError>([&] {
          return accumulation.backward(loss_of(model, data), std::int64_t{0});
        }) == "GradientAccumulation: weight must be finite and positive: got 0");
  CHECK(accumulation.waiting() == 0);
  CHECK(message_of<ValueError>([&] { return training::GradientAccumulation(sgd, {.batches = 0}); }) ==
        "GradientAccumulation: batches must be at least 1: got 0");
}
