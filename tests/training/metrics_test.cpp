#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/training/accuracy.h"
#include "xtgrad/training/confusion_matrix.h"

using namespace xtgrad;
using testing::message_of;
using training::Average;

namespace {

Tensor ints(std::vector<std::int64_t> values) {
  return from_span(values, {static_cast<std::int64_t>(values.size())});
}

/// A batch of scores and labels in which about half of the samples are right.
struct Batch {
  Tensor scores;  // [n, 7]
  Tensor labels;  // int64 [n]
};
Batch random_batch(std::int64_t n, std::uint64_t seed, Dtype dtype = float32) {
  Random random(seed);
  const Tensor noise = uniform({n, 7}, {}, random, {.dtype = dtype});
  std::vector<std::int64_t> values(static_cast<std::size_t>(n));
  for (std::int64_t& value : values) value = random.next_below(7);
  const Tensor labels = ints(values);
  return {.scores = noise + one_hot(labels, 7, {.dtype = dtype}) * 0.5, .labels = labels};
}

Batch rows(const Batch& batch, std::int64_t first, std::int64_t last) {
  return {.scores = slice(batch.scores, {.start = first, .stop = last}),
          .labels = slice(batch.labels, {.start = first, .stop = last})};
}

/// The value after the rows 0..4, 4..4, 4..9 and the rest.
double in_parts(training::Metric& metric, const Batch& batch) {
  metric.reset();
  const std::vector<std::int64_t> cuts{0, 4, 4, 9, batch.labels.size(0)};
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    const Batch part = rows(batch, cuts[i], cuts[i + 1]);
    metric.update(part.scores, part.labels);
  }
  return metric.value();
}

double at_once(training::Metric& metric, const Batch& batch) {
  metric.reset();
  metric.update(batch.scores, batch.labels);
  return metric.value();
}

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("accuracy counts the largest scores, the first among equals, and a NaN before any number") {
  for (const Dtype dtype : {float32, float64}) {
    training::Accuracy accuracy;
    CHECK(std::isnan(accuracy.value()));
    accuracy.update(tensor({{0.1, 0.9}, {0.8, 0.2}, {0.5, 0.5}, {0.5, 0.5}}, {.dtype = dtype}),
                    ints({1, 1, 0, 1}));
    CHECK(accuracy.value() == 0.5);
    CHECK(accuracy.correct() == 2);
    CHECK(accuracy.samples() == 4);
    accuracy.update(tensor({{9, not_a_number}, {not_a_number, 9}}, {.dtype = dtype}), ints({1, 1}));
    CHECK(accuracy.value() == 0.5);
    accuracy.reset();
    CHECK(std::isnan(accuracy.value()));
  }
}

TEST_CASE("accuracy takes classes in place of scores, and int32") {
  training::Accuracy accuracy;
  accuracy.update(ints({3, 1, 2}), ints({3, 1, 1}).to(int32));
  accuracy.update(ints({0}).to(int32), ints({0}));
  CHECK(accuracy.value() == 0.75);
}

TEST_CASE("an empty batch adds nothing to any metric") {
  training::Accuracy accuracy;
  training::TopKAccuracy top({.k = 2});
  training::F1 f1({.classes = 3});
  for (training::Metric* metric : std::initializer_list<training::Metric*>{&accuracy, &top, &f1}) {
    CAPTURE(metric->name());
    metric->update(zeros({0, 3}), ints({}));
    CHECK(std::isnan(metric->value()));
    metric->update(tensor({{1, 0, 0}}), ints({0}));
    metric->update(zeros({0, 3}), ints({}));
    CHECK(metric->value() == 1);
  }
}

TEST_CASE("a metric of batches is that of all their samples at once") {
  for (const Dtype dtype : {float32, float64}) {
    const Batch batch = random_batch(50, 3, dtype);
    training::Accuracy accuracy;
    training::TopKAccuracy top({.k = 3});
    training::Precision precision({.classes = 7});
    training::Recall recall({.classes = 7});
    training::F1 f1({.classes = 7});
    for (training::Metric* metric :
         std::initializer_list<training::Metric*>{&accuracy, &top, &precision, &recall, &f1}) {
      CAPTURE(metric->name());
      const double whole = at_once(*metric, batch);
      CHECK(whole > 0.2);
      CHECK(whole < 1);
      CHECK(in_parts(*metric, batch) == whole);
    }
  }
}

TEST_CASE("a metric with the state of another goes on from there") {
  const Batch batch = random_batch(40, 5);
  training::F1 whole({.classes = 7});
  training::F1 first({.classes = 7});
  training::F1 second({.classes = 7});
  whole.update(batch.scores, batch.labels);
  first.update(rows(batch, 0, 13).scores, rows(batch, 0, 13).labels);
  second.load_state_dict(first.state_dict());
  second.update(rows(batch, 13, 40).scores, rows(batch, 13, 40).labels);
  CHECK(second.value() == whole.value());
}

