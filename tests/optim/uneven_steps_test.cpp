// Parameters of a group that have taken different numbers of steps: each is stepped as if it were alone.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "xtgrad/xtgrad.h"

namespace xtgrad::inline v1::testing { namespace {

/// The elements of two parameters after some steps, in one group or each by an optimizer of its own. The
/// second one has a gradient in every second step only.
template <class Optimizer, class Options>
std::vector<double> stepped(const Options& options, Dtype dtype, bool together) {
  nn::Parameter a(tensor({1.0, -2.0, 3.0}).to(dtype));
  nn::Parameter b(tensor({0.5, 4.0}).to(dtype));
  std::vector<nn::ParameterRef> first{a.cell()};
  std::vector<nn::ParameterRef> second{b.cell()};
  if (together) first.push_back(b.cell());
  Optimizer optimizer(first, options);
  Optimizer other(second, options);
  for (int i = 0; i < 7; ++i) {
    a.cell()->zero_grad();
    b.cell()->zero_grad();
    Tensor loss = sum(square(a.cell()->tensor()));
    if (i % 2 == 1) loss = loss + sum(exp(b.cell()->tensor()));
    loss.backward();
    optimizer.step();
    if (!together) other.step();
  }
  std::vector<double> elements;
  for (const nn::ParameterRef& parameter : {a.cell(), b.cell()}) {
    const Tensor value = parameter->tensor().to(float64);
    elements.insert(elements.end(), value.data<double>().begin(), value.data<double>().end());
  }
  return elements;
}

template <class Optimizer, class Options>
void check(const Options& options) {
  for (const Dtype dtype : {float32, float64}) {
    const std::vector<double> alone = stepped<Optimizer>(options, dtype, false);
    CHECK(alone == stepped<Optimizer>(options, dtype, true));
    CHECK(alone != std::vector<double>{1.0, -2.0, 3.0, 0.5, 4.0});
  }
}

TEST_CASE(
    "parameters of one group that have taken different numbers of steps are stepped as each by itself") {
  check<optim::SGD>(optim::SGDOptions{.lr = 0.1, .momentum = 0.9});
  check<optim::Adam>(optim::AdamOptions{.lr = 0.1});
  check<optim::AdamW>(optim::AdamWOptions{.lr = 0.1});
  check<optim::NAdam>(optim::NAdamOptions{.lr = 0.1});
  check<optim::RAdam>(optim::RAdamOptions{.lr = 0.1});
  check<optim::Adamax>(optim::AdamaxOptions{.lr = 0.1});
  check<optim::Adagrad>(optim::AdagradOptions{.lr = 0.1, .lr_decay = 0.1});
  check<optim::ASGD>(optim::ASGDOptions{.lr = 0.1, .t0 = 2});
}

}}  // namespace xtgrad::v1::testing
