#include "xtgrad/autograd/checkpoint.h"

#include <doctest/doctest.h>

#include <cstring>
#include <optional>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/core/trace.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/optim/optim.h"

using namespace xtgrad;
using xtgrad::testing::same_bits;

namespace {

struct Block : nn::Module {
  nn::Conv2d conv;
  nn::BatchNorm2d norm;
  nn::Dropout drop{{.p = 0.3}};

  Block(std::int64_t in, std::int64_t out, std::optional<double> momentum)
      : conv({.in_channels = in, .out_channels = out, .kernel = 3, .padding = 1}),
        norm({.num_features = out, .momentum = momentum}) {}
  void members(nn::Members& m) override {
    m("conv", conv);
    m("norm", norm);
    m("drop", drop);
  }
  Tensor forward(const Tensor& x) override { return drop(relu(norm(conv(x)))); }
};

struct Net : nn::Module {
  Block first, second;
  nn::Linear head{4 * 4 * 4, 3};
  bool checkpointed = false;

  explicit Net(std::optional<double> momentum) : first(2, 4, momentum), second(4, 4, momentum) {}
  void members(nn::Members& m) override {
    m("first", first);
    m("second", second);
    m("head", head);
  }
  Tensor forward(const Tensor& x) override {
    if (!checkpointed) return head(flatten(second(first(x)), 1));
    const Tensor h = checkpoint(first, x);
    return head(flatten(checkpoint([&](const Tensor& v) { return checkpoint(second, v); }, h), 1));
  }
};

void check_same_state(Net& a, Net& b) {
  const nn::StateDict of_a = a.state_dict(), of_b = b.state_dict();
  REQUIRE(of_a.size() == of_b.size());
  for (const auto& [name, value] : of_a) {
    const auto& shown_name = name;
    CAPTURE(shown_name);
    CHECK(same_bits(value, of_b.at(name)));
  }
}

void check_training(Dtype dtype, std::optional<double> momentum) {
  manual_seed(3);
  Net plain(momentum);
  plain.to(dtype);
  Net checkpointed = plain;
  checkpointed.checkpointed = true;
  Random random(8);
  const Tensor x = randn({5, 2, 4, 4}, random, {.dtype = dtype});
  const Tensor y = tensor({0, 2, 1, 1, 0}, {.dtype = int64});
  optim::Adam adam(plain.parameters(), {.lr = 1e-2}), other(checkpointed.parameters(), {.lr = 1e-2});
  for (int step = 0; step < 3; ++step) {
    CAPTURE(step);
    adam.zero_grad();
    other.zero_grad();
    const Tensor loss = nn::cross_entropy(plain(x), y);
    const Tensor loss_too = nn::cross_entropy(checkpointed(x), y);
    CHECK(same_bits(loss, loss_too));
    loss.backward();
    loss_too.backward();
    const auto gradients = plain.parameters(), gradients_too = checkpointed.parameters();
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      CAPTURE(i);
      CHECK(same_bits(gradients[i]->grad(), gradients_too[i]->grad()));
    }
    // Streams, counters and running statistics have moved once, and the backward has not moved them.
    check_same_state(plain, checkpointed);
    adam.step();
    other.step();
  }
  check_same_state(plain, checkpointed);
}

}  // namespace

TEST_CASE(
    "checkpoint: training blocks with convolution, batch norm and dropout has the bits of the plain model") {
  check_training(float32, 0.1);
  check_training(float64, 0.1);
  check_training(float32, std::nullopt);
}

TEST_CASE("checkpoint: running statistics that the function moves, and then reads") {
  const auto run = [](bool checkpointed) {
    manual_seed(3);
    nn::BatchNorm1d norm({.num_features = 3});
    Random random(8);
    const Tensor x = randn({6, 3}, random, {.requires_grad = true});
    const auto f = [&](const Tensor& v) {
      norm.train();
      const Tensor h = norm(v);
      norm.eval();
      return tanh(norm(h)) * h;
    };
    const Tensor y = checkpointed ? checkpoint(f, x) : f(x);
    sum(square(y)).backward();
    return std::vector<Tensor>{x.grad(), norm.running_mean, norm.running_var, norm.weight.grad()};
  };
  const std::vector<Tensor> plain = run(false), checkpointed = run(true);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    CAPTURE(i);
    // The weight gets contributions from two calls, both inside.
    CHECK(same_bits(plain[i], checkpointed[i]));
  }
}

TEST_CASE("checkpoint: what f overwrites in place was kept before, and is another value after") {
  const auto run = [](bool checkpointed) {
    nn::Parameter w(tensor({1, 2, 3}));
    optim::SGD sgd({w.cell()}, {.lr = 0.1});
    const Tensor x = tensor({0.5, -1, 2}, {.requires_grad = true});
    w.set_grad(tensor({1, -2, 3}));
    const auto address = [&]() -> const void* {
      const Tensor value = w;
      return value.data<float>().data();
    };
    const auto e_to_w = [&] {
      const NoGrad no_grad;
      return exp(w.tensor());
    };
    const auto step = [&](const Tensor& v) {
      const void* before = address();
      sgd.step();
      // Where a tape watches, as in a checkpoint, a step changes all or nothing by writing nothing over.
      CHECK((address() == before) != checkpointed);
      return v * 0.5;
    };
    const auto f = [&](const Tensor& v) {
      Tensor y = step(v);  // writes over what came from outside
      const Tensor first = e_to_w();
      y = step(y);  // over what a step has made
      const Tensor second = e_to_w();
      y = checkpointed ? checkpoint(step, y) : step(y);  // the same, while this tape rests
      return y * y * first + y * second + y * e_to_w();
    };
    const Tensor y = checkpointed ? checkpoint(f, x) : f(x);
    sgd.step();
    sum(y * y).backward();
    return x.grad();
  };
  CHECK(same_bits(run(false), run(true)));
}

TEST_CASE("checkpoint: a tracer sees the forward and the repetition, and can run both again") {
  manual_seed(3);
  Net net(0.1);
  net.checkpointed = true;
  Random random(8);
  const Tensor x = randn({5, 2, 4, 4}, random);
  detail::Trace trace;
  {
    detail::Tracer tracer;
    sum(square(net(x))).backward();
    trace = tracer.take();
  }
  std::size_t convolutions = 0, draws = 0;
  for (const detail::TracedStep& step : trace.steps) {
    convolutions += step.primitive->name() == "conv2d" ? 1 : 0;
    draws += step.primitive->name() == "bernoulli" ? 1 : 0;
  }
  // The first block's twice, the second's, two deep, three times.
  CHECK(convolutions == 5);
  CHECK(draws == 5);
  const std::vector<detail::BufferRef> again = trace.run_again();
  for (std::size_t i = 0; i < trace.values.size(); ++i) {
    CAPTURE(i);
    CHECK(std::memcmp(again[i].data(), trace.values[i].buffer.data(), trace.values[i].bytes) == 0);
  }
}