TEST_CASE("top-k accuracy of one is the accuracy, with ties and NaN, and of all classes 1") {
  const Tensor scores = tensor({{1, 3, 3, 0},
                                {1, 3, 3, 0},
                                {not_a_number, 3, not_a_number, 0},
                                {not_a_number, 3, not_a_number, 0},
                                {2, 2, 2, 2}});
  const Tensor labels = ints({1, 2, 0, 2, 3});
  const auto top = [&](std::int64_t k) {
    training::TopKAccuracy metric({.k = k});
    metric.update(scores, labels);
    return metric.value();
  };
  training::Accuracy accuracy;
  accuracy.update(scores, labels);
  CHECK(accuracy.value() == 0.4);
  CHECK(top(1) == 0.4);
  CHECK(top(2) == 0.8);
  CHECK(top(3) == 0.8);
  CHECK(top(4) == 1);
  CHECK(top(9) == 1);
  CHECK(training::TopKAccuracy({.k = 5}).name() == "top_5_accuracy");
  const Batch batch = random_batch(60, 8);
  training::TopKAccuracy first({.k = 1});
  CHECK(at_once(first, batch) == at_once(accuracy, batch));
}

TEST_CASE("a confusion matrix has truth in rows and predictions in columns") {
  training::ConfusionMatrix matrix({.classes = 3});
  matrix.update(ints({0, 1, 1, 2, 0, 1}), ints({0, 1, 0, 2, 2, 1}));
  CHECK(matrix.count(0, 0) == 1);
  CHECK(matrix.count(0, 1) == 1);
  CHECK(matrix.count(2, 0) == 1);
  CHECK(matrix.count(1, 1) == 2);
  CHECK(matrix.samples() == 6);
  CHECK(matrix.counts().shape() == Shape{3, 3});
  CHECK(matrix.counts().at({2, 0}) == 1);
  CHECK(matrix.accuracy() == doctest::Approx(4.0 / 6));
  CHECK(matrix.precision(0) == doctest::Approx(1.0 / 2));
  CHECK(matrix.precision(1) == doctest::Approx(2.0 / 3));
  CHECK(matrix.recall(0) == doctest::Approx(1.0 / 2));
  CHECK(matrix.recall(1) == 1);
  CHECK(matrix.f1(1) == doctest::Approx(0.8));
  CHECK(matrix.precision() == doctest::Approx((1.0 / 2 + 2.0 / 3 + 1) / 3));
  CHECK(matrix.recall() == doctest::Approx((1.0 / 2 + 1 + 1.0 / 2) / 3));
  CHECK(matrix.f1() == doctest::Approx((0.5 + 0.8 + 2.0 / 3) / 3));
  for (const double micro :
       {matrix.precision(Average::micro), matrix.recall(Average::micro), matrix.f1(Average::micro)}) {
    CHECK(micro == matrix.accuracy());
  }
}

TEST_CASE("classes without samples or predictions have defined scores, and those with neither do not count") {
  training::ConfusionMatrix matrix({.classes = 4});
  for (const double none :
       {matrix.accuracy(), matrix.precision(), matrix.recall(), matrix.f1(), matrix.f1(Average::micro)}) {
    CHECK(std::isnan(none));
  }
  CHECK(matrix.precision(3) == 0);
  matrix.update(ints({0, 0, 1}), ints({0, 2, 0}));
  CHECK(matrix.precision(2) == 0);  // never predicted
  CHECK(matrix.recall(1) == 0);     // no samples
  CHECK(matrix.f1(3) == 0);         // neither
  CHECK(matrix.precision() == doctest::Approx((0.5 + 0 + 0) / 3));
  CHECK(matrix.recall() == doctest::Approx((0.5 + 0 + 0) / 3));
  CHECK(matrix.f1() == doctest::Approx(0.5 / 3));
  matrix.reset();
  CHECK(matrix.samples() == 0);
}

TEST_CASE("metrics of classes are called by their average") {
  CHECK(training::Precision({.classes = 2}).name() == "precision");
  CHECK(training::Recall({.classes = 2, .average = Average::micro}).name() == "micro_recall");
  training::F1 micro({.classes = 2, .average = Average::micro});
  CHECK(micro.name() == "micro_f1");
  micro.update(ints({0, 1, 1}), ints({0, 1, 0}));
  CHECK(micro.value() == doctest::Approx(2.0 / 3));
  CHECK(micro.matrix().samples() == 3);
}

