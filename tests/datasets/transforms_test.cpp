#include "xtgrad/datasets/transforms.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/digits.h"
#include "xtgrad/datasets/split.h"

using namespace xtgrad;
using datasets::Dataset;
using datasets::Normalizer;
using xtgrad::testing::values;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Mean and standard deviation over the rows of column `j` of [n, features], in long double.
struct Column {
  double mean = 0;
  double deviation = 0;
};
Column column(const Tensor& x, std::int64_t j) {
  const std::int64_t n = x.shape()[0];
  long double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += x.at({i, j});
  const long double mean = sum / n;
  long double squares = 0;
  for (std::int64_t i = 0; i < n; ++i) squares += (x.at({i, j}) - mean) * (x.at({i, j}) - mean);
  return {static_cast<double>(mean), static_cast<double>(std::sqrt(squares / n))};
}

void fit(const Tensor& inputs, const datasets::FitOptions& options = {}) {
  static_cast<void>(Normalizer::fit(inputs, options));
}

}  // namespace

TEST_CASE("normalizer: each feature of the training data gets mean 0 and deviation 1") {
  for (const Dtype dtype : {float32, float64}) {
    Random random(1);
    const Tensor scales = tensor({1, 1000, 1e-3}, {.dtype = dtype});
    const Tensor shifts = tensor({0, -5000, 7}, {.dtype = dtype});
    const Tensor x = randn({200, 3}, random, {.dtype = dtype}) * scales + shifts;
    const Normalizer normalizer = Normalizer::fit(x);
    const Tensor y = normalizer(x);
    CHECK(y.dtype() == dtype);
    CHECK(y.shape() == x.shape());
    // float32 keeps the third feature, 7 +- 0.001, to 7 * 2^-24 / 0.001 = 4e-4 only.
    const double tolerance = dtype == float64 ? 1e-11 : 1e-3;
    for (std::int64_t j = 0; j < 3; ++j) {
      CAPTURE(j);
      CHECK(std::abs(column(y, j).mean) < tolerance);
      CHECK(std::abs(column(y, j).deviation - 1) < tolerance);
      CHECK(normalizer.mean().at({j}) == doctest::Approx(column(x, j).mean).epsilon(1e-12));
      CHECK(normalizer.scale().at({j}) == doctest::Approx(column(x, j).deviation).epsilon(1e-9));
    }
  }
}

TEST_CASE("normalizer: numbers by hand, over n and not n - 1") {
  const Normalizer normalizer = Normalizer::fit(tensor({{1, 10}, {3, 10}}, {.dtype = float64}));
  CHECK(values(normalizer.mean()) == std::vector<double>{2, 10});
  CHECK(values(normalizer.scale()) == std::vector<double>{1, 1});
  CHECK(normalizer.mean().dtype() == float64);
  CHECK(values(normalizer(tensor({{1, 10}, {3, 12}, {7, 9}}))) == std::vector<double>{-1, 0, 1, 2, 5, -1});
}

TEST_CASE("normalizer: what is fitted to training data is applied to other data as it is") {
  const auto [train, test] = datasets::stratified_split(datasets::digits({.dtype = float64}), {.seed = 1});
  const Normalizer normalizer = Normalizer::fit(train.inputs());
  const Dataset normal = normalizer(test);
  CHECK(normal.labels().node() == test.labels().node());
  CHECK(normal.feature_names() == test.feature_names());
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < test.size(); i += 17) {
    for (std::int64_t j = 0; j < 64; ++j) {
      const Column fitted = column(train.inputs(), j);
      const double scale = fitted.deviation == 0 ? 1 : fitted.deviation;
      const double want = (test.inputs().at({i, j}) - fitted.mean) / scale;
      wrong += !(std::abs(normal.inputs().at({i, j}) - want) < 1e-12);
    }
  }
  CHECK(wrong == 0);
  // Not fitted anew: then the means would be 0.
  CHECK(std::abs(column(normal.inputs(), 20).mean) > 1e-4);
}

