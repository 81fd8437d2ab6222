// The code of docs/data.md.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/skip.h"
#include "xtgrad/datasets/alike.h"
#include "xtgrad/datasets/combine.h"
#include "xtgrad/datasets/gaussian_noise.h"
#include "xtgrad/datasets/image_file.h"
#include "xtgrad/datasets/image_folder.h"
#include "xtgrad/datasets/mixup.h"
#include "xtgrad/datasets/random_erasing.h"
#include "xtgrad/datasets/random_rotation.h"
#include "xtgrad/datasets/resize.h"
#include "xtgrad/datasets/samplers.h"
#include "xtgrad/datasets/source.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/optim/optim.h"
#include "xtgrad/training/training.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;

namespace {

/// Photographs of 40 x 30 pixels, of two classes, as bytes.
datasets::Dataset photographs(std::int64_t n) {
  Random random(1);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(n) * 3 * 30 * 40);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next_below(256));
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < n; ++i) labels.push_back(i % 5 == 0 ? 1 : 0);
  return datasets::Dataset({.inputs = reshape(from_vector(bytes), {n, 3, 30, 40}),
                            .labels = from_vector(labels),
                            .classes = 2,
                            .class_names = {"cats", "dogs"},
                            .pixels = datasets::Pixels{}});
}

}  // namespace

TEST_CASE("docs/data.md: data sets in memory") {
  datasets::Dataset points({.inputs = tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}}),
                            .labels = tensor({0, 1, 1, 0}, {.dtype = int64}),
                            .classes = 2,
                            .class_names = {"equal", "different"}});
  const datasets::Dataset some = points.subset({3, 0});
  const datasets::Dataset more = datasets::concat({points, some});
  CHECK(more.size() == 6);
}

TEST_CASE("docs/data.md: splits") {
  const datasets::Dataset data = datasets::iris();
  const auto [train, test] = datasets::stratified_split(data, {.test = 0.2, .seed = 1});
  const auto parts = datasets::stratified_parts(data, {.fractions = {0.8, 0.1, 0.1}});
  const auto folds = datasets::k_fold(data, {.folds = 10});  // ten pairs of train and test
  CHECK(folds[9].test.size() == 15);
  CHECK(train.size() == 120);
  CHECK(parts.size() == 3);
}

TEST_CASE("docs/data.md: the loader") {
  const datasets::Dataset train = datasets::iris();
  datasets::Loader loader(train, {.batch_size = 32, .shuffle = true, .seed = 1, .workers = 2});
  std::int64_t seen = 0;
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (auto& [x, y] : loader) seen += x.size(0);
  }
  CHECK(seen == 450);
  seen = 0;
  datasets::Loader later(train, {.batch_size = 32, .shuffle = true, .seed = 1});
  later.set_epoch(2);  // the third epoch, from its fourth batch on
  for (auto at = later.begin_at(3); at != later.end(); ++at) seen += at->inputs.size(0);
  CHECK(seen == 150 - 3 * 32);
  CHECK(later.epoch() == loader.epoch());
}

TEST_CASE("docs/data.md: samplers") {
  const datasets::Dataset train = photographs(50);
  datasets::Loader by_weight(
      train, {.sampler = datasets::weighted_sampler(datasets::class_balancing_weights(train.labels()))});
  datasets::Loader in_proportion(train,
                                 {.batch_size = 10, .sampler = datasets::stratified_sampler(train.labels())});
  datasets::Loader balanced(
      train, {.batch_size = 10, .sampler = datasets::stratified_sampler(train.labels(), {.balanced = true})});
  datasets::Sampler own({.draws = 20}, [](std::int64_t, Random& random) {
    return slice(randperm(50, random), {.stop = 20});  // another twenty of fifty every epoch
  });
  const auto dogs = [](const Tensor& y) { return sum(y).item_int64(); };
  for (auto& [x, y] : in_proportion) CHECK(dogs(y) == 2);
  for (auto& [x, y] : balanced) CHECK(dogs(y) == 5);
  CHECK(by_weight.samples() == 50);
  CHECK(datasets::Loader(train, {.sampler = own}).batches() == 1);
}

