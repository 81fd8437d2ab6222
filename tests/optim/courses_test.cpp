// Sixty steps of each optimizer, of two groups, with a learning rate that changes and a state that is saved
// and loaded in the middle, against long double.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/optim/reference.h"
#include "tests/optim/references.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"
#include "xtgrad/autograd/step_list.h"
#include "xtgrad/nn/state_dict.h"
#include "xtgrad/optim/optim.h"

namespace xtgrad { namespace {

using testing::changing_lr;
using testing::Real;

constexpr int steps = 60;
constexpr std::int64_t count = 37;  // whole lanes and a rest, in both dtypes

/// The gradients of one step, which both dtypes hold exactly; some are 0, some large.
testing::Values gradients_at(int t, Random& random) {
  return testing::fill(Shape{count}, [&](const testing::Index& i) {
    const auto number = static_cast<Real>(static_cast<float>(random.next_normal()));
    if (i[0] % 9 == t % 9) return Real(0);
    return i[0] % 5 == 0 ? 64 * number : number;
  });
}

/// Largest error of a parameter's element, relative to the largest value that it had on its way.
template <class Options, class Reference>
double largest_error(const std::array<Options, 2>& options, const std::array<Reference, 2>& reference,
                     Dtype dtype) {
  using Optimizer = optim::OptimizerOf<Options>;
  Random random(7);
  const testing::Values start = gradients_at(-1, random);
  std::array<std::vector<Real>, 2> want{start.data, start.data};
  std::array<std::vector<Real>, 2> scale = want;
  std::array<std::vector<Reference>, 2> references;
  for (std::size_t k = 0; k < 2; ++k) references[k].assign(count, reference[k]);
  std::vector<nn::Parameter> parameters{nn::Parameter(testing::to_tensor(start, dtype)),
                                        nn::Parameter(testing::to_tensor(start, dtype))};
  const auto make = [&] {
    Optimizer optimizer({parameters[0].cell()}, options[0]);
    optimizer.add_group({parameters[1].cell()}, options[1]);
    return optimizer;
  };
  Optimizer optimizer = make();
  double worst = 0;
  for (int t = 0; t < steps; ++t) {
    if (t == steps / 2) {
      const nn::StateDict saved = optimizer.state_dict();
      optimizer = make();
      optimizer.load_state_dict(saved);
    }
    optimizer.set_lr(changing_lr(t));
    const testing::Values g = gradients_at(t, random);
    for (const nn::Parameter& parameter : parameters) {
      parameter.cell()->set_grad(testing::to_tensor(g, dtype));
    }
    optimizer.step();
    for (std::size_t k = 0; k < 2; ++k) {
      const testing::Values got = testing::to_values(parameters[k].tensor());
      for (std::size_t i = 0; i < count; ++i) {
        want[k][i] = references[k][i].step(want[k][i], g.data[i], changing_lr(t));
        scale[k][i] = std::max(scale[k][i], std::abs(want[k][i]));
        worst = std::max(worst, static_cast<double>(std::abs(got.data[i] - want[k][i]) / scale[k][i]));
      }
    }
  }
  return worst;
}

/// A reference that keeps its number's state itself.
template <class Formula>
struct WithState {
  Formula formula;
  testing::ReferenceState state = {};

