// A program of somebody else's, built against an installed xtgrad: a model and a layer of its own, a training
// loop, and whatever could go wrong at the border of a shared library. Exits with 1 and says why if it does.
#include <xtgrad/xtgrad.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

using namespace xtgrad;

namespace {

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "consumer: not so: %s\n", what);
  std::exit(1);
}

/// A layer that the library has not got: a scale for each feature.
struct Scale : nn::Module {
  nn::Parameter factor{ones({8})};
  void members(nn::Members& m) override { m("factor", factor); }
  Tensor forward(const Tensor& x) override { return x * factor; }  // [n, 8]
};

struct Classifier : nn::Module {
  nn::Linear hidden{2, 8};
  Scale scale;
  nn::MLP head{{.sizes = {8, 8, 3}, .activation = nn::ActivationKind::tanh}};
  void members(nn::Members& m) override {
    m("hidden", hidden);
    m("scale", scale);
    m("head", head);
  }
  Tensor forward(const Tensor& x) override { return head(scale(tanh(hidden(x)))); }  // [n, 2] to [n, 3]
};

double accuracy(Classifier& model, const datasets::Dataset& data) {
  NoGrad no_grad;
  Tensor correct = argmax(model(data.inputs()), 1) == data.labels();
  return mean(correct.to(float32)).item();
}

void training_works() {
  const datasets::Dataset data =
      datasets::blobs({.centers = {{-4, 0}, {4, 0}, {0, 6}}, .per_class = 60, .seed = 1});
  datasets::Loader loader(data, {.batch_size = 30, .shuffle = true});
  Classifier model;
  optim::Adam adam(model.parameters(), {.lr = 1e-2});
  const double before = nn::cross_entropy(model(data.inputs()), data.labels()).item();
  for (int epoch = 0; epoch < 20; ++epoch) {
    for (auto& [x, y] : loader) {
      Tensor loss = nn::cross_entropy(model(x), y);
      adam.zero_grad();
      loss.backward();
      adam.step();
    }
  }
  const double after = nn::cross_entropy(model(data.inputs()), data.labels()).item();
  std::printf("loss: %.4f, then %.4f; accuracy: %.3f\n", before, after, accuracy(model, data));
  expect(after < 0.5 * before && accuracy(model, data) > 0.95, "the training learns three blobs");
  expect(model.parameters().size() == 7, "the model lists its own layer's parameter with the library's");
}

void exceptions_keep_their_type() {
  bool caught = false;
  try {
    (void)matmul(ones({2, 3}), ones({4, 5}));
  } catch (const ValueError&) {
    expect(false, "a ShapeError is no ValueError");
  } catch (const ShapeError& error) {
    caught = error.what() == std::string("matmul: inner sizes differ: a is [2, 3], b is [4, 5]");
  }
  expect(caught, "a ShapeError is caught as one, with its text");
  caught = false;
  try {
    ones({2}).backward();
  } catch (const Error&) {
    caught = true;
  }
  expect(caught, "every error is caught as Error");
}

void types_are_known_on_both_sides() {
  Classifier model;
  nn::Module& module = model;
  nn::Module& linear = model.hidden;
  expect(dynamic_cast<Classifier*>(&module) == &model, "dynamic_cast finds a module of this program");
  expect(dynamic_cast<nn::Linear*>(&linear) == &model.hidden, "dynamic_cast finds a module of the library");
  expect(dynamic_cast<nn::MLP*>(&linear) == nullptr, "dynamic_cast tells the library's modules apart");
}

void threads_have_their_own_state() {
  DefaultDtype in_double(float64);
  Dtype elsewhere = float64;
  std::thread([&elsewhere] {
    elsewhere = ones({1}).dtype();
    Tensor x = ones({3}, {.requires_grad = true});
    sum(x * x).backward();
    expect(sum(x.grad()).item() == 6, "another thread takes its own gradients");
  }).join();
  expect(ones({1}).dtype() == float64, "this thread's default dtype is float64");
  expect(elsewhere == float32, "another thread's default dtype is float32 still");
}

}  // namespace

int main() {
  training_works();
  exceptions_keep_their_type();
  types_are_known_on_both_sides();
  threads_have_their_own_state();
  Classifier model;
  expect(check_grads(model, randn({4, 2})).ok(),
         "derivatives of the model, its own layer included, are right");
  std::puts("all is well");
}
