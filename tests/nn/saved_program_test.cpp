// Captured functions that are saved, and loaded: the bits of the function, call after call.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/nn/captured.h"
#include "tests/support/message_of.h"
#include "tests/support/program.h"
#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/custom_vjp.h"
#include "xtgrad/autograd/loaded_program.h"
#include "xtgrad/autograd/primitive.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/optim/optim.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad { namespace {

using testing::message_of;
using testing::remembered;
using testing::same_bits;

/// A file of its own, for tests run side by side, that is gone with it.
struct File {
  testing::TemporaryFolder folder;
  std::string path = (folder.path() / "saved.program").string();
};

/// That the state of a loaded program is what an object remembers, where it is part of the program.
void check_state(const LoadedProgram& program, nn::Stateful& object, const std::string& prefix = "") {
  std::size_t count = 0;
  for (const NamedTensor& state : program.state()) {
    for (const auto& [name, value] : remembered(object)) {
      if (prefix + name != state.name || !value.defined()) continue;
      const std::string& shown = state.name;
      CAPTURE(shown);
      CHECK(same_bits(state.value, value));
      ++count;
    }
  }
  CHECK(count > 0);
}

/// A captured step and the same from a file, on the same batches.
template <class Step>
LoadedProgram check_saved(Step& step, const std::vector<std::vector<Tensor>>& batches, nn::Stateful& object) {
  const File file;
  step.save(file.path);
  LoadedProgram program = load_program(file.path);
  check_state(program, object);
  for (const std::vector<Tensor>& batch : batches) {
    const Tensor wanted = step(batch[0], batch[1]);
    CHECK(same_bits(program(batch)[0], wanted));
    check_state(program, object);
    // And from where it is now.
    program.save(file.path);
    program = load_program(file.path);
  }
  CHECK(program.program().to_string() == step.program().to_string());
  return program;
}

std::vector<std::vector<Tensor>> batches_of(int count, const Shape& shape, std::int64_t classes,
                                            Dtype dtype = float32) {
  Random random(21);
  std::vector<std::vector<Tensor>> batches;
  for (int i = 0; i < count; ++i) {
    std::vector<std::int64_t> labels;
    for (std::int64_t k = 0; k < shape[0]; ++k) labels.push_back(random.next_below(classes));
    batches.push_back({randn(shape, random, {.dtype = dtype}), from_vector(labels)});
  }
  return batches;
}

TEST_CASE("a training step of an MLP with Adam") {
  for (const Dtype dtype : {float32, float64}) {
    manual_seed(1);
    nn::MLP model({.sizes = {4, 8, 3}});
    model.to(dtype);
    optim::Adam adam(model.parameters(), {.lr = 1e-2});
    const auto batches = batches_of(4, {5, 4}, 3, dtype);
    auto step = capture(
        [&](const Tensor& x, const Tensor& y) {
          Tensor loss = nn::cross_entropy(model(x), y);
          adam.zero_grad();
          loss.backward();
          adam.step();
          return loss;
        },
        {batches[0][0], batches[0][1]}, {&model, &adam});
    const LoadedProgram program = check_saved(step, batches, model);
    check_state(program, adam);
    CHECK(program.inputs().size() == 2);
    CHECK(program.inputs()[1].name == "in1");
    CHECK(program.inputs()[0].spec.shape == Shape{5, 4});
    CHECK(program.inputs()[0].spec.dtype == dtype);
    CHECK(same_bits(program.state("layers.0.weight"), model.layers[0].weight.tensor().detach()));
    CHECK(message_of<ValueError>([&] { return program.state("weight"); }) ==
          "LoadedProgram: there is no state \"weight\"");
  }
}

TEST_CASE("a conv net with running statistics, dropout, a clipped norm and a stream") {
  for (const Dtype dtype : {float32, float64}) {
    manual_seed(2);
    nn::ConvNet model({.in_channels = 2,
                       .image = 8,
                       .channels = {3, 4},
                       .hidden = {6},
                       .classes = 3,
                       .batch_norm = true,
                       .dropout = 0.3});
    model.to(dtype);
    optim::SGD sgd(model.parameters(), {.lr = 0.1, .momentum = 0.9, .dampening = 0.1});
    const auto batches = batches_of(4, {5, 2, 8, 8}, 3, dtype);
    auto step = capture(
        [&](const Tensor& x, const Tensor& y) {
          sgd.zero_grad();
          Tensor loss = nn::cross_entropy(model(x), y);
          loss.backward();
          optim::clip_grad_norm(model.parameters(), 0.7);
          sgd.step();
          return loss;
        },
        {batches[0][0], batches[0][1]}, {&model, &sgd});
    check_saved(step, batches, model);
    // One that is used, and not trained: nothing of it changes.
    model.eval();
    auto predict = capture([&](const Tensor& x) { return softmax(model(x), -1); }, batches[0][0], {&model});
    const File file;
    predict.save(file.path);
    LoadedProgram program = load_program(file.path);
    CHECK(same_bits(program({batches[1][0]})[0], predict(batches[1][0])));
    CHECK(same_bits(program({batches[1][0]})[0], predict(batches[1][0])));
  }
}

