// Lets every single request for memory fail of steps, loads and conversions: each changes everything or
// nothing.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/autograd/failing_memory.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"
#include "xtgrad/nn/batch_norm.h"
#include "xtgrad/nn/dropout.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/optim/optim.h"

using namespace xtgrad;
using namespace xtgrad::testing;

namespace {

struct Net : nn::Module {
  nn::Linear first{3, 4};
  nn::BatchNorm1d norm{{.num_features = 4}};
  nn::Dropout dropout{{.p = 0.5}};
  nn::Linear last{4, 2};
  void members(nn::Members& m) override {
    m("first", first);
    m("norm", norm);
    m("dropout", dropout);
    m("last", last);
  }
  Tensor forward(const Tensor& x) override { return last(dropout(norm(first(x)))); }
};

struct Training {
  explicit Training(int kind) {
    const std::vector<nn::ParameterRef> all = net.parameters();
    if (kind == 0)
      optimizer = std::make_unique<optim::SGD>(all, optim::SGDOptions{.lr = 0.1, .momentum = 0.5});
    if (kind == 1) optimizer = std::make_unique<optim::Adam>(all, optim::AdamOptions{.amsgrad = true});
    if (kind == 2) optimizer = std::make_unique<optim::NAdam>(all);
    if (kind == 3) optimizer = std::make_unique<optim::ASGD>(all);
    if (kind == 4) optimizer = std::make_unique<optim::SGD>(all, optim::SGDOptions{.lr = 0.1});
  }
  void backward() {
    Random random(4);
    optimizer->zero_grad();
    sum(square(net(randn({5, 3}, random)))).backward();
  }

  Net net;
  std::unique_ptr<optim::Optimizer> optimizer;
};

using State = std::vector<nn::StateDict>;

State state_of(const Training& training) {
  return {training.net.state_dict(), training.optimizer->state_dict()};
}

bool same(const State& a, const State& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].size() != b[i].size()) return false;
    for (const NamedTensor& entry : a[i]) {
      const Tensor* other = b[i].find(entry.name);
      if (other == nullptr || !same_bits(entry.value, *other)) return false;
    }
  }
  return true;
}

/// Copies, so that nothing of the object is held.
State copy_of(const State& state) {
  State copy(state.size());
  for (std::size_t i = 0; i < state.size(); ++i) {
    for (const NamedTensor& entry : state[i])
      copy[i].add(entry.name, concat({reshape(entry.value, {-1})}, 0));
  }
  return copy;
}

bool same_elements(const State& kept, const State& now) { return same(kept, copy_of(now)); }

/// Each point of failure of `act`, once and ever after; then it comes through.
template <class Make, class Act>
void walk_all_or_nothing(Make make, Act act) {
  static_cast<void>(state_of(*make()));  // what is made once in a program
  for (const bool ever_after : {false, true}) {
    long n = 0;
    for (bool more = true; more; ++n) {
      CAPTURE(n);
      CAPTURE(ever_after);
      const Live before_all;
      {
        auto training = make();
        const State before = copy_of(state_of(*training));
        more = fails_at(n, PoolRequest::block, ever_after, [&] { act(*training); });
        if (more) {
          REQUIRE(same_elements(before, state_of(*training)));
          act(*training);
        }
        REQUIRE(!same_elements(before, state_of(*training)));
      }
      const Live after_all;
      REQUIRE(after_all.blocks == before_all.blocks);
    }
    CHECK(n > 5);
  }
}

}  // namespace

TEST_CASE("an optimizer's step changes all parameters and all of its state, or nothing") {
  for (int kind = 0; kind < 5; ++kind) {
    for (const int steps_before : {0, 1}) {
      CAPTURE(kind);
      CAPTURE(steps_before);
      walk_all_or_nothing(
          [&] {
            manual_seed(3);
            auto training = std::make_unique<Training>(kind);
            for (int i = 0; i < steps_before; ++i) {
              training->backward();
              training->optimizer->step();
            }
            training->backward();
            return training;
          },
          [](Training& training) { training.optimizer->step(); });
    }
  }
}

TEST_CASE("load_state_dict changes everything or nothing") {
  manual_seed(5);
  Training source(1);
  source.backward();
  source.optimizer->step();
  source.optimizer->set_lr(0.5);
  const State saved = state_of(source);
  const auto fresh = [] {
    manual_seed(3);
    return std::make_unique<Training>(1);
  };
  walk_all_or_nothing(fresh, [&](Training& training) { training.net.load_state_dict(saved[0]); });
  walk_all_or_nothing(fresh, [&](Training& training) { training.optimizer->load_state_dict(saved[1]); });
}

TEST_CASE("adopting settings changes everything or nothing") {
  manual_seed(5);
  nn::Parameter weight(tensor({1, 2}));
  optim::Adam source({weight.cell()}, {.beta1 = 0.5, .amsgrad = true});
  source.set_lr(0.25);
  const nn::StateDict saved = source.state_dict();
  for (const bool ever_after : {false, true}) {
    long n = 0;
    for (bool more = true; more; ++n) {
      CAPTURE(n);
      optim::Adam adam({weight.cell()});
      more = fails_at(n, PoolRequest::block, ever_after,
                      [&] { adam.load_state_dict(saved, {.adopt_settings = true}); });
      REQUIRE(adam.options().beta1.value() == (more ? 0.9 : 0.5));
      REQUIRE(adam.options().amsgrad == !more);
      REQUIRE(adam.lr() == (more ? 1e-3 : 0.25));
    }
    CHECK(n > 5);
  }
}

TEST_CASE("Module::to converts all parameters and buffers, or none") {
  for (const bool ever_after : {false, true}) {
    long n = 0;
    for (bool more = true; more; ++n) {
      CAPTURE(n);
      Training training(0);
      training.backward();
      more = fails_at(n, PoolRequest::block, ever_after, [&] { training.net.to(float64); });
      const Dtype expected = more ? float32 : float64;
      for (const nn::ParameterRef& parameter : training.net.parameters()) {
        REQUIRE(parameter->dtype() == expected);
        REQUIRE(parameter->grad().defined() == more);
      }
      for (const nn::NamedBuffer& buffer : training.net.named_buffers()) {
        REQUIRE(buffer.value.dtype() == expected);
      }
      // Whatever happened, it learns.
      training.net.to(float64);
      sum(square(training.net(ones({5, 3}, {.dtype = float64})))).backward();
      training.optimizer->step();
    }
    CHECK(n > 5);
  }
}
