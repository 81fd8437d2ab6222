// The model in README.md: a test compares the part between the markers with the text there.
// clang-format off
// [readme]
#include <xtgrad/xtgrad.h>

#include <cstdio>

using namespace xtgrad;

struct Classifier : nn::Module {
  nn::Linear hidden{64, 128};
  nn::Linear head{128, 10};
  void members(nn::Members& m) override { m("hidden", hidden); m("head", head); }
  Tensor forward(const Tensor& x) override { return head(relu(hidden(x))); }
};

int main() {
  auto [train, test] = datasets::stratified_split(datasets::unit_range(datasets::digits(), {.high = 16}));
  datasets::Loader loader(train, {.batch_size = 32, .shuffle = true});
  Classifier model;
  optim::Adam adam(model.parameters(), {.lr = 1e-3});
  for (int epoch = 0; epoch < 30; ++epoch) {
    for (auto& [x, y] : loader) {
      Tensor loss = nn::cross_entropy(model(x), y);
      adam.zero_grad();
      loss.backward();
      adam.step();
    }
  }
  Tensor correct = argmax(model(test.inputs()), 1) == test.labels();
  std::printf("accuracy: %.4f\n", mean(correct.to(float32)).item());
}
// [/readme]
