#include "xtgrad/nn/capture.h"

#include <doctest/doctest.h>

#include <memory>
#include <tuple>
#include <vector>

#include "tests/nn/captured.h"
#include "tests/support/thread_count.h"
#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/optim/optim.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad { namespace {

using testing::check_same;
using testing::same_bits;

/// Batches of images and labels, the same for both worlds.
struct Batches {
  std::vector<Tensor> x, y;

  Batches(int count, const Shape& shape, std::int64_t classes, Dtype dtype) {
    Random random(11);
    for (int i = 0; i < count; ++i) {
      x.push_back(randn(shape, random, {.dtype = dtype}));
      std::vector<std::int64_t> labels;
      for (std::int64_t k = 0; k < shape[0]; ++k) labels.push_back(random.next_below(classes));
      y.push_back(from_vector(labels));
    }
  }
};

/// A model with all that a layer can remember: running statistics, a count of batches, a stream.
struct World {
  nn::ConvNet model;
  std::unique_ptr<optim::SGD> sgd;

  explicit World(Dtype dtype)
      : model({.in_channels = 2,
               .image = 8,
               .channels = {3, 4},
               .hidden = {6},
               .classes = 3,
               .batch_norm = true,
               .dropout = 0.3}) {
    model.to(dtype);
    sgd = std::make_unique<optim::SGD>(model.parameters(),
                                       optim::SGDOptions{.lr = 0.1, .momentum = 0.9, .dampening = 0.1});
  }
  Tensor step(const Tensor& x, const Tensor& y) {
    sgd->zero_grad();
    Tensor loss = nn::cross_entropy(model(x), y);
    loss.backward();
    optim::clip_grad_norm(model.parameters(), 0.7);
    sgd->step();
    return loss;
  }
};

TEST_CASE("a captured training step leaves the bits of the step itself, for any number of threads") {
  for (const Dtype dtype : {float32, float64}) {
    for (const int threads : {1, 2}) {
      const testing::ThreadCount scope(threads);
      manual_seed(3);
      World eager(dtype);
      manual_seed(3);
      World replayed(dtype);
      const Batches batches(6, {5, 2, 8, 8}, 3, dtype);
      auto step = capture([&](const Tensor& x, const Tensor& y) { return replayed.step(x, y); },
                          {batches.x[0], batches.y[0]}, {&replayed.model, replayed.sgd.get()});
      check_same(eager.model, replayed.model);  // put back
      for (std::size_t i = 0; i < batches.x.size(); ++i) {
        if (i == 3) {
          eager.sgd->set_lr(0.02);
          replayed.sgd->set_lr(0.02);
        }
        const Tensor want = eager.step(batches.x[i], batches.y[i]);
        CHECK(same_bits(step(batches.x[i], batches.y[i]), want));
        check_same(eager.model, replayed.model);
        check_same(*eager.sgd, *replayed.sgd);
      }
    }
  }
}

template <class Optimizer, class Options>
void check_optimizer(const Options& options) {
  CAPTURE(typeid(Optimizer).name());
  struct Pair {
    nn::MLP model{{.sizes = {3, 4, 2}, .activation = nn::ActivationKind::tanh}};
    Optimizer optimizer;
    explicit Pair(const Options& o) : optimizer(model.parameters(), o) {}
    Tensor step(const Tensor& x) {
      Tensor loss = mean(square(model(x)));
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      return loss;
    }
  };
  manual_seed(4);
  Pair eager(options);
  manual_seed(4);
  Pair replayed(options);
  Random random(5);
  const Tensor x = randn({6, 3}, random);
  auto step = capture([&](const Tensor& input) { return replayed.step(input); }, x,
                      {&replayed.model, &replayed.optimizer});
  for (int i = 0; i < 7; ++i) {
    CHECK(same_bits(step(x), eager.step(x)));
    check_same(eager.model, replayed.model);
    check_same(eager.optimizer, replayed.optimizer);
  }
}

