#include "xtgrad/optim/plateau.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/nn/state_dict.h"
#include "xtgrad/optim/sgd.h"

namespace xtgrad { namespace {

using testing::message_of;

struct Run {
  nn::Parameter w{ones({1})};
  optim::SGD sgd{{w.cell()}, {.lr = 1}};
};

/// The rate after each measurement.
std::vector<double> rates(optim::ReduceOnPlateau& plateau, optim::SGD& sgd,
                          const std::vector<double>& metrics) {
  std::vector<double> result;
  for (const double metric : metrics) {
    const double before = sgd.lr();
    const bool reduced = plateau.update(sgd, metric);
    CHECK(reduced == (sgd.lr() != before));
    result.push_back(sgd.lr());
  }
  return result;
}

TEST_CASE("ReduceOnPlateau: reduces when more than `patience` measurements are bad") {
  Run run;
  optim::ReduceOnPlateau plateau({.factor = 0.5, .patience = 2});
  CHECK(rates(plateau, run.sgd, {3, 2, 2, 2, 2, 2, 2, 2, 1}) ==
        std::vector<double>{1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25});
  CHECK(plateau.best() == 1);
  CHECK(plateau.bad() == 0);
}

TEST_CASE("ReduceOnPlateau: thresholds, maxima, and what is no improvement") {
  Run run;
  optim::ReduceOnPlateau relative({.patience = 0, .threshold = 0.1});
  static_cast<void>(rates(relative, run.sgd, {10, 9.5}));
  CHECK(relative.best() == 10);
  static_cast<void>(rates(relative, run.sgd, {8.9}));
  CHECK(relative.best() == 8.9);
  optim::ReduceOnPlateau absolute({.threshold = 1, .relative = false, .maximize = true});
  static_cast<void>(rates(absolute, run.sgd, {-5, -4.5, -3.5, std::numeric_limits<double>::quiet_NaN()}));
  CHECK(absolute.best() == -3.5);
  CHECK(absolute.bad() == 1);
  // Of a negative loss an improvement is further down.
  optim::ReduceOnPlateau negative({.threshold = 0.1});
  static_cast<void>(rates(negative, run.sgd, {-10, -10.5}));
  CHECK(negative.best() == -10);
  static_cast<void>(rates(negative, run.sgd, {-11.5}));
  CHECK(negative.best() == -11.5);
}

TEST_CASE("ReduceOnPlateau: cooldown, the least rate, small changes, groups") {
  Run run;
  optim::ReduceOnPlateau cooled({.factor = 0.5, .patience = 0, .cooldown = 2});
  CHECK(rates(cooled, run.sgd, {1, 1, 1, 1, 1}) == std::vector<double>{1, 0.5, 0.5, 0.5, 0.25});
  Run least;
  nn::Parameter v{ones({1})};
  least.sgd.add_group({v.cell()}, {.lr = 0.2});
  optim::ReduceOnPlateau bounded({.factor = 0.1, .patience = 0, .min_lr = 0.15});
  CHECK(bounded.update(least.sgd, 1) == false);
  CHECK(bounded.update(least.sgd, 1) == true);
  CHECK(least.sgd.lr(0) == 0.15);
  CHECK(least.sgd.lr(1) == 0.15);
  CHECK(bounded.update(least.sgd, 1) == false);
  // Halving 1 changes it by 0.5, halving 0.5 by 0.25, which is not above eps.
  Run small;
  optim::ReduceOnPlateau coarse({.factor = 0.5, .patience = 0, .eps = 0.25});
  CHECK(rates(coarse, small.sgd, {1, 1, 1, 1}) == std::vector<double>{1, 0.5, 0.5, 0.5});
}

TEST_CASE("ReduceOnPlateau: goes on from its state") {
  const std::vector<double> metrics{5, 4, 4, 4, 3, 3, 3, 3, 3, 3, 2};
  Run whole;
  optim::ReduceOnPlateau plateau({.patience = 1, .cooldown = 1});
  const std::vector<double> want = rates(plateau, whole.sgd, metrics);
  for (std::size_t cut = 0; cut < metrics.size(); ++cut) {
    Run run;
    optim::ReduceOnPlateau first({.patience = 1, .cooldown = 1});
    std::vector<double> got(
        rates(first, run.sgd, {metrics.begin(), metrics.begin() + static_cast<std::ptrdiff_t>(cut)}));
    optim::ReduceOnPlateau second({.patience = 1, .cooldown = 1});
    second.load_state_dict(first.state_dict());
    for (const double rate :
         rates(second, run.sgd, {metrics.begin() + static_cast<std::ptrdiff_t>(cut), metrics.end()})) {
      got.push_back(rate);
    }
    CHECK(got == want);
  }
}

TEST_CASE("ReduceOnPlateau: options out of range") {
  CHECK(message_of([] { return optim::ReduceOnPlateau({.factor = 1}); }) ==
        "ReduceOnPlateau: factor must be at least 0 and less than 1: got 1");
  CHECK(message_of([] { return optim::ReduceOnPlateau({.patience = -1}); }) ==
        "ReduceOnPlateau: patience must be at least 0: got -1");
}

TEST_CASE("ReduceOnPlateau: a state is of its options, or they are adopted with it") {
  Run run;
  optim::ReduceOnPlateau from({.patience = 1, .threshold = 0.5, .maximize = true});
  static_cast<void>(rates(from, run.sgd, {1, 2, 1}));
  const nn::StateDict state = from.state_dict();
  optim::ReduceOnPlateau to({.patience = 7});
  CHECK(message_of([&] { return to.load_state_dict(state); }) ==
        "load_state_dict: the state does not fit this ReduceOnPlateau, which was left as it is:\n"
        "  other settings: options.patience is 7, the state's is 1; options.threshold is 0.0001, the state's "
        "is "
        "0.5; options.maximize is 0, the state's is 1\n"
        "  pass {.adopt_settings = true} to go on with the state's settings");
  CHECK(to.bad() == 0);
  to.load_state_dict(state, {.adopt_settings = true});
  Run other;
  const std::vector<double> rest{2.5, 3.5, 1, 1, 1};
  CHECK(rates(to, other.sgd, rest) == rates(from, run.sgd, rest));
  CHECK(other.sgd.lr() == 0.1 * 0.1);

  nn::StateDict wrong = state;
  wrong.set("options.factor", full({}, 1.5, {.dtype = float64}));
  CHECK(message_of([&] { return to.load_state_dict(wrong, {.adopt_settings = true}); }) ==
        "ReduceOnPlateau: factor must be at least 0 and less than 1: got 1.5");
  wrong = state;
  wrong.set("options.relative", full({}, 0.5, {.dtype = float64}));
  CHECK(message_of([&] { return to.load_state_dict(wrong, {.adopt_settings = true}); }) ==
        "ReduceOnPlateau: relative must be 0 or 1: got 0.5");
  // No patience ends a wait for ever, and as a double it is a power of two that is not a count.
  constexpr std::int64_t for_ever = std::numeric_limits<std::int64_t>::max();
  to.load_state_dict(optim::ReduceOnPlateau({.patience = for_ever}).state_dict(), {.adopt_settings = true});
  optim::ReduceOnPlateau({.patience = for_ever}).load_state_dict(to.state_dict());
  nn::StateDict old;  // as files of before have it
  for (const char* name : {"best", "bad", "cooldown"}) old.add(name, state.at(name));
  optim::ReduceOnPlateau({.patience = 7}).load_state_dict(old);
}

TEST_CASE("Optimizer: set_rates sets a rate for each group, or none") {
  nn::Parameter v{ones({1})};
  Run run;
  run.sgd.add_group({v.cell()}, {.lr = 2});
  run.sgd.set_rates(std::vector<double>{3, 4});
  CHECK(run.sgd.lr(0) == 3);
  CHECK(run.sgd.lr(1) == 4);
  CHECK(message_of([&] {
          run.sgd.set_rates(std::vector<double>{5, -1});
          return 0;
        }) == "SGD: lr must be finite and at least 0: got -1");
  CHECK(message_of([&] {
          run.sgd.set_rates(std::vector<double>{5});
          return 0;
        }) == "SGD: set_rates: got 1 rate for 2 groups");
  CHECK(run.sgd.lr(0) == 3);
}

}}  // namespace xtgrad
