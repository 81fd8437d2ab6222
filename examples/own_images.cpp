// A conv net on your own images: own_images FOLDER [PICTURE]. The folder has a sub-folder of PNG or JPEG
// files for each class, named as the class; the mistakes on the test images are drawn into PICTURE,
// mistakes.png.
#include <xtgrad/xtgrad.h>

#include <xtgrad/datasets/image_folder.h>
#include <xtgrad/datasets/random_rotation.h>
#include <xtgrad/datasets/resize.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/training/training.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

using namespace xtgrad;

namespace {

/// Throws unless there are two kinds of things at least, and enough of each for every part to have some.
void check_images(const std::string& root, const datasets::ImageFolder& folder) {
  constexpr std::int64_t fewest = 7;  // of which 15 % are one or more
  if (folder.classes() < 2) {
    throw ValueError("own_images: " + root + " has one sub-folder with images, " + folder.class_names()[0] +
                     ": there must be one for each of two or more kinds");
  }
  std::vector<std::int64_t> counts(folder.class_names().size());
  for (const std::int64_t label : folder.labels().data<std::int64_t>())
    ++counts[static_cast<std::size_t>(label)];
  for (std::size_t kind = 0; kind < counts.size(); ++kind) {
    if (counts[kind] >= fewest) continue;
    throw ValueError(
        "own_images: " + root + "/" + folder.class_names()[kind] + " must have " + std::to_string(fewest) +
        " images or more, to train on, to judge by and to test on: got " + std::to_string(counts[kind]));
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2) {
    std::fprintf(stderr, "usage: own_images FOLDER [PICTURE]\n");
    return 2;
  }
  const std::string picture = argc > 2 ? argv[2] : "mistakes.png";
  manual_seed(0);

  // Decoded once, kept as bytes. Images that are too many for memory: see "Image folders" in docs/data.md.
  const datasets::ImageFolder folder(argv[1], {.channels = 3, .size = 32, .crop = true});
  check_images(argv[1], folder);
  const datasets::Dataset data = in_memory(folder);
  const auto parts = datasets::stratified_parts(data, {.fractions = {0.7, 0.15, 0.15}});
  std::printf("%d images of %d classes: %d to train on, %d to judge by, %d to test\n",
              static_cast<int>(data.size()), static_cast<int>(data.classes()),
              static_cast<int>(parts[0].size()), static_cast<int>(parts[1].size()),
              static_cast<int>(parts[2].size()));

  // Photographs may be mirrored, too: datasets::random_flip(). Digits may not.
  const datasets::Augment augment({datasets::random_rotation({.degrees = {-10, 10}}),
                                   datasets::random_resized_crop({.size = 32, .scale = {0.7, 1}})});
  const std::int64_t batch_size = parts[0].size() < 200 ? 8 : 16;
  const datasets::Loader loader(parts[0], {.batch_size = batch_size,
                                           .shuffle = true,
                                           .drop_last = parts[0].size() > batch_size,
                                           .sample_transform = augment});
  const datasets::Loader validation(parts[1], {.batch_size = 100});

  nn::ConvNet model({.in_channels = 3,
                     .image = 32,
                     .channels = {16, 32, 64},
                     .hidden = {64},
                     .classes = data.classes(),
                     .batch_norm = true,
                     .dropout = 0.2});
  optim::AdamW adam(model.parameters(), {.lr = 3e-3});
  // It is steps that teach, and an epoch of few images has few of them. The rate ends at 0, and the weights
  // of then are kept: a dozen images cannot tell the best epoch.
  const std::int64_t epochs = std::max<std::int64_t>(40, (400 + loader.batches() - 1) / loader.batches());
  training::Trainer trainer(model, nn::cross_entropy, adam, loader,
                            {.epochs = epochs,
                             .schedule = optim::cosine({.steps = epochs * loader.batches()}),
                             .validation = validation,
                             .metrics = {std::make_shared<training::Accuracy>()},
                             .callbacks = {std::make_shared<training::Progress>()}});
  std::printf("%s\n", trainer.fit().c_str());

  const datasets::Dataset& test = parts[2];
  const Tensor predicted = argmax(training::predict(model, test.inputs()), 1);
  const double accuracy = mean((predicted == test.labels()).to(float32)).item();
  std::printf("accuracy on the test images: %.3f\n", accuracy);
  try {
    plot::save(plot::draw_mistakes(
                   {.images = test.inputs(), .labels = {.truth = test.labels(), .predicted = predicted}},
                   test.class_names()),
               picture);
    std::printf("the mistakes: %s\n", picture.c_str());
  } catch (const Error& error) {
    std::printf("no picture of the mistakes: %s\n", error.what());
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