TEST_CASE("normalizer: a feature that never changes becomes 0") {
  for (const Dtype dtype : {float32, float64}) {
    // 0.1 a thousand times does not sum up to 100: a careless mean would leave a deviation of 1e-14.
    const Tensor x = full({1000, 2}, 0.1, {.dtype = dtype});
    const Normalizer normalizer = Normalizer::fit(x);
    CHECK(values(normalizer.scale()) == std::vector<double>{1, 1});
    CHECK(values(normalizer(x)) == std::vector<double>(2000, 0));
    // Other data keep their distance.
    CHECK(normalizer(full({1, 2}, 0.6, {.dtype = dtype})).at({0, 1}) == doctest::Approx(0.5).epsilon(1e-6));
  }
  CHECK(values(Normalizer::fit(tensor({{4, -2}})).scale()) == std::vector<double>{1, 1});
}

TEST_CASE("normalizer: fitted in one dtype, it applies to the other") {
  const Normalizer normalizer = Normalizer::fit(tensor({{0, 0}, {2, 4}}));
  const Tensor y = normalizer(tensor({{3, 6}}, {.dtype = float64}));
  CHECK(y.dtype() == float64);
  CHECK(values(y) == std::vector<double>{2, 2});
}

TEST_CASE("normalizer: by channel, over samples and pixels") {
  // Two images of two channels of 1x2 pixels.
  const Tensor x = tensor({{{{1, 3}}, {{10, 10}}}, {{{5, 7}}, {{30, 30}}}}, {.dtype = float64});
  const Normalizer normalizer = Normalizer::fit(x, {.per_channel = true});
  CHECK(normalizer.mean().shape() == Shape{2, 1, 1});
  CHECK(values(normalizer.mean()) == std::vector<double>{4, 20});
  CHECK(values(normalizer.scale()) == std::vector<double>{std::sqrt(5.0), 10});
  const std::vector<double> got = values(normalizer(x));
  CHECK(got[0] == doctest::Approx(-3 / std::sqrt(5.0)).epsilon(1e-15));
  CHECK(got[2] == -1);
  CHECK(got[7] == 1);
  // Images of another size have the same channels.
  CHECK(normalizer(zeros({1, 2, 4, 4})).shape() == Shape{1, 2, 4, 4});
  // For [n, features] a channel is a feature.
  const Tensor flat = tensor({{1, 10}, {3, 30}});
  CHECK(values(Normalizer::fit(flat, {.per_channel = true})(flat)) == values(Normalizer::fit(flat)(flat)));
}

TEST_CASE("normalizer: from published numbers") {
  const Normalizer mnist(tensor(0.25), tensor(0.5));
  CHECK(values(mnist(tensor({{{0, 1}}, {{0.25, 0.75}}}))) == std::vector<double>{-0.5, 1.5, 0, 1});
  const Normalizer rgb(tensor({{{0.5}}, {{0.25}}, {{0}}}), tensor({{{1}}, {{2}}, {{4}}}));
  CHECK(rgb(ones({2, 3, 5, 5})).at({1, 2, 4, 4}) == 0.25);
}

TEST_CASE("normalizer: none, one and empty samples") {
  const Normalizer normalizer = Normalizer::fit(tensor({{1, 2}, {3, 6}}));
  CHECK(normalizer(zeros({0, 2})).shape() == Shape{0, 2});
  CHECK(values(normalizer(tensor({{2, 4}}))) == std::vector<double>{0, 0});
  CHECK(Normalizer::fit(zeros({3, 0}))(zeros({2, 0})).shape() == Shape{2, 0});
  CHECK(Normalizer::fit(zeros({3, 2, 0}), {.per_channel = true})(zeros({1, 2, 0})).shape() == Shape{1, 2, 0});
  // Samples without dimensions.
  CHECK(values(Normalizer::fit(tensor({1, 3}))(tensor({5}))) == std::vector<double>{3});
}

TEST_CASE("normalizer: differentiable") {
  const Normalizer normalizer = Normalizer::fit(tensor({{0, 0}, {2, 8}}, {.dtype = float64}));
  const Tensor x = tensor({{1, 1}, {5, 3}}, {.dtype = float64, .requires_grad = true});
  sum(normalizer(x) * tensor({{1, 2}, {3, 4}}, {.dtype = float64})).backward();
  CHECK(values(x.grad()) == std::vector<double>{1, 0.5, 3, 1});
}

