// RMSNorm against plain loops.
#include "xtgrad/nn/rms_norm.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/nn/module_checks.h"
#include "tests/support/message_of.h"

using namespace xtgrad;
using namespace nn_test;
using xtgrad::testing::message_of;

TEST_CASE("RMSNorm divides rows by the root of their mean square") {
  for (const Dtype dtype : {float32, float64}) {
    nn::RMSNorm norm{{.normalized_shape = {3, 4}, .eps = 1e-3}};
    norm.to(dtype);
    fill_with_ramps(norm);
    const Tensor x = ramp({2, 3, 4}, dtype);
    const Numbers in = elements(x), w = elements(norm.weight);
    Numbers want(24);
    for (std::size_t row = 0; row < 24; row += 12) {
      double squares = 0;
      for (std::size_t i = row; i < row + 12; ++i) squares += in[i] * in[i];
      for (std::size_t i = row; i < row + 12; ++i)
        want[i] = in[i] / std::sqrt(squares / 12 + 1e-3) * w[i - row];
    }
    check_numbers(elements(norm(x)), want, dtype == float64 ? 1e-13 : 1e-6, 1);
  }
}

TEST_CASE("RMSNorm keeps what every module keeps") {
  nn::RMSNorm norm{{.normalized_shape = {4}}}, other{{.normalized_shape = {4}}};
  CHECK(elements(norm.weight) == Numbers{1, 1, 1, 1});
  norm.to(float64);
  other.to(float64);
  fill_with_ramps(norm);
  check_module(norm, other, ramp({2, 4}, float64));
  CHECK(norm(zeros({0, 4}, {.dtype = float64})).shape() == Shape{0, 4});
  CHECK(norm(ramp({4}, float64)).shape() == Shape{4});
  nn::RMSNorm bare{{.normalized_shape = {4}, .affine = false}};
  CHECK(bare.state_dict().empty());
  // eps is that of float32: zeros stay zeros, and nothing is seen of it elsewhere.
  CHECK(elements(bare(tensor({{0, 0, 0, 0}, {2, -2, 2, 2}}))) == Numbers{0, 0, 0, 0, 1, -1, 1, 1});
}

TEST_CASE("RMSNorm says what does not fit") {
  CHECK(message_of<ValueError>([] { return nn::RMSNorm({}).weight.shape(); }) ==
        "RMSNorm: normalized_shape is required, and was not given");
  CHECK(message_of<ValueError>([] {
          return nn::RMSNorm({.normalized_shape = {2}, .eps = -1}).weight.shape();
        }) == "RMSNorm: eps must be finite and at least 0: got -1");
  nn::RMSNorm norm{{.normalized_shape = {2, 3}}};
  CHECK(message_of<ShapeError>([&] {
          return norm(zeros({3, 2}));
        }) == "RMSNorm: the last dimensions of the input must be [2, 3]: input is [3, 2]");
  CHECK(message_of<DtypeError>([&] {
          return norm(zeros({2, 3}, {.dtype = float64}));
        }) == "RMSNorm: input is float64, weight is float32; convert the input or the model with to()");
  CHECK(message_of<DtypeError>([&] {
          return norm(zeros({2, 3}, {.dtype = int64}));
        }) == "RMSNorm: input must be float32 or float64: got int64");
}