template <class O, class Options>
void check_optimizer(const Options& options) {
  manual_seed(3);
  nn::MLP model({.sizes = {3, 5, 2}, .activation = nn::ActivationKind::gelu});
  O optimizer(model.parameters(), options);
  const auto batches = batches_of(3, {4, 3}, 2);
  auto step = capture(
      [&](const Tensor& x, const Tensor& y) {
        optimizer.zero_grad();
        Tensor loss = nn::cross_entropy(model(x), y);
        loss.backward();
        optimizer.step();
        return loss;
      },
      {batches[0][0], batches[0][1]}, {&model, &optimizer});
  check_saved(step, batches, model);
}

TEST_CASE("every optimizer's step") {
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
  check_optimizer<optim::RMSProp>(optim::RMSPropOptions{});
  check_optimizer<optim::RMSProp>(optim::RMSPropOptions{.centered = true});
  check_optimizer<optim::RMSProp>(optim::RMSPropOptions{.momentum = 0.5, .centered = true});
  check_optimizer<optim::Rprop>(optim::RpropOptions{});
  check_optimizer<optim::ASGD>(optim::ASGDOptions{});
  check_optimizer<optim::Lion>(optim::LionOptions{});
}

/// A function of tensors alone, captured and from a file.
template <class F>
void check_function(const F& f, const std::vector<Tensor>& inputs,
                    const std::vector<CapturedState>& state = {}) {
  auto step = capture(f, inputs, state);
  const File file;
  step.save(file.path);
  LoadedProgram program = load_program(file.path);
  for (int call = 0; call < 3; ++call) {
    const std::vector<Tensor> wanted = step(inputs), got = program(inputs);
    REQUIRE(got.size() == wanted.size());
    for (std::size_t k = 0; k < got.size(); ++k) CHECK(same_bits(got[k], wanted[k]));
  }
}

TEST_CASE("derivatives of second order, a function that is checkpointed, one with a rule of its own") {
  manual_seed(4);
  nn::MLP model({.sizes = {3, 4, 2}, .activation = nn::ActivationKind::tanh});
  const Tensor x = randn({6, 3});
  check_function(
      [&](const std::vector<Tensor>& in) {
        const Tensor y = checkpoint([&](const Tensor& input) { return model(input); }, in[0]);
        const std::vector<Tensor> weights{model.layers[0].weight.tensor()};
        const std::vector<Tensor> first = grad({mean(square(y))}, weights, {.create_graph = true});
        return std::vector<Tensor>{first[0], grad({sum(square(first[0]))}, weights)[0]};
      },
      {x}, {&model});
  check_function(
      [](const std::vector<Tensor>& in) {
        const Tensor y =
            custom_vjp([](const Tensor& v) { return sign(v); },
                       [](const Tensor&, const Tensor&, const Tensor& g) { return 2 * g; }, in[0]);
        return grad({sum(y * y)}, {in[0]});
      },
      {tensor({1, -2}, {.requires_grad = true})});
}

TEST_CASE("lookups, losses that check their targets, lengths and cosines") {
  manual_seed(5);
  nn::Embedding table({.num_embeddings = 200, .embedding_dim = 6});
  const Tensor index = from_vector(std::vector<std::int64_t>{3, 199, 3, 0});
  check_function(
      [&](const std::vector<Tensor>& in) {
        return grad({sum(square(table(in[0]))) + sum(slice(table.weight.tensor(), {.start = 2, .stop = 5}))},
                    {table.weight.tensor()});
      },
      {index}, {&table});
  const Tensor a = randn({4, 5}), b = randn({4, 5});
  const auto gradients = [](const auto& loss) {
    return [loss](const std::vector<Tensor>& in) {
      const Tensor x = in[0] * 1;
      const Tensor total = sum(loss(x, in[1]));
      return std::vector<Tensor>{total, grad({total}, {in[0]})[0]};
    };
  };
  const Tensor leaf = randn({4, 5}).set_requires_grad();
  check_function(gradients([](const Tensor& x, const Tensor& y) { return nn::bce(sigmoid(x), sigmoid(y)); }),
                 {leaf, b});
  check_function(gradients([](const Tensor& x, const Tensor& y) { return nn::cosine_similarity(x, y); }),
                 {leaf, b});
  for (const double p : {1.5, 2.0, 3.0}) {
    check_function(
        gradients([p](const Tensor& x, const Tensor& y) { return nn::pairwise_distance(x, y, {.p = p}); }),
        {leaf, b});
  }
  check_function(gradients([](const Tensor& x, const Tensor& y) {
                   return nn::hinge_embedding_loss(x, where(y > 0, 1.0, -1.0));
                 }),
                 {leaf, b});
}

