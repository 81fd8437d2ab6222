#include "xtgrad/training/evaluate.h"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/dataset.h"
#include "xtgrad/nn/batch_norm.h"
#include "xtgrad/nn/dropout.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/training/accuracy.h"

using namespace xtgrad;
using testing::message_of;

namespace {

/// With all that behaves differently in training.
struct Model : nn::Module {
  nn::Linear linear{2, 3};
  nn::BatchNorm1d norm{{.num_features = 3}};
  nn::Dropout drop{{.p = 0.5}};
  void members(nn::Members& m) override {
    m("linear", linear);
    m("norm", norm);
    m("drop", drop);
  }
  Tensor forward(const Tensor& x) override {
    recorded = recorded || is_recording();
    return drop(norm(linear(x)));
  }
  bool recorded = false;
};

datasets::Dataset points(std::int64_t n, Dtype dtype = float32) {
  Random random(11);
  const Tensor x = randn({n, 2}, random, {.dtype = dtype});
  return datasets::Dataset({.inputs = x, .labels = argmax(concat({x, -x}, 1), 1), .classes = 4});
}

Tensor squares(const Tensor& outputs, const Tensor& labels) {
  return mean(square(outputs)) + mean(labels.to(outputs.dtype()));
}

}  // namespace

TEST_CASE("an evaluation of batches, the last one smaller, is that of all samples at once") {
  for (const Dtype dtype : {float32, float64}) {
    Model model;
    model.to(dtype);
    const datasets::Dataset data = points(23, dtype);
    const std::vector<std::shared_ptr<training::Metric>> metrics{
        std::make_shared<training::TopKAccuracy>(training::TopKAccuracyOptions{.k = 2, .ignore_index = 3})};
    const auto whole =
        training::evaluate(model, squares, datasets::Loader(data, {.batch_size = 23}), metrics);
    const auto parts = training::evaluate(model, squares, datasets::Loader(data, {.batch_size = 5}), metrics);
    REQUIRE(whole.size() == 2);
    CHECK(whole[0].name == "loss");
    CHECK(whole[1].name == "top_2_accuracy");
    CHECK(parts[0].value == doctest::Approx(whole[0].value).epsilon(1e-6));
    CHECK(parts[1].value == whole[1].value);
    // The first counts nothing of the second.
    CHECK(metrics[0]->value() == parts[1].value);
  }
}

TEST_CASE("an evaluation changes no part of a model, nor its modes, and records nothing") {
  Model model;
  model.norm.eval();  // while the rest is training
  const nn::StateDict before = model.state_dict();
  training::evaluate(model, squares, datasets::Loader(points(6)));
  static_cast<void>(training::predict(model, points(6).inputs()));
  CHECK_FALSE(model.recorded);
  CHECK(model.is_training());
  CHECK(model.drop.is_training());
  CHECK_FALSE(model.norm.is_training());
  for (const auto& [name, value] : before) {
    const auto& shown_name = name;
    CAPTURE(shown_name);
    CHECK(sum(not_equal(value, model.state_dict().at(name)).to(int64)).item_int64() == 0);
  }
}

TEST_CASE("an evaluation that fails leaves the modes as they were") {
  Model model;
  const auto fail = [](const Tensor&, const Tensor&) -> Tensor { throw ValueError("no loss"); };
  CHECK_THROWS_AS(training::evaluate(model, fail, datasets::Loader(points(6))), ValueError);
  CHECK(model.drop.is_training());
}

TEST_CASE("an evaluation of no samples has no loss") {
  Model model;
  const auto values = training::evaluate(model, squares, datasets::Loader(points(6).subset({})));
  REQUIRE(values.size() == 1);
  CHECK(std::isnan(values[0].value));
}

TEST_CASE("an evaluation refuses metrics that are none") {
  Model model;
  CHECK(message_of<ValueError>([&] {
          return training::evaluate(model, squares, datasets::Loader(points(6)), {nullptr});
        }) == "evaluate: metric 0 of 1 is null");
}

TEST_CASE("predictions are the outputs of all samples, whatever the batches") {
  Model model;
  const Tensor x = points(7).inputs();
  const Tensor whole = training::predict(model, x);
  CHECK(whole.shape() == Shape{7, 3});
  CHECK_FALSE(whole.requires_grad());
  for (const std::int64_t size : {1, 3, 7, 8}) {
    const Tensor parts = training::predict(model, x, {.batch_size = size});
    CHECK(amax(abs(parts - whole)).item() < 1e-6);
  }
  CHECK(message_of<ShapeError>([&] {
          return training::predict(model, zeros({0, 2}));
        }) == "predict: inputs must be samples [n, ...], at least one: got [0, 2]");
  CHECK(message_of<ShapeError>([&] { return training::predict(model, zeros({})); }) ==
        "predict: inputs must be samples [n, ...], at least one: got []");
  CHECK(message_of<ValueError>([&] { return training::predict(model, x, {.batch_size = 0}); }) ==
        "predict: batch_size must be at least 1: got 0");
}

TEST_CASE("a loss is any function of two tensors, or one of the library's with its options") {
  const Tensor scores = tensor({{1, 2}, {0, 3}});
  const Tensor labels = tensor({0, 1}, {.dtype = int64});
  const training::Loss plain = nn::cross_entropy;
  const training::Loss smoothed(nn::cross_entropy, {.label_smoothing = 0.1});
  const training::Loss own = [](const Tensor& y, const Tensor&) { return sum(y); };
  CHECK(plain(scores, labels).item() == nn::cross_entropy(scores, labels).item());
  CHECK(smoothed(scores, labels).item() ==
        nn::cross_entropy(scores, labels, {.label_smoothing = 0.1}).item());
  CHECK(own(scores, labels).item() == 6);
}