TEST_CASE("normalizer: data that cannot be fitted") {
  CHECK_THROWS_WITH_AS(fit(zeros({0, 4})), "Normalizer: needs samples [n, ...]: inputs are [0, 4]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(fit(zeros({})), "Normalizer: needs samples [n, ...]: inputs are []", ShapeError);
  CHECK_THROWS_WITH_AS(fit(zeros({5}), {.per_channel = true}),
                       "Normalizer: needs samples [n, channels, ...]: inputs are [5]", ShapeError);
  CHECK_THROWS_WITH_AS(fit(zeros({5}, {.dtype = int64})),
                       "Normalizer: inputs must be float32 or float64: got int64", DtypeError);
  CHECK_THROWS_WITH_AS(fit(tensor({{1, 2}, {3, infinity}})),
                       "Normalizer: inputs must be finite: row 1 has inf at element 1 of the sample",
                       ValueError);
  CHECK_THROWS_WITH_AS(fit(tensor({{1, 2}, {std::nan(""), 4}}, {.dtype = float64})),
                       "Normalizer: inputs must be finite: row 1 has nan at element 0 of the sample",
                       ValueError);
}

TEST_CASE("normalizer: data that it does not fit") {
  const Normalizer normalizer = Normalizer::fit(tensor({{1, 2}, {3, 6}}));
  const auto apply = [](const Normalizer& n, const Tensor& x) { static_cast<void>(n(x)); };
  CHECK_THROWS_WITH_AS(apply(normalizer, zeros({4, 3})),
                       "Normalizer: samples differ in shape: fitted to [2], got [3]", ShapeError);
  CHECK_THROWS_WITH_AS(apply(normalizer, zeros({4, 5, 2})),
                       "Normalizer: samples differ in shape: fitted to [2], got [5, 2]", ShapeError);
  CHECK_THROWS_WITH_AS(apply(normalizer, zeros({})), "Normalizer: needs samples [n, ...]: inputs are []",
                       ShapeError);
  CHECK_THROWS_WITH_AS(apply(normalizer, zeros({1, 2}, {.dtype = int64})),
                       "Normalizer: inputs must be float32 or float64: got int64", DtypeError);
  // A sample of one would be stretched to three.
  const Normalizer three(zeros({3}), ones({3}));
  CHECK_THROWS_WITH_AS(apply(three, zeros({4, 1})),
                       "Normalizer: mean and scale do not fit the samples: they are [3], a sample is [1]",
                       ShapeError);
  const Normalizer channels = Normalizer::fit(zeros({2, 3, 4, 4}), {.per_channel = true});
  CHECK_THROWS_AS(apply(channels, zeros({2, 2, 4, 4})), ShapeError);
}

TEST_CASE("normalizer: numbers that are none") {
  const auto make = [](const Tensor& mean, const Tensor& scale) { const Normalizer normalizer(mean, scale); };
  CHECK_THROWS_WITH_AS(make(zeros({2}), ones({3})), "Normalizer: shapes differ: mean is [2], scale is [3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(make(tensor({0, 1}), tensor({1, 0})),
                       "Normalizer: mean must be finite, scale finite and positive: element 1 is 1, 0",
                       ValueError);
  CHECK_THROWS_WITH_AS(make(tensor({infinity}), tensor({1})),
                       "Normalizer: mean must be finite, scale finite and positive: element 0 is inf, 1",
                       ValueError);
  CHECK_THROWS_WITH_AS(make(zeros({1}, {.dtype = int64}), ones({1})),
                       "Normalizer: mean must be float32 or float64: got int64", DtypeError);
  CHECK_THROWS_WITH_AS(make(zeros({1}), ones({1}, {.dtype = int64})),
                       "Normalizer: scale must be float32 or float64: got int64", DtypeError);
}

TEST_CASE("unit_range: maps the range given, not the data's") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = tensor({{0, 4}, {8, 16}}, {.dtype = dtype});
    const Tensor y = datasets::unit_range(x, {.high = 16});
    CHECK(y.dtype() == dtype);
    CHECK(values(y) == std::vector<double>{0, 0.25, 0.5, 1});
    // Nothing is clamped.
    CHECK(values(datasets::unit_range(x, {.low = 4, .high = 8})) == std::vector<double>{-1, 0, 1, 3});
  }
  CHECK(datasets::unit_range(tensor({255.0})).at({0}) == 1);
  CHECK(datasets::unit_range(zeros({0, 3})).shape() == Shape{0, 3});
  CHECK(datasets::unit_range(tensor(51.0)).item() == doctest::Approx(0.2).epsilon(1e-7));
}