TEST_CASE("draws go on from where the stream was when the function was saved") {
  Random random(8);
  auto noise = capture([&](const Tensor& x) { return x + randn({3}, random) * uniform({3}, {}, random); },
                       tensor({1, 2, 3}), {&random});
  const Tensor x = tensor({4, 5, 6});
  static_cast<void>(noise(x));
  const File file;
  noise.save(file.path);
  LoadedProgram program = load_program(file.path);
  CHECK(same_bits(program.state("stream"), random.state()));
  for (int call = 0; call < 3; ++call) CHECK(same_bits(program({x})[0], noise(x)));
  CHECK(same_bits(program.state("stream"), random.state()));
}

TEST_CASE("a gradient that is made and not read is there after the first call") {
  nn::Linear model({.in_features = 2, .out_features = 1});
  auto step = capture(
      [&](const Tensor& x) {
        model.zero_grad();
        sum(model(x)).backward();
      },
      tensor({{1, 2}}), {&model});
  const File file;
  step.save(file.path);
  LoadedProgram program = load_program(file.path);
  CHECK_THROWS_AS(static_cast<void>(program.state("weight.grad")), ValueError);
  CHECK(program({tensor({{3, 4}})}).empty());
  step(tensor({{3, 4}}));
  CHECK(same_bits(program.state("weight.grad"), model.weight.grad()));
}

/// A user's own, without what loading it takes.
class Halved : public ConstantPrimitive<Halved> {
 public:
  [[nodiscard]] std::string_view name() const override { return "test_halved"; }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(Inputs in, Outputs out) const override {
    for (std::int64_t i = 0; i < in[0]->numel(); ++i)
      out[0]->mutable_data<float>()[i] = in[0]->data<float>()[i] / 2;
  }
};

/// And one with it, and with attributes of any number.
class Shifted final : public ConstantPrimitive<Shifted> {
 public:
  explicit Shifted(std::vector<double> shifts = {}) : shifts_(std::move(shifts)) {}
  [[nodiscard]] std::string_view name() const override { return "test_shifted"; }
  void describe(Attributes& a) override { a("shifts", shifts_); }
  void infer(InputSpecs in, OutputSpecs out) const override {
    require_floating(name(), in);
    *out[0] = *in[0];
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }
  void eval(Inputs in, Outputs out) const override {
    for (std::int64_t i = 0; i < in[0]->numel(); ++i) {
      float sum = in[0]->data<float>()[i];
      for (const double shift : shifts_) sum += static_cast<float>(shift);
      out[0]->mutable_data<float>()[i] = sum;
    }
  }

 private:
  std::vector<double> shifts_;
};

TEST_CASE("a primitive from outside is saved if it can be loaded, and refused by name if not") {
  const File file;
  auto halved = capture([](const Tensor& x) { return exp(run(Halved{}, {x})); }, tensor({1, 2}));
  CHECK(message_of<ValueError>([&] { halved.save(file.path); }) ==
        "Captured::save: step 0 (test_halved): no operation of that name is known here; a primitive that is "
        "saved and loaded needs a default constructor and check_loaded");
  CHECK_FALSE(std::filesystem::exists(file.path));
  auto shifted = capture(
      [](const Tensor& x) {
        return exp(run(Shifted({0.25, -0.5}), {x}));
      },
      tensor({1, 2}));
  shifted.save(file.path);
  LoadedProgram program = load_program(file.path);
  CHECK(same_bits(program({tensor({3, 4})})[0], shifted(tensor({3, 4}))));
  CHECK(program.program().to_string().find("test_shifted[shifts=[0.25, -0.5]](in0)") != std::string::npos);
}

}}  // namespace xtgrad
