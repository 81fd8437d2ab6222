// A conv net on your own images: own_images FOLDER [PICTURE]. The folder has a sub-folder of PNG or JPEG
// files for each class, named as the class; the mistakes on the test images are drawn into PICTURE,
// mistakes.png.
#include <xtgrad/xtgrad.h>

#include <xtgrad/datasets/image_folder.h>
#include <xtgrad/datasets/random_rotation.h>
#include <xtgrad/datasets/resize.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/training/training.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>

using namespace xtgrad;

int main(int argc, char** argv) try {
  if (argc < 2) {
    std::fprintf(stderr, "usage: own_images FOLDER [PICTURE]\n");
    return 2;
  }
  const std::string picture = argc > 2 ? argv[2] : "mistakes.png";
  manual_seed(0);

  // Decoded once, kept as bytes. Images that are too many for memory: see "Image folders" in docs/data.md.
  const datasets::ImageFolder folder(argv[1], {.channels = 3, .size = 32, .crop = true});
  const datasets::Dataset data = in_memory(folder);
  const auto parts = datasets::stratified_parts(data, {.fractions = {0.7, 0.15, 0.15}});
  std::printf("%d images of %d classes: %d to train on, %d to choose the epoch, %d to test\n",
              static_cast<int>(data.size()), static_cast<int>(data.classes()),
              static_cast<int>(parts[0].size()), static_cast<int>(parts[1].size()),
              static_cast<int>(parts[2].size()));

  // Photographs may be mirrored, too: datasets::random_flip(). Digits may not.
  const datasets::Augment augment({datasets::random_rotation({.degrees = {-10, 10}}),
                                   datasets::random_resized_crop({.size = 32, .scale = {0.7, 1}})});
  const datasets::Loader loader(
      parts[0],
      {.batch_size = 16, .shuffle = true, .drop_last = parts[0].size() > 16, .sample_transform = augment});
  const datasets::Loader validation(parts[1], {.batch_size = 100});

  nn::ConvNet model({.in_channels = 3,
                     .image = 32,
                     .channels = {16, 32, 64},
                     .hidden = {64},
                     .classes = data.classes(),
                     .batch_norm = true,
                     .dropout = 0.2});
  optim::AdamW adam(model.parameters(), {.lr = 3e-3});
  training::Trainer trainer(model, nn::cross_entropy, adam, loader,
                            {.epochs = 40,
                             .schedule = optim::cosine({.steps = 40 * loader.batches()}),
                             .validation = validation,
                             .metrics = {std::make_shared<training::Accuracy>()},
                             .stop = {std::make_shared<training::EarlyStopping>(
                                 model, training::EarlyStoppingOptions{.patience = 10})},
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
