#include "xtgrad/datasets/dataset.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;
using datasets::Dataset;
using datasets::DatasetParts;

namespace {

Tensor labels(std::vector<std::int64_t> values) { return from_vector(values); }

template <class T>
std::vector<T> values(const Tensor& x) {
  const std::span<const T> data = x.data<T>();
  return {data.begin(), data.end()};
}

/// Five points of two features, three classes of which the last has no member.
Dataset five_points(Dtype dtype = float32) {
  return Dataset({.inputs = tensor({{0, 1}, {2, 3}, {4, 5}, {6, 7}, {8, 9}}, {.dtype = dtype}),
                  .labels = labels({0, 1, 1, 0, 1}),
                  .classes = 3,
                  .class_names = {"a", "b", "c"},
                  .feature_names = {"width", "height"}});
}

void make(DatasetParts parts) { Dataset data(std::move(parts)); }

}  // namespace

TEST_CASE("dataset: the example of the header") {
  const Dataset points({.inputs = tensor({{0, 0}, {0, 1}, {1, 1}}),
                        .labels = tensor({0, 1, 0}, {.dtype = int64}),
                        .classes = 2});
  CHECK(values<float>(points.subset({2, 0}).inputs()) == std::vector<float>{1, 1, 0, 0});
}

TEST_CASE("dataset: gives back what it is made of") {
  const Dataset data = five_points();
  CHECK(data.size() == 5);
  CHECK(data.inputs().shape() == Shape{5, 2});
  CHECK(data.sample_shape() == Shape{2});
  CHECK(data.classes() == 3);
  CHECK(data.class_names() == std::vector<std::string>{"a", "b", "c"});
  CHECK(data.feature_names() == std::vector<std::string>{"width", "height"});
  CHECK(data.class_counts() == std::vector<std::int64_t>{2, 3, 0});
}

TEST_CASE("dataset: copies share their tensors") {
  const Dataset data = five_points();
  const Dataset copy = data;  // NOLINT(performance-unnecessary-copy-initialization)
  CHECK(copy.inputs().node() == data.inputs().node());
  CHECK(copy.labels().node() == data.labels().node());
}

TEST_CASE("dataset: targets that are no classes may have any dtype and shape") {
  const Dataset data({.inputs = zeros({3, 2}), .labels = tensor({{0.5, 1}, {2, 3}, {4, 5}})});
  CHECK(data.classes() == 0);
  CHECK(data.class_counts().empty());
  const Dataset part = data.subset({1});
  CHECK(part.labels().shape() == Shape{1, 2});
  CHECK(values<float>(part.labels()) == std::vector<float>{2, 3});
  // Numbers that would be no labels: nothing is checked without classes.
  CHECK(Dataset({.inputs = zeros({2}), .labels = labels({-5, 99})}).size() == 2);
}

TEST_CASE("dataset: subset takes rows in the order asked for, in every dtype") {
  for (const Dtype dtype : {float32, float64, int64}) {
    const Dataset part = five_points(dtype).subset({4, 0, 0});
    CHECK(part.inputs().dtype() == dtype);
    CHECK(part.inputs().shape() == Shape{3, 2});
    CHECK(values<double>(part.inputs().to(float64)) == std::vector<double>{8, 9, 0, 1, 0, 1});
    CHECK(values<std::int64_t>(part.labels()) == std::vector<std::int64_t>{1, 0, 0});
    CHECK(part.classes() == 3);
    CHECK(part.class_names() == std::vector<std::string>{"a", "b", "c"});
    CHECK(part.feature_names() == std::vector<std::string>{"width", "height"});
  }
  const Dataset flags(
      {.inputs = tensor({true, false, true}, {.dtype = boolean}), .labels = labels({0, 1, 2}), .classes = 3});
  CHECK(values<bool>(flags.subset({1, 2}).inputs()) == std::vector<bool>{false, true});
}

TEST_CASE("dataset: subsets of none, of empty samples and of images") {
  const Dataset none = five_points().subset(std::vector<std::int64_t>{});
  CHECK(none.size() == 0);
  CHECK(none.inputs().shape() == Shape{0, 2});
  CHECK(none.class_counts() == std::vector<std::int64_t>{0, 0, 0});

  const Dataset hollow({.inputs = zeros({3, 0}), .labels = labels({0, 1, 0}), .classes = 2});
  CHECK(hollow.subset({2, 1}).inputs().shape() == Shape{2, 0});

  const Dataset images({.inputs = from_vector(std::vector<double>(24, 1)), .labels = zeros({24})});
  CHECK(images.sample_shape() == Shape{});
  CHECK(images.subset({3}).inputs().shape() == Shape{1});
}

