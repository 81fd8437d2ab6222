// Metrics of one score a row, of one class, and of labels that are shares of the classes.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/training/spirals_run.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/mixup.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/optim/sgd.h"
#include "xtgrad/training/accuracy.h"
#include "xtgrad/training/confusion_matrix.h"
#include "xtgrad/training/evaluate.h"
#include "xtgrad/training/trainer.h"

using namespace xtgrad;
using testing::message_of;
using training::Accuracy;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

Tensor ints(std::vector<std::int64_t> values) {
  return from_span(values, {static_cast<std::int64_t>(values.size())});
}

template <class Error>
std::string refused(training::Metric& metric, const Tensor& outputs, const Tensor& labels) {
  return message_of<Error>([&] {
    metric.update(outputs, labels);
    return 0;
  });
}

}  // namespace

TEST_CASE("one logit a row: accuracy, and precision, recall and f1 of the positive class") {
  // 3 of class 1 are found, 1 is not, 2 of class 0 are called 1, 1 is not.
  const std::vector<double> logits{2, 0.5, 1e-3, -0.25, 1, 3, -4};
  const std::vector<double> labels{1, 1, 1, 1, 0, 0, 0};
  const auto value = [](auto metric, const Tensor& scores, const Tensor& wanted) {
    metric.update(scores, wanted);
    return metric.value();
  };
  for (const Dtype dtype : {float32, float64}) {
    for (const Shape& shape : {Shape{7}, Shape{7, 1}}) {
      for (const Dtype label_dtype : {float32, float64, int64, int32}) {
        for (const Shape& label_shape : {Shape{7}, Shape{7, 1}}) {
          CAPTURE(to_string(label_dtype));
          CAPTURE(to_string(shape));
          CAPTURE(to_string(label_shape));
          const Tensor x = reshape(from_vector(logits), shape).to(dtype);
          const Tensor y = reshape(from_vector(labels), label_shape).to(label_dtype);
          const training::ClassScoreOptions positive{.classes = 2, .threshold = 0, .of_class = 1};
          CHECK(value(Accuracy({.threshold = 0}), x, y) == doctest::Approx(4.0 / 7));
          CHECK(value(training::Precision(positive), x, y) == doctest::Approx(3.0 / 5));
          CHECK(value(training::Recall(positive), x, y) == doctest::Approx(3.0 / 4));
          CHECK(value(training::F1(positive), x, y) == doctest::Approx(6.0 / 9));
          // Of probabilities, which are above a half where logits are above 0.
          const training::ClassScoreOptions negative{.classes = 2, .threshold = 0.5, .of_class = 0};
          CHECK(value(training::Precision(negative), sigmoid(x), y) == doctest::Approx(1.0 / 2));
          CHECK(value(training::Recall(negative), sigmoid(x), y) == doctest::Approx(1.0 / 3));
          CHECK(value(Accuracy({.threshold = 0.5}), sigmoid(x), y) == doctest::Approx(4.0 / 7));
          // And the average of both classes.
          CHECK(value(training::Recall({.classes = 2, .threshold = 0}), x, y) ==
                doctest::Approx((3.0 / 4 + 1.0 / 3) / 2));
        }
      }
    }
  }
}

TEST_CASE("one score a row: a threshold's own value is class 0, NaN class 1, as of the largest score") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor scores = tensor({0.25, 0.5, 0.75, not_a_number, -not_a_number}, {.dtype = dtype});
    training::ConfusionMatrix one({.classes = 2, .threshold = 0.5}), two({.classes = 2});
    one.update(scores, ints({0, 0, 0, 0, 1}));
    two.update(stack({full({5}, 0.5, {.dtype = dtype}), scores}, 1), ints({0, 0, 0, 0, 1}));
    CHECK(one.count(0, 0) == 2);
    CHECK(one.count(0, 1) == 2);
    CHECK(one.count(1, 1) == 1);
    CHECK(sum(not_equal(one.counts(), two.counts()).to(int64)).item_int64() == 0);
  }
}