  Real step(Real p, Real g, Real lr) { return formula.step(p, g, lr, state); }
};

template <class Options, class Reference>
void check(const std::array<Options, 2>& options, const std::array<Reference, 2>& reference) {
  const double worst = largest_error(options, reference, float64);
  MESSAGE("float64: " << worst);
  CHECK(worst <= 1e-12);
  CHECK(worst > 0);  // something was compared
  const double worst32 = largest_error(options, reference, float32);
  MESSAGE("float32: " << worst32);
  CHECK(worst32 <= 1e-5);
}

TEST_CASE("SGD: sixty steps, both forms of momentum, with dampening and with Nesterov's step") {
  using Reference = WithState<testing::ReferenceSGD>;
  const auto pair = [](const std::array<optim::SGDOptions, 2>& options,
                       const std::array<testing::ReferenceSGD, 2>& reference) {
    check<optim::SGDOptions, Reference>(options, {{{reference[0]}, {reference[1]}}});
  };
  pair({{{.lr = 1}, {.lr = 1, .weight_decay = 0.02, .maximize = true}}},
       {{{}, {.weight_decay = 0.02L, .maximize = true}}});
  for (const bool inside : {false, true}) {
    pair({{{.lr = 1, .momentum = 0.9, .lr_in_velocity = inside},
           {.lr = 1, .momentum = 0.8, .dampening = 0.3, .weight_decay = 0.02, .lr_in_velocity = inside}}},
         {{{.momentum = 0.9L, .lr_in_velocity = inside},
           {.momentum = 0.8L, .dampening = 0.3L, .weight_decay = 0.02L, .lr_in_velocity = inside}}});
    pair({{{.lr = 1, .momentum = 0.9, .nesterov = true, .lr_in_velocity = inside},
           {.lr = 1, .momentum = 0.5, .weight_decay = 0.02, .nesterov = true, .lr_in_velocity = inside}}},
         {{{.momentum = 0.9L, .nesterov = true, .lr_in_velocity = inside},
           {.momentum = 0.5L, .weight_decay = 0.02L, .nesterov = true, .lr_in_velocity = inside}}});
  }
}

TEST_CASE("Adam and AMSGrad: sixty steps") {
  using Reference = WithState<testing::ReferenceAdam>;
  for (const bool amsgrad : {false, true}) {
    check<optim::AdamOptions, Reference>(
        {{{.amsgrad = amsgrad},
          {.beta1 = 0.5, .beta2 = 0.75, .eps = 0.1, .weight_decay = 0.02, .amsgrad = amsgrad}}},
        {{{{.beta1 = 0.9L, .beta2 = 0.999L, .eps = 1e-8L, .amsgrad = amsgrad}},
          {{.beta1 = 0.5, .beta2 = 0.75, .eps = 0.1L, .weight_decay = 0.02L, .amsgrad = amsgrad}}}});
  }
}

TEST_CASE("AdamW, also with AMSGrad's maximum: sixty steps") {
  using Reference = WithState<testing::ReferenceAdam>;
  for (const bool amsgrad : {false, true}) {
    check<optim::AdamWOptions, Reference>(
        {{{.amsgrad = amsgrad},
          {.beta1 = 0.5, .beta2 = 0.75, .eps = 0.1, .weight_decay = 0.3, .amsgrad = amsgrad}}},
        {{{{.beta1 = 0.9L,
            .beta2 = 0.999L,
            .eps = 1e-8L,
            .weight_decay = 0.01L,
            .decoupled = true,
            .amsgrad = amsgrad}},
          {{.beta1 = 0.5,
            .beta2 = 0.75,
            .eps = 0.1L,
            .weight_decay = 0.3L,
            .decoupled = true,
            .amsgrad = amsgrad}}}});
  }
}

TEST_CASE("Adagrad: sixty steps") {
  check<optim::AdagradOptions, testing::AdagradReference>(
      {{{},
        {.lr_decay = 0.1, .weight_decay = 0.02, .initial_accumulator = 0.5, .eps = 1e-3, .maximize = true}}},
      {{{}, {.lr_decay = 0.1, .weight_decay = 0.02, .start = 0.5, .eps = 1e-3, .maximize = true}}});
}

TEST_CASE("RMSProp: sixty steps") {
  using Options = optim::RMSPropOptions;
  using Reference = testing::RMSPropReference;
  check<Options, Reference>(
      {{{}, {.alpha = 0.9, .weight_decay = 0.02, .eps_inside_root = true, .maximize = true}}},
      {{{}, {.alpha = 0.9, .weight_decay = 0.02, .eps_inside = true, .maximize = true}}});
  check<Options, Reference>({{{.momentum = 0.9}, {.eps = 0.1, .centered = true}}},
                            {{{.momentum = 0.9}, {.eps = 0.1, .centered = true}}});
  check<Options, Reference>({{{.eps = 0.1, .momentum = 0.5, .centered = true},
                              {.eps = 0.1, .momentum = 0.5, .centered = true, .eps_inside_root = true}}},
                            {{{.eps = 0.1, .momentum = 0.5, .centered = true},
                              {.eps = 0.1, .momentum = 0.5, .centered = true, .eps_inside = true}}});
}

TEST_CASE("Adadelta: sixty steps") {
  check<optim::AdadeltaOptions, testing::AdadeltaReference>(
      {{{}, {.rho = 0.7, .eps = 1e-3, .weight_decay = 0.02, .maximize = true}}},
      {{{}, {.rho = 0.7, .eps = 1e-3, .weight_decay = 0.02, .maximize = true}}});
}

TEST_CASE("Adamax: sixty steps") {
  check<optim::AdamaxOptions, testing::AdamaxReference>(
      {{{}, {.beta1 = 0.5, .beta2 = 0.75, .eps = 0.1, .weight_decay = 0.02, .maximize = true}}},
      {{{}, {.beta1 = 0.5, .beta2 = 0.75, .eps = 0.1, .weight_decay = 0.02, .maximize = true}}});
}

TEST_CASE("NAdam: sixty steps") {
  using Options = optim::NAdamOptions;
  check<Options, testing::NAdamReference>(
      {{{},
        {.beta1 = 0.5,
         .beta2 = 0.75,
         .eps = 0.1,
         .weight_decay = 0.02,
         .momentum_decay = 0.1,
         .maximize = true}}},
      {{{}, {.beta1 = 0.5, .beta2 = 0.75, .eps = 0.1, .weight_decay = 0.02, .psi = 0.1, .maximize = true}}});
  check<Options, testing::NAdamReference>(
      {{{.weight_decay = 0.02, .decoupled_decay = true}, {.momentum_decay = 0}}},
      {{{.weight_decay = 0.02, .decoupled = true}, {.psi = 0}}});
}

TEST_CASE("RAdam: sixty steps") {
  using Options = optim::RAdamOptions;
  check<Options, testing::RAdamReference>(
      {{{}, {.beta1 = 0.5, .beta2 = 0.9, .eps = 0.1, .weight_decay = 0.02, .maximize = true}}},
      {{{}, {.beta1 = 0.5, .beta2 = 0.9, .eps = 0.1, .weight_decay = 0.02, .maximize = true}}});
  // With beta2 = 0.5 the step never adapts.
  check<Options, testing::RAdamReference>({{{.weight_decay = 0.02, .decoupled_decay = true}, {.beta2 = 0.5}}},
                                          {{{.weight_decay = 0.02, .decoupled = true}, {.beta2 = 0.5}}});
}

TEST_CASE("Rprop: sixty steps") {
  check<optim::RpropOptions, testing::RpropReference>(
      {{{}, {.eta_minus = 0.3, .eta_plus = 1.5, .min_step = 1e-3, .max_step = 0.1, .maximize = true}}},
      {{{}, {.eta_minus = 0.3, .eta_plus = 1.5, .min_step = 1e-3, .max_step = 0.1, .maximize = true}}});
}

TEST_CASE("ASGD: sixty steps, and the average") {
  const std::array<optim::ASGDOptions, 2> options{
      {{}, {.decay = 0.1, .alpha = 0.5, .t0 = 10, .weight_decay = 0.02, .maximize = true}}};
  const std::array<testing::ASGDReference, 2> reference{
      {{}, {.decay = 0.1L, .alpha = 0.5, .t0 = 10, .weight_decay = 0.02L, .maximize = true}}};
  check<optim::ASGDOptions, testing::ASGDReference>(options, reference);
  const nn::Parameter w(tensor({1.0, -2.0}, {.dtype = float64}));
  optim::ASGD asgd({w.cell()}, options[1]);
  std::array<testing::ASGDReference, 2> references{reference[1], reference[1]};
  std::array<Real, 2> want{1, -2};
  for (int t = 0; t < 40; ++t) {
    w.cell()->set_grad(w.tensor().detach() * 3);
    asgd.step();
    for (std::size_t i = 0; i < 2; ++i) want[i] = references[i].step(want[i], 3 * want[i], 1e-2L);
  }
  const Tensor average = asgd.averages().at(0);
  CHECK(testing::same_bits(average, asgd.state_dict().at("#0.average")));
  for (std::int64_t i = 0; i < 2; ++i) {
    CHECK(
        average.at({i}) ==
        doctest::Approx(static_cast<double>(references[static_cast<std::size_t>(i)].average)).epsilon(1e-13));
  }
  CHECK(asgd.state_dict().at("#0.eta").shape() == Shape{});
}

TEST_CASE("ASGD: before t0 the average is the value, bit by bit") {
  for (const Dtype dtype : {float32, float64}) {
    Random random(5);
    const nn::Parameter w(randn({37}, random, {.dtype = dtype}));
    optim::ASGD asgd({w.cell()}, {.lr = 0.3, .t0 = 20});
    for (int t = 0; t < 20; ++t) {
      w.cell()->set_grad(randn({37}, random, {.dtype = dtype}));
      asgd.step();
      REQUIRE(testing::same_bits(asgd.state_dict().at("#0.average"), w.tensor()));
    }
  }
}

TEST_CASE("ASGD: averages are in the order of the parameters, of all groups, and stay what they were") {
  for (const Dtype dtype : {float32, float64}) {
    const nn::Parameter a(tensor({1.0, 2.0}, {.dtype = dtype})), b(tensor({3.0}, {.dtype = dtype})),
        still(tensor({4.0}, {.dtype = dtype}));
    optim::ASGD asgd({a.cell(), still.cell()}, {.lr = 0.5, .decay = 0, .t0 = 0});
    asgd.add_group({b.cell()}, {.lr = 0.25, .decay = 0, .t0 = 1});
    CHECK(testing::same_bits(asgd.averages().at(2), b.tensor().detach()));  // before the first step
    for (int t = 0; t < 3; ++t) {
      a.cell()->set_grad(ones({2}, {.dtype = dtype}));
      b.cell()->set_grad(ones({1}, {.dtype = dtype}));
      asgd.step();
    }
    // a went by 0.5 and b by 0.25 a step. mu is 1 / max(1, t - 1 - t0): a's are 1, 1, 1/2, b's 1, 1, 1.
    const std::vector<Tensor> averages = asgd.averages();
    REQUIRE(averages.size() == asgd.parameters().size());
    CHECK(testing::values(averages[0]) == std::vector<double>{-0.25, 0.75});
    CHECK(testing::values(averages[1]) == std::vector<double>{4});  // it has no gradient
    CHECK(testing::values(averages[2]) == std::vector<double>{2.25});
    CHECK(averages[0].dtype() == dtype);
    CHECK_FALSE(averages[1].requires_grad());
    a.cell()->set_grad(ones({2}, {.dtype = dtype}));
    asgd.step();
    CHECK(testing::values(averages[0]) == std::vector<double>{-0.25, 0.75});
    const nn::WithParameters scope(asgd.parameters(), asgd.averages());
    CHECK(testing::same_bits(a.tensor(), asgd.averages()[0]));
  }
}

TEST_CASE("RAdam: while it does not adapt, it takes no root of the squares") {
  const nn::Parameter w(ones({2}));
  optim::RAdam radam({w.cell()});
  w.cell()->set_grad(full({2}, 1e20));
  radam.step();
  CHECK(testing::values(w.tensor()) == std::vector<double>{-1e17F, -1e17F});
}

TEST_CASE("Lion: sixty steps") {
  check<optim::LionOptions, testing::LionReference>(
      {{{}, {.beta1 = 0.5, .beta2 = 0.75, .weight_decay = 0.02, .maximize = true}}},
      {{{}, {.beta1 = 0.5, .beta2 = 0.75, .weight_decay = 0.02, .maximize = true}}});
}

TEST_CASE("what coefficients depend on is in their primitive's description") {
  const auto steps_of = [](const optim::ASGDOptions& options) {
    const nn::Parameter w(ones({2}));
    optim::ASGD asgd({w.cell()}, options);
    w.cell()->set_grad(ones({2}));
    const StepList list;
    asgd.step();
    return list.text();
  };
  CHECK(steps_of({.t0 = 7}).find("t0=7") != std::string::npos);
  CHECK(steps_of({.t0 = 7}) != steps_of({.t0 = 8}));
}

TEST_CASE("defaults of the others are those of the literature") {
  const optim::AdagradOptions adagrad;
  CHECK(adagrad.lr.value() == 1e-2);
  CHECK(adagrad.eps.value() == 1e-10);
  const optim::RMSPropOptions rmsprop;
  CHECK(rmsprop.lr.value() == 1e-2);
  CHECK(rmsprop.alpha.value() == 0.99);
  CHECK(rmsprop.eps.value() == 1e-8);
  const optim::AdadeltaOptions adadelta;
  CHECK(adadelta.lr.value() == 1);
  CHECK(adadelta.rho.value() == 0.9);
  CHECK(adadelta.eps.value() == 1e-6);
  CHECK(optim::AdamaxOptions().lr.value() == 2e-3);
  CHECK(optim::NAdamOptions().lr.value() == 2e-3);
  CHECK(optim::NAdamOptions().momentum_decay.value() == 4e-3);
  CHECK(optim::RAdamOptions().lr.value() == 1e-3);
  const optim::RpropOptions rprop;
  CHECK(rprop.lr.value() == 1e-2);
  CHECK(rprop.min_step == 1e-6);
  CHECK(rprop.max_step == 50);
  const optim::ASGDOptions asgd;
  CHECK(asgd.lr.value() == 1e-2);
  CHECK(asgd.decay.value() == 1e-4);
  CHECK(asgd.alpha.value() == 0.75);
  CHECK(asgd.t0 == 1e6);
  const optim::LionOptions lion;
  CHECK(lion.lr.value() == 1e-4);
  CHECK(lion.beta1.value() == 0.9);
  CHECK(lion.beta2.value() == 0.99);
}

}}  // namespace xtgrad