TEST_CASE("dataset: with_inputs keeps labels and names that still fit") {
  const Dataset data = five_points();
  const Dataset doubled = data.with_inputs(zeros({5, 2}, {.dtype = float64}));
  CHECK(doubled.inputs().dtype() == float64);
  CHECK(doubled.labels().node() == data.labels().node());
  CHECK(doubled.feature_names().size() == 2);
  const Dataset wider = data.with_inputs(zeros({5, 4}));
  CHECK(wider.feature_names().empty());
  CHECK(wider.class_names().size() == 3);
  CHECK_THROWS_WITH_AS(static_cast<void>(data.with_inputs(zeros({4, 2}))),
                       "Dataset: numbers of samples differ: inputs are [4, 2], labels are [5]", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(data.with_inputs({})), "Dataset: no inputs are given", ValueError);
}

TEST_CASE("dataset: a label out of range is named with its row") {
  CHECK_THROWS_WITH_AS(make({.inputs = zeros({3, 2}), .labels = labels({0, 2, 3}), .classes = 3}),
                       "Dataset: label out of range: row 2 has label 3, classes is 3", ValueError);
  CHECK_THROWS_WITH_AS(make({.inputs = zeros({2, 2}), .labels = labels({-1, 0}), .classes = 3}),
                       "Dataset: label out of range: row 0 has label -1, classes is 3", ValueError);
}

TEST_CASE("dataset: sizes and shapes that do not fit") {
  CHECK_THROWS_WITH_AS(make({.inputs = zeros({3, 2}), .labels = labels({0, 0}), .classes = 1}),
                       "Dataset: numbers of samples differ: inputs are [3, 2], labels are [2]", ShapeError);
  CHECK_THROWS_WITH_AS(make({.inputs = zeros({}), .labels = labels({0})}),
                       "Dataset: inputs need a first dimension that counts the samples: got []", ShapeError);
  CHECK_THROWS_WITH_AS(make({.inputs = zeros({1}), .labels = zeros({})}),
                       "Dataset: labels need a first dimension that counts the samples: got []", ShapeError);
  CHECK_THROWS_WITH_AS(make({.inputs = zeros({2}), .labels = zeros({2, 1}, {.dtype = int64}), .classes = 2}),
                       "Dataset: class labels must be one number a sample, [n]: got [2, 1]", ShapeError);
}

TEST_CASE("dataset: dtypes, options and handles that do not fit") {
  CHECK_THROWS_WITH_AS(make({.inputs = zeros({2}), .labels = zeros({2}), .classes = 2}),
                       "Dataset: class labels must be int64: got float32", DtypeError);
  CHECK_THROWS_WITH_AS(make({.inputs = zeros({2}), .labels = labels({0, 0}), .classes = -1}),
                       "Dataset: classes must not be negative: got -1", ValueError);
  CHECK_THROWS_WITH_AS(make({.labels = labels({0})}), "Dataset: no inputs are given", ValueError);
  CHECK_THROWS_WITH_AS(make({.inputs = zeros({2})}), "Dataset: no labels are given", ValueError);
  CHECK_THROWS_WITH_AS(make({.inputs = zeros({2}, {.requires_grad = true}), .labels = labels({0, 0})}),
                       "Dataset: inputs must not require gradients: pass inputs.detach()", ValueError);
  CHECK_THROWS_WITH_AS(make({.inputs = zeros({2}), .labels = zeros({2}, {.requires_grad = true})}),
                       "Dataset: labels must not require gradients: pass labels.detach()", ValueError);
}

TEST_CASE("dataset: a wrong number of names") {
  CHECK_THROWS_WITH_AS(
      make({.inputs = zeros({1, 2}), .labels = labels({0}), .classes = 2, .class_names = {"a"}}),
      "Dataset: class_names must be one for each class: got 1 for 2", ValueError);
  CHECK_THROWS_WITH_AS(
      make({.inputs = zeros({1, 2}), .labels = labels({0}), .feature_names = {"a", "b", "c"}}),
      "Dataset: feature_names must be one for each element of a sample: got 3 for 2", ValueError);
}

TEST_CASE("dataset: an index out of range is named with its place") {
  const Dataset data = five_points();
  CHECK_THROWS_WITH_AS(static_cast<void>(data.subset({0, 5})),
                       "subset: index out of range: indices[1] is 5, size is 5", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(data.subset({-1})),
                       "subset: index out of range: indices[0] is -1, size is 5", ValueError);
}
