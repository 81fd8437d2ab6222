#include "xtgrad/datasets/alike.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "tests/datasets/image_transforms.h"
#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/augment.h"
#include "xtgrad/datasets/gaussian_noise.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/datasets/random_rotation.h"
#include "xtgrad/datasets/resize.h"
#include "xtgrad/datasets/source.h"

using namespace xtgrad;
using testing::message_of;
using testing::same_bits;

namespace {

/// An image of three channels, its mask, which is its first channel, a label.
struct Masked final : datasets::SampleSource {
  explicit Masked(Dtype dtype_of_masks) : dtype(dtype_of_masks) {}
  Dtype dtype;
  [[nodiscard]] std::int64_t size() const override { return 12; }
  [[nodiscard]] datasets::Sample get(std::int64_t index) const override {
    const Tensor image = reshape(arange(3 * 8 * 8) + index * 1000, {3, 8, 8});
    return {image.to(float32), slice(image, {.stop = 1}).to(dtype), full({}, index, {.dtype = int64})};
  }
};

datasets::Augment crop_and_flip() {
  return datasets::Augment({datasets::random_crop({.size = 8, .padding = 2}), datasets::random_flip()});
}

std::vector<datasets::Batch> batches_of(datasets::Loader loader) {
  std::vector<datasets::Batch> batches;
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (datasets::Batch& batch : loader) batches.push_back(batch);
  }
  return batches;
}

Tensor first_channel(const Tensor& images) { return slice(images, {.axis = 1, .stop = 1}); }

}  // namespace

TEST_CASE("alike: an image and its mask are cropped and mirrored alike, sample by sample") {
  for (const Dtype dtype : {float32, float64, int64}) {
    const auto batches =
        batches_of(datasets::Loader(std::make_shared<Masked>(dtype),
                                    {.batch_size = 5,
                                     .shuffle = true,
                                     .seed = 4,
                                     .whole_sample_transform = datasets::alike(crop_and_flip(), {0, 1})}));
    REQUIRE(batches.size() == 6);
    std::int64_t moved = 0;
    for (const datasets::Batch& batch : batches) {
      const Tensor images = first_channel(batch.inputs);
      CHECK(batch.labels.dtype() == dtype);
      CHECK(same_bits(images.to(dtype), batch.labels));
      for (std::int64_t i = 0; i < images.size(0); ++i) {
        const std::int64_t index = batch.others[0].at_int64({i});
        const Tensor plain = slice(Masked(float32).get(index)[0], {.stop = 1});
        const Tensor own = reshape(slice(images, {.start = i, .stop = i + 1}), {1, 8, 8});
        moved += sum(not_equal(own, plain).to(int64)).item_int64() > 0 ? 1 : 0;
      }
    }
    CHECK(moved > 12);  // of 24
  }
}

TEST_CASE("alike: workers, batches and a resumed epoch change no bit, and epochs differ") {
  const auto made = [](std::int64_t batch_size, std::int64_t workers) {
    std::vector<Tensor> images;
    for (const datasets::Batch& batch :
         batches_of(datasets::Loader(std::make_shared<Masked>(float32),
                                     {.batch_size = batch_size,
                                     .whole_sample_transform = datasets::alike(crop_and_flip(), {0, 1}),
                                     .workers = workers}))) {
      images.push_back(batch.inputs);
    }
    return concat(images);
  };
  const Tensor whole = made(12, 0);
  CHECK(same_bits(made(5, 2), whole));
  CHECK_FALSE(
      same_bits(slice(whole, {.stop = 12}) + 0.0, slice(whole, {.start = 12}) + 0.0));  // of two epochs
}

