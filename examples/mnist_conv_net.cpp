// The second program of docs/conv_net.md: mnist_conv_net [folder of the data]
#include <xtgrad/xtgrad.h>

#include <cstdint>
#include <iomanip>
#include <iostream>
#include <string>

using namespace xtgrad;

double accuracy(nn::Module& model, datasets::Loader& loader) {
  const NoGrad no_grad;
  model.eval();
  double correct = 0;
  for (auto& [x, y] : loader) correct += sum((argmax(model(x), 1) == y).to(float32)).item();
  model.train();
  return correct / static_cast<double>(loader.data().size());
}

int main(int argc, char** argv) try {
  const std::string folder = argc > 1 ? argv[1] : "";
  std::cout << std::fixed << std::setprecision(4);

  const datasets::Dataset train = datasets::mnist({.root = folder});
  const datasets::Dataset test = datasets::mnist({.root = folder, .train = false});
  datasets::Loader loader(train, {.batch_size = 128,
                                  .shuffle = true,
                                  .sample_transform = datasets::random_shift({.pixels = 1}),
                                  .workers = 1});
  datasets::Loader test_loader(test, {.batch_size = 500});

  nn::ConvNet model({.image = 28, .channels = {16, 32}, .hidden = {128}, .dropout = 0.2});

  const int epochs = 1;
  const std::int64_t warm = 50;
  const std::int64_t steps = epochs * loader.batches();
  optim::Adam adam(model.parameters(), {.lr = 3e-3});
  const optim::ScheduledLr rates(adam,
                                 optim::warmup({.steps = warm}, optim::cosine({.steps = steps - warm})));
  std::int64_t step = 0;
  double total = 0;  // of the last hundred steps
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    for (auto& [x, y] : loader) {
      rates.apply(adam, step++);
      Tensor loss = nn::cross_entropy(model(x), y);
      adam.zero_grad();
      loss.backward();
      adam.step();
      total += loss.item();
      if (step % 100 == 0) {
        std::cout << "step " << step << ": loss " << total / 100 << std::endl;
        total = 0;
      }
    }
    std::cout << "test accuracy after epoch " << epoch << ": " << accuracy(model, test_loader) << '\n';
  }
} catch (const Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
