// That the step of every optimizer but L-BFGS is made of steps, formula and coefficients, which can be run
// again to the same bits.
#include "xtgrad/autograd/step_list.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/members.h"
#include "xtgrad/optim/optim.h"

namespace xtgrad { namespace {

using testing::values;

/// Names all that an optimizer holds.
class NameState final : public nn::Members {
 public:
  explicit NameState(StepList& steps) : steps_(steps) {}

 private:
  void on_buffer(const std::string& path, Tensor& buffer) override {
    if (buffer.defined()) steps_.set_name(path, buffer);
  }
  void on_counter(const std::string& path, Counter& counter) override {
    steps_.set_name(path, counter.state());
  }

  StepList& steps_;
};

/// An optimizer of two parameters, one of them of no dimensions, after two steps: its moments are not zero.
template <class Optimizer>
struct Training {
  nn::Parameter w, b;
  Optimizer optimizer;

  template <class Options>
  Training(Dtype dtype, const Options& options)
      : w(tensor({{0.3, -1.2, 0.7}, {2.1, 0.05, -0.4}}).to(dtype)),
        b(full({}, 0.6, {.dtype = dtype})),
        optimizer({w.cell(), b.cell()}, options) {
    for (int i = 0; i < 2; ++i) step(nullptr);
  }

  void step(StepList* steps) {
    optimizer.zero_grad();
    sum(square(w * b - 0.5)).backward();
    if (steps != nullptr) {
      NameState names(*steps);
      names.visit(optimizer);
      for (const nn::Parameter* parameter : {&w, &b}) {
        steps->set_name("parameter", parameter->tensor());
        steps->set_name("gradient", parameter->grad());
      }
    }
    optimizer.step();
  }
};

template <class Optimizer, class Options>
void check_runs_again(const std::string& rule, const Options& options,
                      const std::vector<Tensor>& hypers = {}) {
  CAPTURE(rule);
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    Training<Optimizer> plain(dtype, options), watched(dtype, options);
    plain.step(nullptr);
    StepList steps;
    for (const Tensor& hyper : hypers) steps.set_name("hyper", hyper);
    watched.step(&steps);
    CHECK(steps.run_again() == "");
    CHECK(steps.text().find(" = " + rule + "_step") != std::string::npos);
    CHECK(steps.text().find(" = " + rule + "_rates") != std::string::npos);
    CHECK(values(watched.w.tensor()) == values(plain.w.tensor()));
    CHECK(values(watched.b.tensor()) == values(plain.b.tensor()));
  }
}

using namespace optim;

TEST_CASE("every optimizer's step is a list of steps that runs again to the same bits") {
  check_runs_again<SGD>("sgd", SGDOptions{.lr = 0.1});
  check_runs_again<SGD>("sgd",
                        SGDOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true});
  check_runs_again<Adam>("adam", AdamOptions{.amsgrad = true});
  check_runs_again<AdamW>("adamw", AdamWOptions{.lr = 0.1});
  check_runs_again<RMSProp>("rmsprop", RMSPropOptions{.lr = 0.1});
  check_runs_again<RMSProp>("rmsprop",
                            RMSPropOptions{.weight_decay = 0.01, .momentum = 0.9, .centered = true});
  check_runs_again<Adagrad>("adagrad",
                            AdagradOptions{.lr = 0.1, .lr_decay = 0.1, .initial_accumulator = 0.2});
  check_runs_again<Adadelta>("adadelta", AdadeltaOptions{.weight_decay = 0.01});
  check_runs_again<Adamax>("adamax", AdamaxOptions{.lr = 0.1, .weight_decay = 0.01});
  check_runs_again<NAdam>("nadam", NAdamOptions{.lr = 0.1, .weight_decay = 0.01, .decoupled_decay = true});
  check_runs_again<RAdam>("radam", RAdamOptions{.lr = 0.1, .weight_decay = 0.01});
  check_runs_again<Rprop>("rprop", RpropOptions{.lr = 0.1});
  check_runs_again<ASGD>("asgd", ASGDOptions{.lr = 0.1, .t0 = 1, .weight_decay = 0.01});
  check_runs_again<Lion>("lion", LionOptions{.lr = 0.1, .weight_decay = 0.01});
}

TEST_CASE("an optimizer's step with hyperparameters that are tensors is a list of steps") {
  const Tensor lr = full({}, 0.1, {.dtype = float64}), rate = full({}, 0.8, {.dtype = float64});
  check_runs_again<SGD>("sgd", SGDOptions{.lr = lr, .momentum = rate}, {lr, rate});
  check_runs_again<Adam>("adam", AdamOptions{.beta1 = rate, .weight_decay = lr}, {lr, rate});
}

TEST_CASE("clipping by value is a step that runs again to the same bits") {
  for (const Dtype dtype : {float32, float64}) {
    nn::Parameter w(tensor({0.3, -1.2}).to(dtype));
    sum(square(w)).backward();
    StepList steps;
    steps.set_name("gradient", w.grad());
    clip_grad_value(std::vector{w.cell()}, 1);
    CHECK(steps.run_again() == "");
    CHECK(steps.text().find(" = clip_value") != std::string::npos);
    CHECK(values(w.grad())[1] == -1);
  }
}

}}  // namespace xtgrad
