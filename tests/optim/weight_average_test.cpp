#include "xtgrad/optim/weight_average.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"
#include "xtgrad/nn/batch_norm_update.h"
#include "xtgrad/nn/dropout.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/sequential.h"
#include "xtgrad/nn/state_dict.h"

namespace xtgrad { namespace {

using testing::message_of;
using testing::values;

TEST_CASE("WeightAverage: the mean of all values, and the exponential average") {
  for (const Dtype dtype : {float32, float64}) {
    const nn::Parameter w(tensor({1, 2}, {.dtype = dtype}));
    optim::WeightAverage mean({w.cell()});
    optim::WeightAverage moving({w.cell()}, {.decay = 0.75});
    CHECK(values(mean.values()[0]) == std::vector<double>{1, 2});
    for (const double scale : {1.0, 3.0, 5.0}) {
      w.cell()->set_value(tensor({scale, 2 * scale}, {.dtype = dtype}));
      mean.update();
      moving.update();
    }
    CHECK(mean.updates() == 3);
    CHECK(values(mean.values()[0]) == std::vector<double>{3, 6});
    CHECK(values(moving.values()[0]) ==
          std::vector<double>{0.75 * 1.5 + 0.25 * 5, 2 * (0.75 * 1.5 + 0.25 * 5)});
    CHECK_FALSE(moving.values()[0].requires_grad());
    {
      const nn::WithParameters scope(mean.parameters(), mean.values());
      CHECK(values(w.tensor()) == std::vector<double>{3, 6});
    }
    CHECK(values(w.tensor()) == std::vector<double>{5, 10});
    mean.copy_to_parameters();
    CHECK(values(w.tensor()) == std::vector<double>{3, 6});
    CHECK(w.tensor().requires_grad());
  }
}

TEST_CASE("WeightAverage: its state, with names") {
  nn::Linear model(2, 1);
  optim::WeightAverage average(model.parameters(), {.decay = 0.5});
  average.update();
  model.weight.cell()->set_value(model.weight.tensor().detach() * 3);
  average.update();
  const nn::StateDict state = average.state_dict();
  CHECK(state.at("updates").item_int64() == 2);
  CHECK(state.contains("weight"));
  nn::Linear other(2, 1);
  optim::WeightAverage resumed(other.parameters(), {.decay = 0.5});
  resumed.load_state_dict(state);
  CHECK(resumed.updates() == 2);
  CHECK(values(resumed.values()[0]) == values(average.values()[0]));
  const nn::Parameter unnamed(ones({1}));
  const nn::Parameter also(ones({1}));
  optim::WeightAverage numbered({unnamed.cell(), also.cell()});
  CHECK(numbered.state_dict().contains("#1"));
}

TEST_CASE("WeightAverage: names that are taken, and parameters of another dtype since") {
  nn::Parameter w(ones({2}));
  w.cell()->set_name("updates");
  nn::Parameter v(ones({2}));
  v.cell()->set_name("updates#0");
  optim::WeightAverage average({w.cell(), v.cell()});
  average.update();
  CHECK(average.state_dict().contains("updates#0"));
  CHECK(average.state_dict().contains("updates#0#1"));
  nn::Linear model(2, 1);
  optim::WeightAverage moving(model.parameters(), {.decay = 0.5});
  moving.update();
  model.to(float64);
  moving.update();
  CHECK(moving.values()[0].dtype() == float64);
  CHECK(moving.updates() == 2);
}

TEST_CASE("WeightAverage: a state is of a decay, or of none, which is adopted where that is asked for") {
  const nn::Parameter w(tensor({1, 2}));
  optim::WeightAverage moving({w.cell()}, {.decay = 0.75}), mean({w.cell()});
  for (const double scale : {1.0, 3.0}) {
    w.cell()->set_value(tensor({scale, 2 * scale}));
    moving.update();
  }
  CHECK(message_of([&] { return mean.load_state_dict(moving.state_dict()); }) ==
        "load_state_dict: the state does not fit this WeightAverage, which was left as it is:\n"
        "  other settings: options.decay.given is 0, the state's is 1; options.decay is 0, the state's is "
        "0.75\n"
        "  pass {.adopt_settings = true} to go on with the state's settings");
  mean.load_state_dict(moving.state_dict(), {.adopt_settings = true});
  mean.update();
  moving.update();
  CHECK(values(mean.values()[0]) == values(moving.values()[0]));
  optim::WeightAverage again({w.cell()});
  moving.load_state_dict(again.state_dict(), {.adopt_settings = true});
  CHECK(moving.state_dict().at("options.decay.given").item() == 0);
  nn::StateDict wrong = mean.state_dict();
  wrong.set("options.decay", full({}, 1.0, {.dtype = float64}));
  CHECK(message_of([&] { return mean.load_state_dict(wrong, {.adopt_settings = true}); }) ==
        "WeightAverage: decay must be at least 0 and less than 1: got 1");
  wrong = mean.state_dict();
  wrong.set("updates", full({}, -1, {.dtype = int64}));
  CHECK(message_of([&] { return mean.load_state_dict(wrong); }).find("impossible: updates is a count") !=
        std::string::npos);
}

TEST_CASE("WeightAverage: what it refuses") {
  const nn::Parameter w(ones({1}));
  CHECK(message_of([] { return optim::WeightAverage({}); }) ==
        "WeightAverage: the list of parameters is empty");
  CHECK(message_of([] { return optim::WeightAverage({nullptr}); }) ==
        "WeightAverage: parameter 0 is an empty ref");
  CHECK(message_of([&] { return optim::WeightAverage({w.cell()}, {.decay = 1}); }) ==
        "WeightAverage: decay must be at least 0 and less than 1: got 1");
}

TEST_CASE("BatchNormUpdate: statistics of one pass, all batches alike, and everything else as before") {
  Random random(3);
  nn::Sequential model;
  model.add(nn::BatchNorm1d({.num_features = 3, .momentum = 0.3}));
  model.add(nn::Dropout({.p = 0.5}));
  auto& norm = dynamic_cast<nn::BatchNorm1d&>(model[0]);
  auto& dropout = model[1];
  static_cast<void>(model(randn({8, 3}, random) * 100));
  model.eval();
  dropout.train();
  const std::vector<Tensor> batches{randn({8, 3}, random), randn({8, 3}, random), randn({8, 3}, random)};
  {
    const nn::BatchNormUpdate update(model);
    CHECK(model.is_training());
    for (const Tensor& x : batches) static_cast<void>(model(x));
  }
  CHECK_FALSE(model.is_training());
  CHECK_FALSE(norm.is_training());
  CHECK(dropout.is_training());
  CHECK(norm.options().momentum == 0.3);
  CHECK(norm.num_batches_tracked == 3);
  const std::vector<double> want = values(mean(concat(batches, 0), {.axes = {0}}));
  const std::vector<double> got = values(norm.running_mean);
  for (std::size_t c = 0; c < 3; ++c) CHECK(got[c] == doctest::Approx(want[c]).epsilon(1e-5));
  CHECK(message_of([&] { norm.set_momentum(2); }) == "BatchNorm: momentum must be in [0, 1]: got 2");
}

}}  // namespace xtgrad