TEST_CASE("alike: then comes the transform of the first tensor, with draws of its own") {
  const datasets::SampleTransform noise = datasets::gaussian_noise({.sigma = 0.5, .clip = false});
  const auto batch_of = [](datasets::SampleTransform single, datasets::WholeSampleTransform both) {
    return batches_of(
        datasets::Loader(std::make_shared<Masked>(float32), {.batch_size = 12,
                                                             .sample_transform = std::move(single),
                                                             .whole_sample_transform = std::move(both)}))[0];
  };
  const auto both = datasets::alike(crop_and_flip(), {0, 1});
  const datasets::Batch noisy = batch_of(noise, both), plain = batch_of({}, both),
                        still = batch_of(noise, {});
  CHECK(same_bits(noisy.labels, plain.labels));
  // The noise of a sample is what it is without the other.
  const Tensor added = noisy.inputs - plain.inputs, alone = still.inputs - batch_of({}, {}).inputs;
  CHECK(amax(abs(added - alone)).item() < 1e-2);  // values are up to 11,000, with roundings of 1e-3
  CHECK(amax(abs(added)).item() > 1);
}

TEST_CASE("alike: a Dataset's images and label images, of bytes, too") {
  std::vector<std::uint8_t> values(6 * 2 * 8 * 8);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(i * 37 % 256);
  const Tensor bytes = from_span(values, {6, 2, 8, 8}, {.dtype = uint8});
  const Tensor masks = first_channel(bytes).to(float32);
  datasets::Loader loader(
      datasets::Dataset({.inputs = bytes, .labels = masks, .pixels = datasets::Pixels{}}),
      {.batch_size = 4,
       .shuffle = true,
       .whole_sample_transform = datasets::alike(
           datasets::Augment({datasets::random_resized_crop({.size = 6}), datasets::random_flip(),
                              datasets::random_rotation({.degrees = {-20, 20}})}),
           {0, 1})});
  CHECK(loader.data().size() == 6);
  const float unit = loader.data().pixels()->unit_range ? 255 : 1;
  for (auto& [x, y] : loader) {
    CHECK(x.dtype() == float32);
    CHECK(x.shape() == Shape{x.size(0), 2, 6, 6});
    CHECK(amax(abs(first_channel(x) * unit - y)).item() < 1e-3);
  }
}

TEST_CASE("a whole-sample transform of one's own, and what it may not do") {
  const auto first_of = [](datasets::WholeSampleTransform transform) {
    datasets::Loader loader(std::make_shared<Masked>(float32),
                            {.batch_size = 12, .whole_sample_transform = std::move(transform)});
    return *loader.begin();
  };
  // A mask is cropped as its image, and its label drawn.
  const datasets::Batch batch = first_of([](std::vector<Tensor>& sample, Random& random) {
    const datasets::SampleTransform crop = datasets::random_crop({.size = 4});
    Random same = random;
    sample[1] = datasets::transform_sample(sample[1], crop, same);
    sample[0] = datasets::transform_sample(sample[0], crop, random);
    sample[2] = full({}, random.next_below(2), {.dtype = int64});
  });
  CHECK(batch.inputs.shape() == Shape{12, 3, 4, 4});
  CHECK(same_bits(first_channel(batch.inputs) + 0.0, batch.labels + 0.0));
  CHECK(batch.others[0].shape() == Shape{12});

  CHECK(message_of<ValueError>([&] {
          return first_of([](std::vector<Tensor>& sample, Random&) { sample.pop_back(); });
        }) == "Loader: sample 0: whole_sample_transform must keep the number of tensors, 3: got 2");
  CHECK(message_of<ValueError>([&] {
          return first_of([](std::vector<Tensor>& sample, Random&) { sample[1] = Tensor(); });
        }) == "Loader: sample 0: whole_sample_transform: tensor 1 is an empty handle");
  CHECK(message_of<ValueError>([&] {
          return first_of(datasets::alike(crop_and_flip(), {0, 3}));
        }) == "Loader: sample 0: alike: a place must be below 3, the tensors of a sample: got 3");
  CHECK(message_of<ValueError>([] { return static_cast<bool>(datasets::alike(crop_and_flip(), {})); }) ==
        "alike: needs at least one place: got none");
  Random random(1);
  CHECK(message_of<ValueError>([&] {
          return datasets::transform_sample(Tensor(), crop_and_flip(), random);
        }) == "transform_sample: sample: the handle is empty");
  CHECK(message_of<ShapeError>([&] {
          return first_of(datasets::alike(crop_and_flip(), {2}));
        }).starts_with("Loader: sample 0: "));
}
