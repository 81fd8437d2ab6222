// The code of docs/training.md on starting values.
#include <doctest/doctest.h>

#include "tests/support/values.h"
#include "xtgrad/autograd/functions/statistics.h"
#include "xtgrad/nn/init.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using testing::values;

TEST_CASE("docs/training.md: starting values") {
  nn::Linear layer{64, 32};
  const double gain = nn::init::gain_of(nn::init::Gain::tanh);  // 5/3
  layer.weight.set_value(nn::init::xavier_normal({32, 64}, {.gain = gain}));
  layer.weight.set_value(nn::init::orthogonal({32, 64}));  // rows of length 1
  layer.weight.set_value(nn::init::truncated_normal({32, 64}, {.std = 0.02, .low = -0.04, .high = 0.04}));
  layer.weight.set_value(nn::init::sparse({32, 64}, {.sparsity = 0.75}));  // 24 zeros in each column
  nn::Conv2d same{{.in_channels = 3, .out_channels = 3, .kernel = 3, .padding = 1}};
  same.weight.set_value(nn::init::dirac({3, 3, 3, 3}));  // passes its input on
  const Tensor rows = nn::init::orthogonal({32, 64});
  CHECK(amax(abs(matmul(rows, rows, {.transpose_b = true}) - eye(32))).item() < 1e-4);
  CHECK(values(count_nonzero(layer.weight.tensor() == 0.0, {.axes = {0}}))[0] == 24);
  const Tensor x = randn({1, 3, 5, 5});
  CHECK(values(conv2d(x, nn::init::dirac({3, 3, 3, 3}), {.padding = 1})) == values(x));
}
