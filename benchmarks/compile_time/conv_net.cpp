// A model file as its writers have it, for benchmarks/compile_time.sh: a network of one's own and the ready
// one, an optimizer with a schedule, and a loader of MNIST with augmentation.
#include <xtgrad/xtgrad.h>

#include <cstdio>

using namespace xtgrad;

struct OwnConvNet : nn::Module {
  nn::Conv2d conv{{.in_channels = 1, .out_channels = 16, .kernel = 3, .padding = 1}};
  nn::MaxPool2d pool{{.kernel = 2}};
  nn::Dropout drop{{.p = 0.2}};
  nn::Linear head{16 * 14 * 14, 10};
  void members(nn::Members& m) override {
    m("conv", conv);
    m("pool", pool);
    m("drop", drop);
    m("head", head);
  }
  Tensor forward(const Tensor& x) override { return head(drop(flatten(pool(relu(conv(x))), 1))); }
};

template <class Model>
double train_and_test(Model model) {
  datasets::Loader loader(
      datasets::mnist(),
      {.batch_size = 128, .shuffle = true, .sample_transform = datasets::random_shift({.pixels = 2})});
  optim::Adam adam(model.parameters(), {.lr = 1e-3});
  const optim::ScheduledLr rates(adam, optim::cosine({.steps = 3}));
  for (int epoch = 0; epoch < 3; ++epoch) {
    rates.apply(adam, epoch);
    for (auto& [x, y] : loader) {
      Tensor loss = nn::cross_entropy(model(x), y);
      adam.zero_grad();
      loss.backward();
      adam.step();
    }
  }
  model.eval();
  NoGrad no_grad;
  const datasets::Dataset test = datasets::mnist({.train = false});
  Tensor correct = argmax(model(test.inputs()), 1) == test.labels();
  return mean(correct.to(float32)).item();
}

int main() {
  std::printf("%.4f\n", train_and_test(OwnConvNet()));
  std::printf("%.4f\n", train_and_test(nn::ConvNet({.batch_norm = true, .dropout = 0.2})));
}
