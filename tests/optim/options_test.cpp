// What constructors and groups refuse, and what they say.

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/optim/optim.h"

namespace xtgrad { namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Net : nn::Module {
  nn::Linear hidden{3, 4};
  nn::Linear head{4, 2};
  void members(nn::Members& m) override {
    m("hidden", hidden);
    m("head", head);
  }
  Tensor forward(const Tensor& x) override { return head(tanh(hidden(x))); }
};

TEST_CASE("what groups refuse") {
  Net model;
  optim::SGD sgd(model.hidden.parameters(), {.lr = 0.1});
  CHECK_THROWS_WITH_AS(sgd.add_group({}, {.lr = 0.1}),
                       "SGD: the list of parameters is empty; a module's are those that its `members` lists",
                       ValueError);
  CHECK_THROWS_WITH_AS(sgd.add_group({model.head.weight.cell(), nullptr}, {.lr = 0.1}),
                       "SGD: parameter 1 of group 1 is an empty ref", ValueError);
  CHECK_THROWS_WITH_AS(sgd.add_group(model.parameters(), {.lr = 0.1}),
                       "SGD: parameter \"hidden.weight\" is given twice, in group 0 and in group 1",
                       ValueError);
  const nn::Parameter unnamed(ones({1}));
  CHECK_THROWS_WITH_AS(sgd.add_group({unnamed.cell(), unnamed.cell()}, {.lr = 0.1}),
                       "SGD: parameter #3 is given twice, in group 1 and in group 1", ValueError);
  CHECK_THROWS_WITH_AS(sgd.add_group({unnamed.cell()}, {}), "SGD: lr is required, and was not given",
                       ValueError);
  CHECK(sgd.group_count() == 1);
  CHECK(sgd.parameters().size() == 2);
  sgd.add_group(model.head.parameters(), {.lr = 0.2});
  CHECK(sgd.group_count() == 2);
  CHECK_THROWS_WITH_AS(static_cast<void>(sgd.lr(2)), "SGD: no group 2; there are 2", ValueError);
  CHECK_THROWS_WITH_AS(sgd.set_lr(0.1, 7), "SGD: no group 7; there are 2", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(sgd.options(2)), "SGD: no group 2; there are 2", ValueError);
  CHECK_THROWS_WITH_AS(sgd.set_options({.lr = 1}, 2), "SGD: no group 2; there are 2", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(sgd.parameters(2)), "SGD: no group 2; there are 2", ValueError);
}

TEST_CASE("options out of range") {
  const nn::Parameter w(ones({1}));
  const std::vector p{w.cell()};
  const auto sgd = [&](const optim::SGDOptions& options, const char* text) {
    CHECK_THROWS_WITH_AS(optim::SGD(p, options), text, ValueError);
  };
  sgd({}, "SGD: lr is required, and was not given");
  sgd({.lr = -1}, "SGD: lr must be finite and at least 0: got -1");
  sgd({.lr = nan}, "SGD: lr must be finite and at least 0: got nan");
  sgd({.lr = inf}, "SGD: lr must be finite and at least 0: got inf");
  sgd({.lr = tensor(-2)}, "SGD: lr must be finite and at least 0: got -2");
  sgd({.lr = 1, .momentum = -0.5}, "SGD: momentum must be finite and at least 0: got -0.5");
  sgd({.lr = 1, .dampening = nan}, "SGD: dampening must be finite: got nan");
  sgd({.lr = 1, .weight_decay = -0.1}, "SGD: weight_decay must be finite and at least 0: got -0.1");
  sgd({.lr = 1, .nesterov = true},
      "SGD: nesterov needs momentum above 0 and no dampening: got momentum 0 and dampening 0");
  sgd({.lr = 1, .momentum = 0.9, .dampening = 0.5, .nesterov = true},
      "SGD: nesterov needs momentum above 0 and no dampening: got momentum 0.9 and dampening 0.5");

  const auto adam = [&](const optim::AdamOptions& options, const char* text) {
    CHECK_THROWS_WITH_AS(optim::Adam(p, options), text, ValueError);
  };
  adam({.lr = -1}, "Adam: lr must be finite and at least 0: got -1");
  adam({.lr = {}}, "Adam: lr is required, and was not given");
  adam({.beta1 = 1}, "Adam: beta1 must be at least 0 and less than 1: got 1");
  adam({.beta1 = -0.1}, "Adam: beta1 must be at least 0 and less than 1: got -0.1");
  adam({.beta2 = nan}, "Adam: beta2 must be at least 0 and less than 1: got nan");
  adam({.eps = -1}, "Adam: eps must be finite and at least 0: got -1");
  adam({.weight_decay = inf}, "Adam: weight_decay must be finite and at least 0: got inf");
  CHECK_THROWS_WITH_AS(optim::AdamW(p, {.beta2 = 1.5}),
                       "AdamW: beta2 must be at least 0 and less than 1: got 1.5", ValueError);

  optim::Adam good(p);
  CHECK_THROWS_WITH_AS(good.set_lr(-3), "Adam: lr must be finite and at least 0: got -3", ValueError);
  CHECK_THROWS_WITH_AS(good.set_lr(nan, 0), "Adam: lr must be finite and at least 0: got nan", ValueError);
  CHECK_THROWS_WITH_AS(good.set_options({.eps = -1}), "Adam: eps must be finite and at least 0: got -1",
                       ValueError);
  CHECK(good.lr() == 1e-3);
  CHECK(good.options().eps.value() == 1e-8);
}

}}  // namespace xtgrad