TEST_CASE("every optimizer's step can be captured") {
  check_optimizer<optim::SGD>(optim::SGDOptions{.lr = 0.1});
  check_optimizer<optim::SGD>(
      optim::SGDOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true});
  check_optimizer<optim::Adam>(optim::AdamOptions{.weight_decay = 0.1, .amsgrad = true});
  check_optimizer<optim::AdamW>(optim::AdamWOptions{});
  check_optimizer<optim::NAdam>(optim::NAdamOptions{});
  check_optimizer<optim::RAdam>(optim::RAdamOptions{});
  check_optimizer<optim::Adamax>(optim::AdamaxOptions{});
  check_optimizer<optim::Adagrad>(optim::AdagradOptions{});
  check_optimizer<optim::Adadelta>(optim::AdadeltaOptions{});
  check_optimizer<optim::RMSProp>(optim::RMSPropOptions{.momentum = 0.5, .centered = true});
  check_optimizer<optim::Rprop>(optim::RpropOptions{});
  check_optimizer<optim::ASGD>(optim::ASGDOptions{});
  check_optimizer<optim::Lion>(optim::LionOptions{});
}

TEST_CASE("what is captured may accumulate, average, check-point and differentiate twice") {
  struct Pair {
    nn::MLP model{{.sizes = {3, 4, 2}, .activation = nn::ActivationKind::tanh}};
    optim::WeightAverage average{model.parameters(), {.decay = 0.9}};
    Tensor gradients(const Tensor& x) {
      const Tensor y = checkpoint([&](const Tensor& input) { return model(input); }, x);
      const Tensor loss = mean(square(y));
      const std::vector<Tensor> weights{model.layers[0].weight.tensor()};
      const std::vector<Tensor> first = grad({loss}, weights, {.create_graph = true});
      (loss + sum(square(first[0]))).backward();
      average.update();
      return loss;
    }
  };
  manual_seed(8);
  Pair eager;
  manual_seed(8);
  Pair replayed;
  Random random(5);
  const Tensor x = randn({6, 3}, random);
  static_cast<void>(eager.gradients(x));
  static_cast<void>(replayed.gradients(x));  // gradients are there from now on
  auto step = capture([&](const Tensor& input) { return replayed.gradients(input); }, x,
                      {&replayed.model, &replayed.average});
  for (int i = 0; i < 4; ++i) {
    CHECK(same_bits(step(x), eager.gradients(x)));
    check_same(eager.model, replayed.model);
    check_same(eager.average, replayed.average);
  }
}

TEST_CASE(
    "a leaf of one's own is state: its gradient is there after each replay, its elements are where they "
    "were") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor w = tensor({1, 2}, {.dtype = dtype, .requires_grad = true}),
                 other = w.detach().set_requires_grad();
    const void* const elements = detail::array_of(w).buffer.data();
    const auto step = [](const Tensor& leaf, const Tensor& x) {
      leaf.clear_grad();
      Tensor loss = sum(square(leaf) * x);
      loss.backward();
      return loss.detach();
    };
    auto replayed = capture([&](const Tensor& x) { return step(w, x); }, ones({2}, {.dtype = dtype}), {w});
    CHECK_FALSE(w.grad().defined());
    CHECK(detail::array_of(w).buffer.data() == elements);
    for (int i = 1; i < 4; ++i) {
      const Tensor x = full({2}, i, {.dtype = dtype});
      CHECK(same_bits(replayed(x), step(other, x)));
      CHECK(same_bits(w.grad(), other.grad()));
    }
    CHECK_THROWS_WITH_AS(static_cast<void>(capture([&](const Tensor& x) { return x; }, w, {w * 2})),
                         doctest::Contains("capture: state 0 is a tensor that was computed"), GraphError);
  }
}

struct Pose {
  Tensor position, speed;
  double mass = 1;
  friend auto tensors_of(Pose& p) { return std::tie(p.position, p.speed, p.mass); }
};

