// Handwritten digits as well as they can be read, and photographs as far as 4,000 of them go.
#include <fmt/format.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/training/training.h>
#include <xtgrad/xtgrad.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "augmented_training.h"
#include "conv_net_recipes.h"
#include "page.h"

namespace {

using namespace xtgrad;
using gallery::ConvNetRecipe;

/// An image as it is, and as the net meets it in nine epochs.
plot::Canvas draw_augmented(const datasets::Dataset& data, const datasets::SampleTransform& augment) {
  const datasets::Dataset one = data.subset({0});
  datasets::Loader loader(one, {.batch_size = 1, .sample_transform = augment});
  std::vector<Tensor> images{one.inputs()};
  std::vector<std::string> captions{"as it is"};
  for (int epoch = 1; epoch < 10; ++epoch) {
    for (auto& [x, y] : loader) images.push_back(x);
    captions.push_back(fmt::format("epoch {}", epoch));
  }
  return plot::draw_images(concat(images, 0),
                           {.title = "One training image", .captions = captions, .per_row = 5});
}

/// Percent of the test images that the net gets right. Draws how it learnt, and what it gets wrong.
double examine(gallery::Page& page, const std::string& name, const gallery::ConvNetTraining& training,
               const datasets::Dataset& test, bool pictures) {
  const Tensor predicted = argmax(training::predict(*training.model, test.inputs()), 1);
  const double wrong = sum((predicted != test.labels()).to(float64)).item();
  const double percent = 100 - 100 * wrong / static_cast<double>(test.size());
  if (!pictures) return percent;
  page.picture(
      name + "_curves.png",
      fmt::format("Loss and accuracy on {}, by epoch. The weights of epoch {} are kept: they did best on "
                  "validation images, which the net is not trained on.",
                  gallery::title_of(name), training.best_epoch),
      plot::draw_learning_curves(training.epochs));
  page.picture(
      name + "_mistakes.png",
      fmt::format(
          "{} of the {} images that this net gets wrong, of {} test images. Below each, what it is and "
          "what the net takes it for.",
          std::min(wrong, 24.0), wrong, plot::with_commas(test.size())),
      plot::draw_mistakes({.images = test.inputs(), .labels = {test.labels(), predicted}},
                          test.class_names()));
  const auto kept = static_cast<std::size_t>(training.best_epoch - 1);
  page.number(name + ": training accuracy in the kept epoch, seed 0 (%)",
              100 * training.epochs.at(kept).accuracy);
  page.number(name + ": test images told wrong, seed 0", wrong);
  return percent;
}

/// Trains with one seed after another. Each test image is looked at once a seed, when all is decided.
void learn(gallery::Page& page, const std::string& name, const datasets::TrainTest& data,
           const ConvNetRecipe& recipe, int seeds) {
  page.picture(name + "_augmented.png",
               "A training image as it is, and as the net meets it in nine epochs. It is changed by "
               "chance each time, so that the net learns what stays the same.",
               draw_augmented(data.train, recipe.augment));
  double sum = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    const gallery::ConvNetTraining training =
        gallery::train(recipe, data.train, static_cast<std::uint64_t>(seed));
    const double percent = examine(page, name, training, data.test, seed == 0);
    page.number(fmt::format("{}: test accuracy, seed {} (%)", name, seed), percent);
    const std::string time = fmt::format("{}: training, seed {} (s)", name, seed);
    page.number(time, page.measured(time, [&] { return training.seconds; }));
    sum += percent;
  }
  if (seeds > 1) page.number(name + ": test accuracy, mean of seeds (%)", sum / seeds);
}

void draw(gallery::Page& page) {
  if (page.quick()) {
    const auto digits = datasets::stratified_split(gallery::scanned_images());
    learn(page, "digits", digits,
          {.net = {.image = 8, .channels = {16, 32}, .hidden = {64}, .batch_norm = true, .dropout = 0.3},
           .epochs = 20,
           .batch_size = 32,
           .lr = 0.004,
           .augment = datasets::random_shift({.pixels = 1})},
          3);
  }
  if (const auto mnist = page.data("mnist")) learn(page, "mnist", *mnist, gallery::recipe_for_mnist(), 3);
  if (const auto cifar10 = page.data("cifar10")) {
    learn(page, "cifar10", *cifar10, gallery::recipe_for_cifar10(), 1);
  }
}

}  // namespace

int main(int argc, char** argv) { return gallery::run(argc, argv, "A conv net", draw); }