TEST_CASE("unit_range: of a data set") {
  const Dataset raw = datasets::digits();
  const Dataset data = datasets::unit_range(raw, {.high = 16});
  CHECK(data.labels().node() == raw.labels().node());
  CHECK(data.classes() == 10);
  CHECK(data.inputs().at({0, 3}) == 13.0 / 16);
  CHECK(amax(data.inputs()).item() == 1);
}

TEST_CASE("unit_range: ranges and dtypes that are none") {
  const auto call = [](const Tensor& x, const datasets::RangeOptions& range) {
    static_cast<void>(datasets::unit_range(x, range));
  };
  CHECK_THROWS_WITH_AS(call(zeros({1}), {.low = 3, .high = 3}),
                       "unit_range: low must be less than high: low is 3, high is 3", ValueError);
  CHECK_THROWS_WITH_AS(call(zeros({1}), {.high = infinity}), "unit_range: high must be finite: got inf",
                       ValueError);
  CHECK_THROWS_WITH_AS(call(zeros({1}), {.low = std::nan("")}), "unit_range: low must be finite: got nan",
                       ValueError);
  CHECK_THROWS_WITH_AS(call(zeros({1}), {.low = -1.5e308, .high = 1.5e308}),
                       "unit_range: high - low must be finite: got inf", ValueError);
  CHECK_THROWS_WITH_AS(call(zeros({1}, {.dtype = int64}), {}),
                       "unit_range: x must be float32 or float64: got int64", DtypeError);
}

TEST_CASE("one_hot: of a data set, in its inputs' dtype") {
  const auto data = [](Dtype dtype) {
    return Dataset({.inputs = zeros({2, 1}, {.dtype = dtype}),
                    .labels = tensor({2, 0}, {.dtype = int64}),
                    .classes = 3});
  };
  for (const Dtype dtype : {float32, float64}) {
    const Tensor rows = datasets::one_hot(data(dtype));
    CHECK(rows.dtype() == dtype);
    CHECK(rows.shape() == Shape{2, 3});
    CHECK(values(rows) == std::vector<double>{0, 0, 1, 1, 0, 0});
  }
  CHECK(datasets::one_hot(data(float32), {.dtype = boolean}).dtype() == boolean);
  // Inputs that are indices: targets are numbers all the same.
  CHECK(datasets::one_hot(data(int64)).dtype() == float32);
  const Dataset targets({.inputs = zeros({2}), .labels = zeros({2})});
  CHECK_THROWS_WITH_AS(static_cast<void>(datasets::one_hot(targets)),
                       "one_hot: needs class labels: classes is 0 and labels are float32 [2]", ValueError);
}

TEST_CASE("one_hot_labels: as a loader's transform") {
  const Dataset digits = datasets::digits({.dtype = float64});
  datasets::Loader loader(digits, {.batch_size = 1000, .transform = datasets::one_hot_labels(10)});
  std::int64_t first = 0;
  for (auto& [x, y] : loader) {
    CHECK(y.dtype() == float64);
    CHECK(y.shape() == Shape{x.shape()[0], 10});
    CHECK(values(y) == values(one_hot(slice(digits.labels(), {.start = first, .stop = first + 1000}), 10)));
    first += 1000;
  }
  datasets::Loader too_few(digits, {.transform = datasets::one_hot_labels(9)});
  CHECK_THROWS_WITH_AS(static_cast<void>(too_few.begin()),
                       "one_hot: label out of range: labels[9] is 9, classes is 9", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(datasets::one_hot_labels(0)),
                       "one_hot_labels: classes must be at least 1: got 0", ValueError);
}
