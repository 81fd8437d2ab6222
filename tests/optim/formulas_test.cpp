// Fifty steps of every combination of options against long double.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/optim/reference.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/nn/state_dict.h"
#include "xtgrad/optim/optim.h"

namespace xtgrad { namespace {

using testing::changing_lr;
using testing::Real;
using testing::ReferenceAdam;
using testing::ReferenceSGD;
using testing::ReferenceState;

constexpr int steps = 50;
constexpr std::size_t count = 37;  // whole lanes and a rest, in both dtypes

struct Course {
  testing::Values start;
  std::vector<testing::Values> gradients;
};

/// Start and gradients that both dtypes hold exactly; some gradients are 0, some large.
Course make_course() {
  Random random(7);
  const auto number = [&] { return static_cast<Real>(static_cast<float>(random.next_normal())); };
  const Shape shape{static_cast<std::int64_t>(count)};
  Course course{testing::fill(shape, [&](const auto&) { return number(); }), {}};
  for (int t = 0; t < steps; ++t) {
    course.gradients.push_back(testing::fill(shape, [&](const testing::Index& i) {
      if (i[0] % 9 == t % 9) return Real(0);
      return i[0] % 5 == 0 ? 64 * number() : number();
    }));
  }
  return course;
}

/// Largest error, relative to the largest value that the element had on its way.
struct Errors {
  double parameter = 0;
  double moments = 0;
};

template <class Reference>
Errors run(optim::Optimizer& optimizer, const nn::ParameterRef& parameter, const Course& course,
           const Reference& reference, const std::vector<std::string>& moments) {
  const Dtype dtype = parameter->dtype();
  std::vector<Real> want = course.start.data;
  std::vector<Real> scale = want;
  std::vector<ReferenceState> states(count);
  std::vector<ReferenceState> largest(count);
  Errors errors;
  const auto note = [](double& worst, Real got, Real expected, Real size) {
    worst = std::max(worst, static_cast<double>(std::abs(got - expected) / std::max(size, Real(1e-30))));
  };
  for (int t = 0; t < steps; ++t) {
    optimizer.set_lr(changing_lr(t));
    parameter->set_grad(testing::to_tensor(course.gradients[static_cast<std::size_t>(t)], dtype));
    optimizer.step();
    const testing::Values got = testing::to_values(parameter->tensor());
    const nn::StateDict state = optimizer.state_dict();
    for (std::size_t i = 0; i < count; ++i) {
      ReferenceState& s = states[i];
      want[i] =
          reference.step(want[i], course.gradients[static_cast<std::size_t>(t)].data[i], changing_lr(t), s);
      scale[i] = std::max(std::abs(scale[i]), std::abs(want[i]));
      note(errors.parameter, got.data[i], want[i], scale[i]);
      largest[i].momentum = std::max(largest[i].momentum, std::abs(s.momentum));
      largest[i].m = std::max(largest[i].m, std::abs(s.m));
      largest[i].v = std::max(largest[i].v, s.v);
    }
    for (const std::string& name : moments) {
      const testing::Values moment = testing::to_values(state.at("#0." + name));
      for (std::size_t i = 0; i < count; ++i) {
        const ReferenceState& s = states[i];
        if (name == "momentum") note(errors.moments, moment.data[i], s.momentum, largest[i].momentum);
        if (name == "m") note(errors.moments, moment.data[i], s.m, largest[i].m);
        if (name == "v") note(errors.moments, moment.data[i], s.v, largest[i].v);
        if (name == "v_max") note(errors.moments, moment.data[i], s.v_max, largest[i].v);
      }
    }
    CHECK(state.at("#0.step").item_int64() == t + 1);
  }
  return errors;
}

/// Rounding makes about 6e-15 in float64, and 9e-7 in float32, which is some seven of its roundings.
double tolerance(Dtype dtype) { return dtype == float64 ? 1e-12 : 2e-6; }

void check_errors(const Errors& errors, Dtype dtype) {
  CHECK(errors.parameter <= tolerance(dtype));
  CHECK(errors.moments <= tolerance(dtype));
  // Something was compared: fifty steps without any rounding error are none.
  CHECK(errors.parameter > 0);
}

std::vector<optim::SGDOptions> sgd_options() {
  std::vector<optim::SGDOptions> all;
  for (const double momentum : {0.0, 0.9}) {
    for (const double dampening : {0.0, 0.3}) {
      for (const double weight_decay : {0.0, 0.01}) {
        for (const bool nesterov : {false, true}) {
          for (const bool lr_in_velocity : {false, true}) {
            for (const bool maximize : {false, true}) {
              if (nesterov && (momentum == 0 || dampening != 0)) continue;
              all.push_back({.lr = 1,
                             .momentum = momentum,
                             .dampening = dampening,
                             .weight_decay = weight_decay,
                             .nesterov = nesterov,
                             .lr_in_velocity = lr_in_velocity,
                             .maximize = maximize});
            }
          }
        }
      }
    }
  }
  return all;
}

TEST_CASE("SGD: every combination of options agrees with long double over fifty steps of changing lr") {
  const Course course = make_course();
  const std::vector<optim::SGDOptions> table = sgd_options();
  CHECK(table.size() == 40);
  for (const Dtype dtype : {float32, float64}) {
    for (const optim::SGDOptions& o : table) {
      CAPTURE(to_string(dtype));
      CAPTURE(o.momentum.value());
      CAPTURE(o.dampening.value());
      CAPTURE(o.weight_decay.value());
      CAPTURE(o.nesterov);
      CAPTURE(o.lr_in_velocity);
      CAPTURE(o.maximize);
      const ReferenceSGD reference{static_cast<Real>(o.momentum.value()),
                                   static_cast<Real>(o.dampening.value()),
                                   static_cast<Real>(o.weight_decay.value()),
                                   o.nesterov,
                                   o.lr_in_velocity,
                                   o.maximize};
      const nn::Parameter parameter(testing::to_tensor(course.start, dtype));
      optim::SGD sgd({parameter.cell()}, o);
      std::vector<std::string> moments;
      if (o.momentum.value() != 0) moments.push_back("momentum");
      check_errors(run(sgd, parameter.cell(), course, reference, moments), dtype);
    }
  }
}

template <class Optimizer, class Options>
void check_adam(const Course& course, const Options& o, bool decoupled) {
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    CAPTURE(o.beta1.value());
    CAPTURE(o.beta2.value());
    CAPTURE(o.eps.value());
    CAPTURE(o.weight_decay.value());
    CAPTURE(o.amsgrad);
    CAPTURE(o.maximize);
    const ReferenceAdam reference{static_cast<Real>(o.beta1.value()),
                                  static_cast<Real>(o.beta2.value()),
                                  static_cast<Real>(o.eps.value()),
                                  static_cast<Real>(o.weight_decay.value()),
                                  decoupled,
                                  o.amsgrad,
                                  o.maximize};
    const nn::Parameter parameter(testing::to_tensor(course.start, dtype));
    Optimizer adam({parameter.cell()}, o);
    std::vector<std::string> moments{"m", "v"};
    if (o.amsgrad) moments.push_back("v_max");
    check_errors(run(adam, parameter.cell(), course, reference, moments), dtype);
  }
}

/// Calls `f` with every combination.
template <class Options, class F>
int for_each_adam(std::initializer_list<double> decays, const F& f) {
  int n = 0;
  for (const auto& [beta1, beta2] : {std::pair{0.9, 0.999}, std::pair{0.5, 0.75}, std::pair{0.0, 0.0}}) {
    for (const double eps : {1e-8, 0.5}) {
      for (const double decay : decays) {
        for (const bool amsgrad : {false, true}) {
          for (const bool maximize : {false, true}) {
            f(Options{.lr = 1,
                      .beta1 = beta1,
                      .beta2 = beta2,
                      .eps = eps,
                      .weight_decay = decay,
                      .amsgrad = amsgrad,
                      .maximize = maximize});
            ++n;
          }
        }
      }
    }
  }
  return n;
}

TEST_CASE("Adam: every combination of options agrees with long double over fifty steps of changing lr") {
  const Course course = make_course();
  const auto check = [&](const optim::AdamOptions& o) { check_adam<optim::Adam>(course, o, false); };
  CHECK(for_each_adam<optim::AdamOptions>({0.0, 0.02}, check) == 48);
}

TEST_CASE("AdamW: every combination of options agrees with long double over fifty steps of changing lr") {
  const Course course = make_course();
  const auto check = [&](const optim::AdamWOptions& o) { check_adam<optim::AdamW>(course, o, true); };
  CHECK(for_each_adam<optim::AdamWOptions>({0.0, 0.01, 0.3}, check) == 72);
}

TEST_CASE("defaults are those of the literature") {
  const optim::SGDOptions sgd{.lr = 1};
  CHECK(sgd.momentum.value() == 0);
  CHECK(sgd.dampening.value() == 0);
  CHECK(sgd.weight_decay.value() == 0);
  const optim::AdamOptions adam;
  CHECK(adam.lr.value() == 1e-3);
  CHECK(adam.beta1.value() == 0.9);
  CHECK(adam.beta2.value() == 0.999);
  CHECK(adam.eps.value() == 1e-8);
  CHECK(adam.weight_decay.value() == 0);
  const optim::AdamWOptions adamw;
  CHECK(adamw.lr.value() == 1e-3);
  CHECK(adamw.beta1.value() == 0.9);
  CHECK(adamw.beta2.value() == 0.999);
  CHECK(adamw.eps.value() == 1e-8);
  CHECK(adamw.weight_decay.value() == 1e-2);
}

TEST_CASE("SGD: the two kinds of momentum agree while lr is constant, and differ when it changes") {
  const auto train = [](bool lr_in_velocity, bool changing) {
    const nn::Parameter w(tensor({1, -2}, {.dtype = float64}));
    optim::SGD sgd({w.cell()}, {.lr = 0.1, .momentum = 0.9, .lr_in_velocity = lr_in_velocity});
    for (int t = 0; t < 10; ++t) {
      if (changing) sgd.set_lr(changing_lr(t));
      w.cell()->set_grad(w.cell()->tensor().detach());
      sgd.step();
    }
    return w.tensor().at({0});
  };
  CHECK(train(false, false) == doctest::Approx(train(true, false)).epsilon(1e-13));
  CHECK(std::abs(train(false, true) - train(true, true)) > 1e-3);
}

}}  // namespace xtgrad