TEST_CASE("arguments and results are of any structure that tensors are in") {
  const Tensor x = tensor({1, 2}), y = tensor({3, 5});
  const auto move = [](const Pose& p, const std::vector<Tensor>& forces, double dt) {
    Tensor total = forces[0];
    for (std::size_t i = 1; i < forces.size(); ++i) total = total + forces[i];
    const Tensor speed = p.speed + total * (dt / p.mass);
    return Pose{p.position + speed * dt, speed, p.mass};
  };
  const std::vector<Tensor> forces{x, y};
  auto step = capture(move, std::tuple(Pose{x, y, 2.0}, forces, 0.5));
  const Pose next = step(Pose{y, x, 2.0}, forces, 0.5), want = move(Pose{y, x, 2.0}, forces, 0.5);
  CHECK(same_bits(next.position, want.position));
  CHECK(same_bits(next.speed, want.speed));
  CHECK(next.mass == 2);
  const char* const other =
      "Captured: an argument that is no tensor, a number of tensors or which of them are empty";
  CHECK_THROWS_WITH_AS(step(Pose{y, x, 2.0}, forces, 0.25), doctest::Contains(other), ValueError);
  CHECK_THROWS_WITH_AS(step(Pose{y, x, 3.0}, forces, 0.5), doctest::Contains(other), ValueError);
  CHECK_THROWS_WITH_AS(step(Pose{y, x, 2.0}, {x}, 0.5), doctest::Contains(other), ValueError);
  CHECK(same_bits(step(Pose{y, x, 2.0}, forces, 0.5).speed, want.speed));  // none of these left anything

  nn::Parameter w(tensor({2, 3}));
  auto nothing = capture([&](const Tensor& a) { w.set_value(w.tensor().detach() + a); }, x, {&w});
  nothing(y);
  CHECK(same_bits(w.tensor().detach(), tensor({5, 8})));
}

TEST_CASE("a result that somebody holds is not written over, and one is written where it was before") {
  auto twice = capture([](const Tensor& x) { return x * 2; }, tensor({1, 2}));
  const Tensor first = twice(tensor({3, 4}));
  const Tensor second = twice(tensor({5, 6}));
  CHECK(same_bits(first, tensor({6, 8})));
  CHECK(same_bits(second, tensor({10, 12})));
  const float* before = nullptr;
  for (int i = 0; i < 3; ++i) {
    const Tensor result = twice(tensor({1, 1}));
    const float* const here = result.data<float>().data();
    if (i > 0) CHECK(here == before);
    before = here;
  }
}

TEST_CASE("what is done to a result does not come back with the next one") {
  auto twice = capture([](const Tensor& x) { return x * 2; }, tensor({1, 2}));
  {
    Tensor result = twice(tensor({3, 4}));
    result.set_name("mine");
    result.set_requires_grad();
    sum(result * 3).backward();
  }
  const Tensor next = twice(tensor({3, 4}));
  CHECK(next.name().empty());
  CHECK_FALSE(next.requires_grad());
  CHECK_FALSE(next.grad().defined());
}

TEST_CASE("results may be inputs, state, constants, one value twice, and another shape of one") {
  nn::Parameter w(tensor({2, 3}));
  const Tensor c = tensor({7, 7});
  auto f = capture(
      [&](const Tensor& x) {
        const Tensor y = x + w.tensor().detach();
        return std::vector<Tensor>{x, w.tensor().detach(), c, y, y, reshape(y, {2, 1})};
      },
      tensor({1, 1}), {&w});
  const std::vector<Tensor> r = f(tensor({4, 5}));
  CHECK(same_bits(r[0], tensor({4, 5})));
  CHECK(same_bits(r[1], tensor({2, 3})));
  CHECK(same_bits(r[2], c));
  CHECK(same_bits(r[3], tensor({6, 8})));
  CHECK(same_bits(r[4], r[3]));
  CHECK(same_bits(r[5], tensor({{6}, {8}})));
}

TEST_CASE("no elements, no dimensions, a batch of one") {
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{1}, Shape{0, 3}, Shape{2, 1, 3}}) {
    Random random(1);
    const Tensor x = randn(shape, random), y = randn(shape, random);
    const auto f = [](const Tensor& a) {
      const Tensor leaf = a.detach().set_requires_grad();
      const Tensor value = sum(tanh(leaf) * leaf);
      return std::tuple(value.detach(), grad({value}, {leaf})[0]);
    };
    auto g = capture(f, x);
    const auto [value, slope] = g(y);
    const auto [want_value, want_slope] = f(y);
    CHECK(same_bits(value, want_value));
    CHECK(same_bits(slope, want_slope));
  }
}

