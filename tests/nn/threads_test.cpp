// One model used by several threads at once.

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/nn/models.h"
#include "tests/nn/support.h"
#include "xtgrad/autograd/grad.h"

using namespace xtgrad;
using nn_test::elements;

TEST_CASE("threads may list a model at once, and all see its names") {
  for (int round = 0; round < 50; ++round) {
    nn::MLP model({.sizes = {4, 3, 2}});
    std::vector<std::thread> threads;
    std::atomic<int> named{0};
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (const nn::NamedParameter& parameter : model.named_parameters())
          named += parameter.name.empty() ? 0 : 1;
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(named == 4 * 4);
    CHECK(model.parameters()[0]->name() == "layers.0.weight");
  }
}

TEST_CASE("threads that train one model at once add their gradients up") {
  manual_seed(6);
  nn::MLP model{{.sizes = {3, 4, 2}, .activation = nn::ActivationKind::tanh}};
  model.to(float64);
  nn::MLP alone = model;
  const Tensor x = randn({5, 3}, default_random(), {.dtype = float64});
  // Neither model has been listed yet, so the threads' first forwards also race to list it.
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { sum(square(model(x))).backward(); });
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < 4; ++i) sum(square(alone(x))).backward();
  const auto together = model.named_parameters();
  const auto one_by_one = alone.named_parameters();
  REQUIRE(together.size() == 4);
  for (std::size_t i = 0; i < together.size(); ++i) {
    CHECK(together[i].parameter->name() == together[i].name);
    CHECK(elements(together[i].parameter->grad()) == elements(one_by_one[i].parameter->grad()));
  }
}

TEST_CASE("each thread has its own stack of calls and its own hooks") {
  nn::Linear model{2, 2};
  int seen = 0;
  const nn::OnForward look([&](nn::Module&, const Tensor&, const Tensor&) { ++seen; });
  std::thread([&] { static_cast<void>(model(ones({1, 2}))); }).join();
  CHECK(seen == 0);
  static_cast<void>(model(ones({1, 2})));
  CHECK(seen == 1);
}

TEST_CASE(
    "models that threads make at once begin with other weights, and again with the same after "
    "seed_this_thread") {
  manual_seed(0);
  const auto weights_of = [](bool seeds) {
    std::vector<std::vector<double>> weights(4);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < weights.size(); ++t) {
      threads.emplace_back([&weights, t, seeds] {
        if (seeds) seed_this_thread(static_cast<std::int64_t>(t));
        weights[t] = elements(nn::Linear(3, 2).weight.tensor());
      });
    }
    for (std::thread& thread : threads) thread.join();
    return weights;
  };
  const std::vector<std::vector<double>> given = weights_of(false);
  const std::vector<std::vector<double>> seeded = weights_of(true);
  for (std::size_t i = 0; i < given.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      CHECK(given[i] != given[j]);
      CHECK(seeded[i] != seeded[j]);
    }
  }
  CHECK(weights_of(true) == seeded);
}
