// plot_gallery FOLDER: one picture of every kind, from a small network and from what is hard to lay out, for
// whoever changes the drawing to look at.
#include <xtgrad/xtgrad.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "xtgrad/plot/plot.h"

namespace {

namespace fs = std::filesystem;
using namespace xtgrad;

struct Network : nn::Module {
  nn::Linear hidden{64, 32};
  nn::Linear head{32, 10};
  void members(nn::Members& m) override {
    m("hidden", hidden);
    m("head", head);
  }
  Tensor forward(const Tensor& x) override { return head(relu(hidden(x))); }
};

struct Score {
  double loss;
  double accuracy;
};

Score score(Network& network, const datasets::Dataset& data) {
  const NoGrad no_grad;
  const Tensor logits = network(data.inputs());
  return {nn::cross_entropy(logits, data.labels()).item(),
          mean((argmax(logits, 1) == data.labels()).to(float32)).item()};
}

std::vector<plot::EpochScores> train(Network& network, const datasets::Dataset& training,
                                     const datasets::Dataset& test) {
  datasets::Loader loader(training, {.batch_size = 32, .shuffle = true});
  optim::Adam adam(network.parameters(), {.lr = 1e-3});
  std::vector<plot::EpochScores> epochs;
  for (int epoch = 1; epoch <= 12; ++epoch) {
    for (auto& [x, y] : loader) {
      const Tensor loss = nn::cross_entropy(network(x), y);
      adam.zero_grad();
      loss.backward();
      adam.step();
    }
    const Score seen = score(network, training);
    const Score unseen = score(network, test);
    epochs.push_back({epoch, seen.loss, seen.accuracy, unseen.loss, unseen.accuracy});
  }
  return epochs;
}

void draw_network(const fs::path& folder) {
  auto [training, test] = datasets::stratified_split(datasets::unit_range(datasets::digits(), {.high = 16}));
  Network network;
  const std::vector<plot::EpochScores> epochs = train(network, training, test);
  const std::int64_t count = test.inputs().size(0);
  const Tensor weight = reshape(network.hidden.weight.tensor(), {32, 1, 8, 8});
  const Tensor digit = reshape(slice(test.inputs(), {.axis = 0, .start = 0, .stop = 1}), {1, 8, 8});
  const plot::Predictions labels{.truth = test.labels(), .predicted = argmax(network(test.inputs()), 1)};
  for (const std::string ending : {".png", ".svg"}) {
    plot::save(plot::draw_learning_curves(epochs), folder / ("learning_curves" + ending));
    plot::save(plot::draw_filters(weight), folder / ("filters" + ending));
    // Each hidden unit's weights times the digit: what the unit adds up.
    plot::save(plot::draw_feature_maps({.image = digit, .maps = reshape(weight, {32, 8, 8}) * digit}),
               folder / ("feature_maps" + ending));
    plot::save(plot::draw_confusion_matrix(plot::count_confusions(labels, 10)),
               folder / ("confusion_matrix" + ending));
    plot::save(plot::draw_mistakes({.images = reshape(test.inputs(), {count, 8, 8}), .labels = labels}),
               folder / ("mistakes" + ending));
  }
}

/// Long names, colour images, one filter and many, one epoch, losses over decades.
void draw_extremes(const fs::path& folder) {
  const std::vector<std::string> clothes{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                         "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  Random random(1);
  const Tensor truth = uniform({2000}, {.high = 10}, random).to(int64);
  const Tensor other = uniform({2000}, {.high = 10}, random).to(int64);
  const Tensor predicted = where(bernoulli({2000}, 0.85, random), truth, other);
  const plot::Predictions labels{.truth = truth, .predicted = predicted};
  plot::save(plot::draw_confusion_matrix(plot::count_confusions(labels, 10), clothes),
             folder / "confusion_of_names.png");
  plot::save(
      plot::draw_mistakes({.images = uniform({2000, 3, 32, 32}, {}, random), .labels = labels}, clothes),
      folder / "mistakes_in_color.png");
  plot::save(plot::draw_mistakes({.images = zeros({2000, 3, 32, 32}), .labels = {truth, truth}}),
             folder / "no_mistakes.png");

  const Tensor many = uniform({40000}, {.high = 47}, random).to(int64);
  const Tensor noisy =
      where(bernoulli({40000}, 0.9, random), many, uniform({40000}, {.high = 47}, random).to(int64));
  plot::save(plot::draw_confusion_matrix(plot::count_confusions({many, noisy}, 47)),
             folder / "confusion_of_47.png");

  plot::save(plot::draw_filters(randn({1, 1, 3, 3}, random)), folder / "one_filter.png");
  plot::save(plot::draw_filters(randn({64, 3, 5, 5}, random)), folder / "color_filters.png");
  plot::save(plot::draw_filters(randn({32, 16, 3, 3}, random)), folder / "deep_filters.png");
  plot::save(plot::draw_filters(randn({16, 1, 3, 3}, random)), folder / "filters_3x3.png");
  plot::save(plot::draw_feature_maps(
                 {.image = uniform({1, 28, 28}, {}, random), .maps = relu(randn({16, 28, 28}, random))}),
             folder / "feature_maps_16.png");

  std::vector<plot::EpochScores> epochs{{1, 2.1, 0.31, 1.9, 0.42}};
  plot::save(plot::draw_learning_curves(epochs), folder / "one_epoch.png");
  for (int epoch = 2; epoch <= 60; ++epoch) {
    const double loss = 2.1 / (epoch * epoch);
    epochs.push_back({epoch, loss, 1 - loss / 3, loss + 0.02, 0.97 - loss / 4});
  }
  plot::save(plot::draw_learning_curves(epochs), folder / "sixty_epochs.png");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: plot_gallery FOLDER\n");
    return 2;
  }
  if (!plot::available()) {
    std::fprintf(stderr, "plot_gallery: built without Cairo, so there are no pictures\n");
    return 1;
  }
  try {
    fs::create_directories(argv[1]);
    draw_network(argv[1]);
    draw_extremes(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "plot_gallery: %s\n", error.what());
    return 1;
  }
}