TEST_CASE("tensors by number, for signatures that only the program knows") {
  std::vector<Tensor> inputs{tensor({1, 2}), tensor({3, 4})}, results(1);
  CapturedCall call(
      [&] {
        results[0] = inputs[0] * inputs[1];
        return std::vector<Tensor*>{&results[0]};
      },
      {&inputs[0], &inputs[1]}, {});
  for (int i = 1; i < 3; ++i) {
    const Tensor a = full({2}, i), b = tensor({5, 6});
    call.give(a);
    call.give(b);
    call.run();
    CHECK(same_bits(call.result(0), a * b));
  }
  const Tensor one = tensor({1, 2});
  call.give(one);
  CHECK_THROWS_WITH_AS(call.run(), "Captured: got 1 tensors, the function was captured with 2", ValueError);
}

TEST_CASE("a replay that throws changes nothing") {
  manual_seed(2);
  nn::Embedding table({.num_embeddings = 4, .embedding_dim = 2});
  optim::SGD sgd(table.parameters(), {.lr = 1});
  auto step = capture(
      [&](const Tensor& i) {
        sgd.zero_grad();
        Tensor loss = sum(square(table(i)));
        loss.backward();
        sgd.step();
        return loss;
      },
      tensor({0, 1}, {.dtype = int64}), {&table, &sgd});
  static_cast<void>(step(tensor({2, 1}, {.dtype = int64})));
  const nn::StateDict before = table.state_dict();
  CHECK_THROWS_AS(step(tensor({2, 9}, {.dtype = int64})), Error);
  CHECK(same_bits(before.at("weight"), table.state_dict().at("weight")));
  CHECK_THROWS_WITH_AS(
      step(tensor({2, 1, 0}, {.dtype = int64})),
      "Captured: input 0 was int64 [2] when the function was captured, got int64 [3]: capture it anew",
      ShapeError);
}

TEST_CASE("weights that somebody holds are not written over, those that nobody does are") {
  manual_seed(2);
  nn::Linear model(3, 2);
  optim::Adam adam(model.parameters(), {.lr = 0.1});
  auto step = capture(
      [&](const Tensor& x) {
        adam.zero_grad();
        Tensor loss = sum(square(model(x)));
        loss.backward();
        adam.step();
        return loss;
      },
      ones({4, 3}), {&model, &adam});
  const auto elements = [&] { return detail::array_of(model.weight.cell()->leaf()).buffer.data(); };
  static_cast<void>(step(ones({4, 3})));
  const void* const before = elements();
  static_cast<void>(step(ones({4, 3})));
  CHECK(elements() == before);
  const Tensor held = model.weight.tensor(), copy = held * 1;
  const Tensor moment = adam.state_dict().at("weight.m"), moment_copy = moment * 1;
  for (int i = 0; i < 3; ++i) static_cast<void>(step(ones({4, 3})));
  CHECK(same_bits(held, copy));
  CHECK(same_bits(moment, moment_copy));
  CHECK_FALSE(same_bits(model.weight.tensor(), copy));
}

TEST_CASE("a target that is ignored, and one that is none, are seen in a replay") {
  Random random(3);
  const Tensor logits = randn({3, 4}, random);
  const auto loss = [](const Tensor& x, const Tensor& t) { return nn::cross_entropy(x, t); };
  const auto classes = [](const std::vector<std::int64_t>& values) { return from_vector(values); };
  auto none = capture(loss, {logits, classes({0, 3, 1})});
  CHECK(same_bits(none(logits, classes({2, 2, 0})), loss(logits, classes({2, 2, 0}))));
  CHECK_THROWS_WITH_AS(none(logits, classes({2, -100, 0})),
                       doctest::Contains("cross_entropy: target is -100, which is ignored, at [1]"),
                       ValueError);
  CHECK_THROWS_WITH_AS(none(logits, classes({2, 4, 0})),
                       "cross_entropy: class index out of range: target is 4 at [1], there are 4 classes",
                       ValueError);
  auto some = capture(loss, {logits, classes({0, -100, 1})});
  for (const auto& target : {classes({2, 2, 0}), classes({-100, 2, -100}), classes({0, -100, 1})})
    CHECK(same_bits(some(logits, target), loss(logits, target)));
}

}}  // namespace xtgrad
