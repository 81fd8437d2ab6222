#include "xtgrad/datasets/sample_transform.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/augment.h"

using namespace xtgrad;
using datasets::Augment;
using datasets::random_flip;
using datasets::random_shift;
using datasets::SampleTarget;
using datasets::SampleTransform;
using datasets::SampleView;

TEST_CASE("transform_samples: samples differ, the same seed gives the same") {
  const Tensor images = reshape(arange(40 * 9) + 1, {40, 1, 3, 3}).to(float32);
  const Augment augment({random_shift({.pixels = 1}), random_flip()});
  const auto run = [&](std::uint64_t seed) {
    Random random(seed);
    return transform_samples(images, augment, random);
  };
  const auto differ = [](const Tensor& a, const Tensor& b) {
    return a.shape() != b.shape() || sum(equal(a, b).to(int64)).item_int64() != a.numel();
  };
  CHECK_FALSE(differ(run(1), run(1)));
  CHECK(differ(run(1), run(2)));
  // The offsets by which the 40 images moved are not all one.
  const Tensor moved = sum(equal(run(1), images).to(int64), {.axes = {1, 2, 3}});
  CHECK(sum(equal(moved, 9).to(int64)).item_int64() < 40);
  CHECK(sum(equal(moved, 9).to(int64)).item_int64() >= 1);
  Random random(1);
  CHECK(transform_samples(zeros({0, 1, 3, 3}), augment, random).shape() == Shape{0, 1, 3, 3});
  CHECK_THROWS_WITH_AS(static_cast<void>(transform_samples(zeros({}), augment, random)),
                       "transform_samples: needs samples [n, ...]: inputs are []", ShapeError);
}

TEST_CASE("SampleTransform: what it checks") {
  std::vector<float> x(4, 1.0F);
  std::vector<float> y(4, 0.0F);
  Random random(1);
  const SampleTransform copy;
  copy(SampleView(x.data(), {4}, float32), SampleTarget(y.data(), {4}, float32), random);
  CHECK(x == y);
  CHECK_THROWS_WITH_AS(
      copy(SampleView(x.data(), {4}, float32), SampleTarget(y.data(), {2, 2}, float32), random),
      "SampleTransform: to must be of the output's shape [4]: got [2, 2]", ShapeError);
  CHECK_THROWS_WITH_AS(copy(SampleView(x.data(), {2}, float32), SampleTarget(y.data(), {2}, float64), random),
                       "SampleTransform: dtypes differ: from is float32, to is float64", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(SampleView(x.data(), {4}, float32).data<double>()),
                       "SampleView: dtypes differ: T is float64, the sample is float32", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(SampleTarget(y.data(), {4}, float32).data<bool>()),
                       "SampleTarget: dtypes differ: T is bool, the sample is float32", DtypeError);
  CHECK_THROWS_WITH_AS(SampleTransform(SampleTransform::Function{}),
                       "SampleTransform: function must not be empty", ValueError);
}

TEST_CASE("SampleTransform: a function of one's own, as in its documentation") {
  const datasets::SampleTransform dim = {[](const auto& from, const auto& to, Random& random) {
    const auto factor = static_cast<float>(random.next_uniform());
    std::ranges::transform(from.template data<float>(), to.template data<float>().begin(),
                           [=](float x) { return factor * x; });
  }};
  const std::vector<float> x = {1, 2, 3, 4};
  std::vector<float> y(4);
  Random random(5);
  dim(SampleView(x.data(), {1, 2, 2}, float32), SampleTarget(y.data(), {1, 2, 2}, float32), random);
  const auto factor = static_cast<float>(Random(5).next_uniform());
  CHECK(y == std::vector<float>{factor * 1, factor * 2, factor * 3, factor * 4});
}