TEST_CASE("one score a row: no rows, one row, classes in place of scores, ignored labels, soft ones") {
  for (const Dtype dtype : {float32, float64}) {
    training::F1 f1({.classes = 2, .threshold = 0, .of_class = 1});
    Accuracy accuracy({.threshold = 0});
    for (training::Metric* metric : std::initializer_list<training::Metric*>{&accuracy, &f1}) {
      CAPTURE(metric->name());
      for (const Shape& shape : {Shape{0}, Shape{0, 1}}) {
        metric->update(zeros(shape, {.dtype = dtype}), zeros(shape, {.dtype = dtype}));
      }
      metric->update(zeros({0, 1}, {.dtype = dtype}), ints({}).to(int32));
      CHECK(std::isnan(metric->value()));
      metric->update(ones({1, 1}, {.dtype = dtype}), ones({1}, {.dtype = dtype}));
      CHECK(metric->value() == 1);
      metric->update(ints({1, 0}), ints({1, 0}).to(int32));  // these are classes themselves
      CHECK(metric->value() == 1);
    }
    Accuracy ignoring({.ignore_index = -1, .threshold = 0});
    ignoring.update(tensor({1, -1, 1, 1}, {.dtype = dtype}),
                    tensor({0.75, 0.5, -1.0, 0.25}, {.dtype = dtype}));
    CHECK(ignoring.samples() == 3);
    CHECK(ignoring.correct() == 2);  // 0.75 is class 1, 0.5 and 0.25 are class 0
  }
}

TEST_CASE("labels that are shares of the classes count by the largest") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor scores = tensor({{3, 1, 2}, {0, 5, 1}, {0, 1, 2}, {4, 1, 1}}, {.dtype = dtype});
    const Tensor one_hots = one_hot(ints({0, 1, 1, 2}), 3, {.dtype = dtype});
    // The third is a tie, of which the first one counts.
    const Tensor mixed =
        tensor({{0.7, 0.3, 0}, {0.2, 0.6, 0.2}, {0, 0.5, 0.5}, {0.1, 0, 0.9}}, {.dtype = dtype});
    for (const Tensor& labels : {one_hots, mixed}) {
      Accuracy accuracy;
      training::TopKAccuracy top({.k = 2});
      training::Recall recall({.classes = 3, .of_class = 1});
      for (training::Metric* metric : std::initializer_list<training::Metric*>{&accuracy, &top, &recall}) {
        metric->update(zeros({0, 3}, {.dtype = dtype}), zeros({0, 3}, {.dtype = dtype}));
        CHECK(std::isnan(metric->value()));
        metric->update(scores, labels);
      }
      CHECK(accuracy.value() == 0.5);
      CHECK(top.value() == 0.75);
      CHECK(recall.value() == 0.5);
      accuracy.reset();
      accuracy.update(ints({0, 1, 0, 0}), labels);  // classes in place of scores
      CHECK(accuracy.value() == 0.5);
    }
    Accuracy ignoring({.ignore_index = 1});
    ignoring.update(scores, mixed);
    CHECK(ignoring.samples() == 2);
  }
}

TEST_CASE("metrics of one class are called so, and are NaN without samples") {
  CHECK(training::Precision({.classes = 2, .of_class = 1}).name() == "precision_of_1");
  CHECK(training::Recall({.classes = 9, .of_class = 8}).name() == "recall_of_8");
  training::F1 f1({.classes = 2, .of_class = 0});
  CHECK(f1.name() == "f1_of_0");
  CHECK(std::isnan(f1.value()));
  f1.update(ints({1}), ints({1}));
  CHECK(f1.value() == 0);  // neither among the labels nor the predictions
  f1.reset();
  CHECK(std::isnan(f1.value()));
}