namespace {

// Two images and whether they show the same: [1, 8, 8], int64 [], [1, 8, 8].
class Pairs final : public datasets::SampleSource {
 public:
  explicit Pairs(const datasets::Dataset& digits) : digits_(digits) {}
  std::int64_t size() const override { return digits_.size() - 1; }
  datasets::Sample get(std::int64_t index) const override {
    const datasets::Dataset two = digits_.subset({index, index + 1});
    const bool same = two.labels().at_int64({0}) == two.labels().at_int64({1});
    const std::vector<Tensor> images = unbind(two.inputs());
    return {images[0], full({}, same ? 1 : 0, {.dtype = int64}), images[1]};
  }

 private:
  datasets::Dataset digits_;
};

}  // namespace

TEST_CASE("docs/data.md: a source of one's own") {
  const datasets::Dataset digits = datasets::digits({.image = true}).subset({0, 1, 2, 3, 4, 5, 6, 7, 8});
  datasets::Loader loader(std::make_shared<Pairs>(digits), {.batch_size = 4, .shuffle = true, .workers = 2});
  double error = 0;
  for (auto& batch : loader) {
    const Tensor& left = batch.inputs;         // [b, 1, 8, 8]
    const Tensor& same = batch.labels;         // [b]
    const Tensor& right = batch.others.at(0);  // [b, 1, 8, 8]
    const Tensor distance = sum(square(left - right), {.axes = {1, 2, 3}});
    error += sum(distance * same.to(float32)).item();
  }
  CHECK(error == 0);  // no digit of the first nine has the label of the next
}

namespace {

class Sentences final : public datasets::SampleSource {
 public:
  std::int64_t size() const override { return 5; }
  datasets::Sample get(std::int64_t index) const override {
    return {arange(index + 1), full({}, index % 2, {.dtype = int64})};  // words [length], label
  }
  datasets::Sample collate(std::span<const datasets::Sample> samples,
                           const datasets::SampleNames& names) const override {
    std::int64_t longest = 0;
    for (const auto& sample : samples) longest = std::max(longest, sample[0].size(0));
    std::vector<datasets::Sample> padded(samples.begin(), samples.end());
    for (auto& sample : padded) {
      const std::int64_t missing = longest - sample[0].size(0);
      sample[0] = concat({sample[0], full({missing}, 0, {.dtype = int64})});
    }
    return SampleSource::collate(padded, names);  // [b, longest], [b]
  }
};

}  // namespace

TEST_CASE("docs/data.md: sequences of different lengths") {
  std::vector<Shape> shapes;
  for (auto& [x, y] : datasets::Loader(std::make_shared<Sentences>(), {.batch_size = 2}))
    shapes.push_back(x.shape());
  CHECK(shapes == std::vector<Shape>{{2, 2}, {2, 4}, {1, 5}});
}