TEST_CASE("samples of the ignored label count for nothing") {
  training::Accuracy accuracy({.ignore_index = -100});
  training::TopKAccuracy top({.k = 1, .ignore_index = -100});
  training::Recall recall({.classes = 2, .ignore_index = -100});
  const Tensor scores = tensor({{1, 0}, {0, 1}, {0, 1}});
  for (training::Metric* metric : std::initializer_list<training::Metric*>{&accuracy, &top, &recall}) {
    CAPTURE(metric->name());
    metric->update(scores, ints({0, -100, 1}));
    CHECK(metric->value() == 1);
  }
  CHECK(accuracy.samples() == 2);
}

TEST_CASE("a label out of range is an error that names its row, and counts nothing") {
  training::Accuracy accuracy;
  training::TopKAccuracy top({.k = 1});
  training::ConfusionMatrix matrix({.classes = 3});
  const Tensor scores = tensor({{1, 0, 0}, {0, 1, 0}});
  CHECK(message_of<ValueError>([&] {
          accuracy.update(scores, ints({0, 3}));
          return 0;
        }) == "Accuracy: labels must be from 0 to 2: got 3 in row 1");
  CHECK(message_of<ValueError>([&] {
          accuracy.update(ints({4}), ints({-1}));
          return 0;
        }) == "Accuracy: labels must be at least 0: got -1 in row 0");
  CHECK(message_of<ValueError>([&] {
          top.update(scores, ints({-1, 0}));
          return 0;
        }) == "TopKAccuracy: labels must be from 0 to 2: got -1 in row 0");
  CHECK(message_of<ValueError>([&] {
          matrix.update(scores, ints({0, 5}));
          return 0;
        }) == "ConfusionMatrix: labels must be from 0 to 2: got 5 in row 1");
  CHECK(message_of<ValueError>([&] {
          matrix.update(ints({0, 3}), ints({0, 0}));
          return 0;
        }) == "ConfusionMatrix: outputs must be from 0 to 2: got 3 in row 1");
  CHECK(accuracy.samples() == 0);
  CHECK(matrix.samples() == 0);
  CHECK(message_of<ValueError>([&] { return matrix.count(0, 3); }) ==
        "ConfusionMatrix: a class must be from 0 to 2: got 3");
}

TEST_CASE("metrics refuse other shapes, dtypes and empty handles by their names") {
  training::Accuracy accuracy;
  training::ConfusionMatrix matrix({.classes = 3});
  const auto refused = [&](const Tensor& outputs, const Tensor& labels) {
    return message_of([&] {
      accuracy.update(outputs, labels);
      return 0;
    });
  };
  CHECK(refused(zeros({2, 3}), ints({0})) ==
        "Accuracy: outputs must be scores [n, classes] or classes [n], labels [n] or shares [n, classes]: "
        "outputs are [2, 3], labels are [1]");
  CHECK(refused(zeros({}), ints({0})) ==
        "Accuracy: outputs must be scores [n, classes] or classes [n], labels [n] or shares [n, classes]: "
        "outputs are [], labels are [1]");
  CHECK(refused(zeros({1, 0}), ints({0})) ==
        "Accuracy: outputs must be scores [n, classes] or classes [n], labels [n] or shares [n, classes]: "
        "outputs are [1, 0], labels are [1]");
  CHECK(refused(zeros({2, 3}), zeros({2})) == "Accuracy: labels must be int64 or int32: got float32 [2]");
  CHECK(refused(zeros({2, 3}).to(boolean), ints({0, 1})) ==
        "Accuracy: outputs must be int64 or int32: got bool [2, 3]");
  CHECK(refused(Tensor(), ints({0})) == "Accuracy: outputs: the handle is empty");
  CHECK(refused(zeros({1, 3}), Tensor()) == "Accuracy: labels: the handle is empty");
  CHECK(message_of<ShapeError>([&] {
          matrix.update(zeros({1, 4}), ints({0}));
          return 0;
        }) == "ConfusionMatrix: scores must be of 3 classes: got [1, 4]");
  CHECK(message_of<DtypeError>([&] {
          training::TopKAccuracy({.k = 1}).update(ints({0}), ints({0}));
          return 0;
        }) == "TopKAccuracy: scores must be float32 or float64: got int64 [1]");
  CHECK(message_of<ValueError>([&] { return training::TopKAccuracy({.k = 0}); }) ==
        "TopKAccuracy: k must be at least 1: got 0");
  CHECK(message_of<ValueError>([&] { return training::ConfusionMatrix({.classes = 0}); }) ==
        "ConfusionMatrix: classes must be at least 1: got 0");
}