TEST_CASE("metrics of one score a row and of shares name what does not fit") {
  Accuracy plain, binary({.threshold = 0});
  training::ConfusionMatrix matrix({.classes = 3});
  training::Precision precision({.classes = 2});
  training::TopKAccuracy top({.k = 1});
  CHECK(refused<ValueError>(plain, zeros({2, 1}), ints({0, 1})) ==
        "Accuracy: labels must be from 0 to 0: got 1 in row 1; one score a row takes a metric with a "
        "threshold");
  CHECK(refused<ShapeError>(plain, zeros({2}), ints({0, 1})) ==
        "Accuracy: outputs must be scores [n, classes] or classes [n], labels [n] or shares [n, classes]: "
        "outputs are [2], labels are [2]; one score a row takes a metric with a threshold");
  CHECK(refused<ShapeError>(precision, zeros({2, 1}), ints({0, 1})) ==
        "ConfusionMatrix: scores must be of 2 classes: got [2, 1]; one score a row takes a metric with a "
        "threshold");
  for (const Shape& shape : {Shape{2, 2}, Shape{}, Shape{3}, Shape{2, 1, 1}}) {
    CHECK(
        refused<ShapeError>(binary, zeros(shape), ints({0, 1})) ==
        "Accuracy: with a threshold outputs must be one score a row, [n] or [n, 1], labels as many: outputs "
        "are " +
            to_string(shape) + ", labels are [2]");
  }
  CHECK(refused<ValueError>(binary, zeros({2}), ints({0, 2})) ==
        "Accuracy: labels must be from 0 to 1: got 2 in row 1");
  CHECK(refused<ValueError>(binary, ints({0, 2}), ints({0, 1})) ==
        "Accuracy: outputs must be from 0 to 1: got 2 in row 1");
  CHECK(refused<ValueError>(binary, zeros({2}), tensor({0.5, 1.5})) ==
        "Accuracy: labels must be from 0 to 1: got 1.5 in row 1");
  CHECK(refused<ValueError>(binary, zeros({1}), tensor({not_a_number})) ==
        "Accuracy: labels must be from 0 to 1: got nan in row 0");
  CHECK(refused<DtypeError>(binary, zeros({1}), zeros({1}).to(boolean)) ==
        "Accuracy: labels must be int64 or int32: got bool [1]");
  CHECK(refused<ValueError>(binary, zeros({1}), Tensor()) == "Accuracy: labels: the handle is empty");
  CHECK(
      refused<ShapeError>(top, zeros({2, 3}), zeros({2, 4})) ==
      "TopKAccuracy: outputs must be scores [n, classes] or classes [n], labels [n] or shares [n, classes]: "
      "outputs are [2, 3], labels are [2, 4]");
  CHECK(refused<ShapeError>(precision, ints({0, 1}), ones({2, 3})) ==
        "ConfusionMatrix: outputs must be scores [n, classes] or classes [n], labels [n] or shares [n, "
        "classes]: outputs are [2], labels are [2, 3]");
  CHECK(refused<ValueError>(plain, zeros({2, 3}), tensor({{0.0, 1.0, 0.0}, {0.0, 0.0, 0.0}})) ==
        "Accuracy: the largest of a label's shares must be above 0: got 0 in row 1");
  CHECK(refused<ValueError>(plain, zeros({1, 2}), tensor({{1.0, not_a_number}})) ==
        "Accuracy: the largest of a label's shares must be above 0: got nan in row 0");
  CHECK(plain.samples() + binary.samples() + precision.matrix().samples() == 0);
  CHECK(message_of<ValueError>([] { return Accuracy({.threshold = not_a_number}); }) ==
        "Accuracy: threshold must be a finite number: got nan");
  CHECK(message_of<ValueError>([] { return training::F1({.classes = 3, .threshold = 0.5}); }) ==
        "ConfusionMatrix: with a threshold classes must be 2: got 3 and a threshold of 0.5");
  CHECK(message_of<ValueError>([] { return training::F1({.classes = 3, .of_class = 3}); }) ==
        "F1: of_class must be from 0 to 2: got 3");
  CHECK(message_of<ValueError>([] { return training::Recall({.classes = 3, .of_class = -1}); }) ==
        "Recall: of_class must be from 0 to 2: got -1");
}

TEST_CASE("a threshold is part of a metric's state") {
  Accuracy logits({.threshold = 0}), probabilities({.threshold = 0.5}), scores;
  logits.update(tensor({0.25}), ints({1}));
  const nn::StateDict state = logits.state_dict();
  const auto refusal = [&](nn::Stateful& object, bool adopt = false) {
    return message_of<ValueError>([&] { return object.load_state_dict(state, {.adopt_settings = adopt}); });
  };
  CHECK(refusal(probabilities).find("options.threshold is 0.5, the state's is 0") != std::string::npos);
  CHECK(refusal(scores).find("options.threshold.given is 0, the state's is 1") != std::string::npos);
  probabilities.load_state_dict(state, {.adopt_settings = true});
  probabilities.update(tensor({0.25}), ints({1}));
  CHECK(probabilities.value() == 1);
  nn::StateDict wrong = state;
  wrong.set("options.threshold", full({}, not_a_number, {.dtype = float64}));
  CHECK(message_of<ValueError>([&] { return scores.load_state_dict(wrong, {.adopt_settings = true}); }) ==
        "Accuracy: threshold must be a finite number: got nan");
  training::ConfusionMatrix from({.classes = 2, .threshold = 0}), to({.classes = 2});
  CHECK(message_of<ValueError>([&] {
          return to.load_state_dict(from.state_dict());
        }).find("options.threshold.given is 0, the state's is 1") != std::string::npos);
  to.load_state_dict(from.state_dict(), {.adopt_settings = true});
  to.update(tensor({1, -1}), ints({1, 1}));
  CHECK(to.recall(1) == 0.5);
}