TEST_CASE("docs/data.md: image folders") {
  const testing::TemporaryFolder temporary;
  const std::string root = temporary.path().string();
  const datasets::Dataset photos = photographs(20);
  try {
    for (std::int64_t i = 0; i < photos.size(); ++i) {
      const std::string name = root + (i % 5 == 0 ? "/dogs" : "/cats");
      std::filesystem::create_directories(name);
      datasets::write_png(name + "/" + std::to_string(i) + ".png",
                          reshape(photos.subset({i}).stored_inputs(), {3, 30, 40}));
    }
  } catch (const IoError& error) {
    testing::skip(error.what());
    return;
  }
  {
    const datasets::ImageFolder folder(root, {.size = 32, .crop = true});
    const auto [train, test] = datasets::stratified_split(datasets::in_memory(folder));
    CHECK(train.stored_inputs().dtype() == uint8);
    CHECK(test.class_counts() == std::vector<std::int64_t>{3, 1});
  }
  {
    nn::ConvNet model({.in_channels = 3, .image = 32, .channels = {2}, .hidden = {4}, .classes = 2});
    const std::string fresh = root, saved = root + "/things.safetensors";
    // A run that has learnt keeps what it knows ...
    nn::save(saved, model.state_dict());
    // ... and another one, whose model is made of the same options, is asked.
    model.load_state_dict(nn::load(saved));
    const datasets::ImageFolder photographs(fresh, {.channels = 3, .size = 32, .crop = true});
    const Tensor kinds = argmax(training::predict(model, in_memory(photographs).inputs()), 1);
    CHECK(kinds.shape() == Shape{20});
    std::filesystem::remove(saved);
  }
  const auto folder = std::make_shared<const datasets::ImageFolder>(root);
  const auto [train, test] = datasets::stratified_split(folder, folder->labels());
  datasets::Loader loader(train, {.batch_size = 8,
                                  .shuffle = true,
                                  .sample_transform = datasets::random_resized_crop({.size = 24}),
                                  .workers = 2});
  datasets::Loader test_loader(test, {.sample_transform = datasets::resize({.size = 24, .crop = true})});
  nn::ConvNet model(
      {.in_channels = 3, .image = 24, .channels = {4}, .hidden = {}, .classes = folder->classes()});
  optim::Adam adam(model.parameters());
  training::Trainer trainer(model, nn::cross_entropy, adam, loader, {.epochs = 2, .validation = test_loader});
  CHECK(trainer.fit() == "epoch limit: 2 epochs");
  CHECK(trainer.samples() == 16);
}

TEST_CASE("docs/data.md: augmentation") {
  const datasets::Dataset train = photographs(10);
  const datasets::Augment augment(
      {datasets::random_resized_crop({.size = 24, .scale = {0.5, 1}}), datasets::random_flip(),
       datasets::random_rotation({.degrees = {-10, 10}}), datasets::gaussian_noise({.sigma = 0.02}),
       datasets::normalize({.mean = {0.5}, .scale = {0.25}}), datasets::random_erasing()});
  datasets::Loader loader(train, {.batch_size = 4,
                                  .shuffle = true,
                                  .sample_transform = augment,
                                  .transform = datasets::mixup({.classes = 2, .alpha = 0.2}),
                                  .workers = 2});
  nn::ConvNet model({.in_channels = 3, .image = 24, .channels = {4}, .hidden = {}, .classes = 2});
  for (auto& [x, y] : loader) {
    const Tensor loss = nn::cross_entropy(model(x), y);  // y are probabilities, [b, 2]
    loss.backward();
  }
  CHECK(model.layers[0].weight.grad().defined());
}

namespace {

/// An image and a mask of it, [3, 30, 40] and [1, 30, 40].
class Masked final : public datasets::SampleSource {
 public:
  std::int64_t size() const override { return 8; }
  datasets::Sample get(std::int64_t index) const override {
    const Tensor image = slice(photographs(8).inputs(), {.start = index, .stop = index + 1});
    const Tensor one = reshape(image, {3, 30, 40});
    return {one, greater(slice(one, {.stop = 1}), 0.5).to(float32)};
  }
};

}  // namespace

TEST_CASE("docs/data.md: an image and its mask") {
  const auto masked = std::make_shared<Masked>();
  const auto [train, test] = datasets::random_split(masked, {.test = 0.25});  // sources, too
  const datasets::Augment both(
      {datasets::random_crop({.size = {24, 24}, .padding = 2}), datasets::random_flip()});
  datasets::Loader loader(
      train, {.batch_size = 4,
              .shuffle = true,
              .sample_transform = datasets::normalize({.mean = {0.5}, .scale = {0.25}}),  // of the image
              .whole_sample_transform = datasets::alike(both, {0, 1})});  // of the image and its mask
  CHECK(test->size() == 2);
  CHECK(loader.samples() == 6);
  for (auto& [x, y] : loader) {
    CHECK(y.shape() == Shape{x.size(0), 1, 24, 24});
    // What the padding has brought in is 0 before the image is normalised, and dark.
    const Tensor bright = greater(slice(x, {.axis = 1, .stop = 1}), 0).to(float32);
    CHECK(sum(not_equal(bright, y).to(int64)).item_int64() == 0);
  }
}
