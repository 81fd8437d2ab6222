// InstanceNorm1d, 2d and 3d; what they compute is compared with PyTorch in pytorch_transformers_test.cpp.
#include "xtgrad/nn/instance_norm.h"

#include <doctest/doctest.h>

#include "tests/nn/module_checks.h"
#include "tests/support/message_of.h"
#include "xtgrad/autograd/functions/normalization.h"

using namespace xtgrad;
using namespace nn_test;
using xtgrad::testing::message_of;

TEST_CASE("instance norms of one, two and three dimensions normalise each plane of each sample") {
  nn::InstanceNorm1d one{{.num_features = 2}};
  nn::InstanceNorm2d two{{.num_features = 2}};
  nn::InstanceNorm3d three{{.num_features = 2}};
  CHECK(one.state_dict().empty());
  const Tensor x = ramp({3, 2, 8});
  const Numbers want = elements(instance_norm(x));
  CHECK(elements(one(x)) == want);
  CHECK(elements(two(reshape(x, {3, 2, 2, 4}))) == want);
  CHECK(elements(three(reshape(x, {3, 2, 2, 2, 2}))) == want);
  one.eval();  // nothing is tracked, so nothing changes
  CHECK(elements(one(x)) == want);
  CHECK(one(zeros({0, 2, 3})).shape() == Shape{0, 2, 3});
}

TEST_CASE("instance norms keep what every module keeps") {
  const nn::InstanceNormOptions options{.num_features = 2, .affine = true, .track_running_stats = true};
  nn::InstanceNorm1d norm{options}, other{options};
  CHECK(elements(norm.weight) == Numbers{1, 1});
  CHECK(elements(norm.running_mean) == Numbers{0, 0});
  CHECK(elements(norm.running_var) == Numbers{1, 1});
  norm.to(float64);
  other.to(float64);
  fill_with_ramps(norm);
  static_cast<void>(norm(ramp({2, 2, 3}, float64)));
  CHECK(norm.num_batches_tracked == 1);
  norm.eval();
  other.eval();
  check_module(norm, other, ramp({2, 2, 3}, float64));
  CHECK(norm.num_batches_tracked == 1);
}

TEST_CASE("instance norms say what does not fit") {
  CHECK(message_of<ValueError>([] { return nn::InstanceNorm2d({}).weight.shape(); }) ==
        "InstanceNorm2d: num_features is required, and was not given");
  CHECK(message_of<ValueError>([] {
          return nn::InstanceNorm1d({.num_features = 2, .momentum = 2}).weight.shape();
        }) == "InstanceNorm1d: momentum must be in [0, 1]: got 2");
  nn::InstanceNorm2d norm{{.num_features = 2, .affine = true}};
  CHECK(message_of<ShapeError>([&] {
          return norm(zeros({2, 3, 4, 4}));
        }) == "InstanceNorm2d: input must be [n, 2, h, w]: got [2, 3, 4, 4]");
  CHECK(message_of<ShapeError>([&] {
          return norm(zeros({3, 2, 1, 1}));
        }) == "InstanceNorm2d: the variance needs more than one value a channel: input is [3, 2, 1, 1]");
  CHECK(message_of<DtypeError>([&] {
          return norm(zeros({2, 2, 4, 4}, {.dtype = float64}));
        }) ==
        "InstanceNorm2d: input is float64, weight is float32; convert the input or the model with to()");
}