TEST_CASE("a trainer of one logit a row has its accuracy, and that of a mixed training by the validation") {
  const datasets::Dataset all = training_test::spirals();
  const datasets::Dataset data(
      {.inputs = all.inputs(), .labels = equal(all.labels(), full({}, 1, {.dtype = int64})).to(float32)});
  manual_seed(1);
  nn::Linear model{2, 1};
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  const auto loss = [](const Tensor& logits, const Tensor& labels) {
    return nn::bce_with_logits(reshape(logits, labels.shape()), labels);
  };
  const auto accuracy = std::make_shared<Accuracy>(training::AccuracyOptions{.threshold = 0});
  training::Trainer trainer(model, loss, sgd, datasets::Loader(data, {.batch_size = 20}),
                            {.epochs = 1, .validation = datasets::Loader(data), .metrics = {accuracy}});
  trainer.fit();
  const Tensor called = greater(training::predict(model, data.inputs()), zeros({1})).to(float32);
  const double right = mean(equal(reshape(called, data.labels().shape()), data.labels()).to(float64)).item();
  CHECK(trainer.records().back().at("validation_accuracy") == right);

  nn::MLP classes = training_test::mlp();
  optim::SGD other(classes.parameters(), {.lr = 0.1});
  const datasets::Loader mixed(all, {.batch_size = 20, .transform = datasets::mixup({.classes = 3})});
  training::Trainer mixing(
      classes, nn::cross_entropy, other, mixed,
      {.epochs = 2,
       .validation = datasets::Loader(all),
       .metrics = {std::make_shared<training::TopKAccuracy>(training::TopKAccuracyOptions{.k = 2})},
       .validation_metrics = {std::make_shared<Accuracy>()}});
  CHECK(mixing.value_names() == std::vector<std::string>{"loss", "top_2_accuracy", "validation_loss",
                                                         "validation_top_2_accuracy", "validation_accuracy"});
  mixing.fit();
  const auto values =
      training::evaluate(classes, nn::cross_entropy, datasets::Loader(all), {std::make_shared<Accuracy>()});
  CHECK(mixing.records().back().at("validation_accuracy") == values[1].value);
  // Those of the validation alone are no part of the state: they begin anew in each.
  const nn::StateDict state = mixing.state_dict();
  CHECK(state.find("metrics.top_2_accuracy.samples") != nullptr);
  CHECK(state.find("metrics.accuracy.samples") == nullptr);
}

TEST_CASE("a trainer refuses metrics of a validation that there is not, null ones, and of one name") {
  nn::MLP model = training_test::mlp();
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  const auto refusal = [&](training::TrainerOptions options) {
    return message_of<ValueError>([&] {
      training::Trainer(model, nn::cross_entropy, sgd, training_test::loader(), std::move(options));
      return 0;
    });
  };
  const auto accuracy = std::make_shared<Accuracy>();
  CHECK(refusal({.epochs = 1, .validation_metrics = {accuracy}}) ==
        "Trainer: validation_metrics are of a validation: got 1 of them and no validation");
  const std::optional<datasets::Loader> validation = training_test::loader();
  CHECK(refusal({.epochs = 1, .validation = validation, .validation_metrics = {accuracy, nullptr}}) ==
        "Trainer: validation metric 1 of 2 is null");
  CHECK(refusal({.epochs = 1,
                 .validation = validation,
                 .metrics = {accuracy},
                 .validation_metrics = {std::make_shared<Accuracy>()}}) ==
        "Trainer: validation metric 0 is called \"validation_accuracy\", as another value is");
  const training::BatchLoss alone = [&](const datasets::Batch& batch) {
    return nn::cross_entropy(model(batch.inputs), batch.labels);
  };
  CHECK(message_of<ValueError>([&] {
          training::Trainer(model, alone, sgd, training_test::loader(),
                            {.epochs = 1, .validation = validation, .validation_metrics = {accuracy}});
          return 0;
        }).find("got 1 metrics for a loss alone") != std::string::npos);
}
