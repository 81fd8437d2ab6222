#include <xtgrad/xtgrad.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <span>
#include <string>

using namespace xtgrad;

void print_image(const datasets::Dataset& data, std::int64_t sample) {
  std::cout << "a " << static_cast<int>(data.labels().at({sample})) << ":\n";
  for (int row = 0; row < 8; ++row) {
    for (int column = 0; column < 8; ++column) {
      const double ink = data.inputs().at({sample, 0, row, column});  // 0 to 1
      std::cout << ' ' << ".:-=+*#%@"[static_cast<int>(8 * ink)];
    }
    std::cout << '\n';
  }
}

struct DigitNet : nn::Module {
  nn::Conv2d conv1{{.in_channels = 1, .out_channels = 16, .kernel = 3, .padding = 1}};
  nn::Conv2d conv2{{.in_channels = 16, .out_channels = 32, .kernel = 3, .padding = 1}};
  nn::MaxPool2d pool{{.kernel = 2}};
  nn::Dropout drop{{.p = 0.2}};
  nn::Linear head{32 * 2 * 2, 10};

  void members(nn::Members& m) override {
    m("conv1", conv1);
    m("conv2", conv2);
    m("pool", pool);
    m("drop", drop);
    m("head", head);
  }

  Tensor forward(const Tensor& x) override {  // [n, 1, 8, 8]
    Tensor h = pool(relu(conv1(x)));          // [n, 16, 4, 4]
    h = pool(relu(conv2(h)));                 // [n, 32, 2, 2]
    return head(drop(flatten(h, 1)));         // [n, 10]
  }
};

Tensor predict(DigitNet& model, const Tensor& images) {
  const NoGrad no_grad;
  model.eval();
  Tensor classes = argmax(model(images), 1);  // [n], int64
  model.train();
  return classes;
}

double accuracy(DigitNet& model, const datasets::Dataset& data) {
  const Tensor correct = predict(model, data.inputs()) == data.labels();  // [n], bool
  return mean(correct.to(float32)).item();
}

void print_worst_confusion(DigitNet& model, const datasets::Dataset& data) {
  const Tensor predicted = predict(model, data.inputs());
  const std::span<const std::int64_t> truth = data.labels().data<std::int64_t>();
  const std::span<const std::int64_t> guess = predicted.data<std::int64_t>();
  std::array<int, 100> confused{};  // at 10 * truth + guess
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] != guess[i]) ++confused[static_cast<std::size_t>(10 * truth[i] + guess[i])];
  }
  const auto worst = std::max_element(confused.begin(), confused.end());
  const auto pair = worst - confused.begin();
  std::cout << "most often confused: " << pair / 10 << " taken for " << pair % 10 << ", " << *worst
            << " times\n";
}

int main(int argc, char** argv) try {
  const std::string weights = argc > 1 ? argv[1] : "digits.safetensors";
  std::cout << std::fixed << std::setprecision(2);
  set_num_threads(1);

  const datasets::Dataset digits = datasets::unit_range(datasets::digits({.image = true}), {.high = 16});
  std::cout << digits.size() << " images\n";
  print_image(digits, 6);

  const auto [train, test] = datasets::stratified_split(digits, {.test = 0.2, .seed = 0});
  datasets::Loader loader(train, {.batch_size = 32, .shuffle = true, .seed = 0});
  std::cout << train.size() << " to train on, in " << loader.batches() << " batches; " << test.size()
            << " to test\n";

  manual_seed(0);
  DigitNet model;
  const Tensor few = train.subset({0, 1, 2}).inputs();  // [3, 1, 8, 8]
  std::cout << model.summary(few);

  const CheckGradsReport report = nn::check_grads(model, few, {.avoid_kinks = true});
  std::cout << report.message << '\n';
  if (!report) return 1;

  const int epochs = 20;
  const std::int64_t warm = loader.batches();
  const std::int64_t steps = epochs * loader.batches();
  optim::Adam adam(model.parameters(), {.lr = 8e-3});
  const optim::ScheduledLr rates(adam,
                                 optim::warmup({.steps = warm}, optim::cosine({.steps = steps - warm})));
  std::int64_t step = 0;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    double total = 0;
    for (auto& [x, y] : loader) {
      rates.apply(adam, step++);
      Tensor loss = nn::cross_entropy(model(x), y);
      adam.zero_grad();
      loss.backward();
      adam.step();
      total += loss.item();
    }
    if (epoch % 5 == 0) {
      std::cout << "epoch " << epoch << ": loss " << total / static_cast<double>(loader.batches()) << '\n';
    }
  }

  std::cout << "accuracy on the training images: " << accuracy(model, train) << '\n';
  std::cout << "accuracy on the test images: " << accuracy(model, test) << '\n';
  print_worst_confusion(model, test);

  nn::save(weights, model.state_dict());

  DigitNet restored;
  restored.load_state_dict(nn::load(weights));
  std::cout << "test accuracy of the restored model: " << std::setprecision(4) << accuracy(restored, test)
            << '\n';
} catch (const Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
