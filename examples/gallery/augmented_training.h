#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "xtgrad/datasets/dataset.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/nn/conv_net.h"
#include "xtgrad/plot/learning_curves.h"

// A conv net's training with all that page 14 has for it.

namespace gallery {

using namespace xtgrad;

/// What is trained, and how.
struct ConvNetRecipe {
  nn::ConvNetOptions net;
  std::int64_t epochs;
  std::int64_t batch_size;
  double lr;
  double weight_decay = 0;
  double label_smoothing = 0;
  datasets::SampleTransform augment;
};

/// What came of it.
struct ConvNetTraining {
  std::shared_ptr<nn::ConvNet> model;
  std::vector<plot::EpochScores> epochs;
  std::int64_t best_epoch = 0;
  double seconds = 0;
};

/// A rising and falling learning rate, changed images in every epoch, and the weights of the epoch that did
/// best on a twelfth of the training images, which are not trained on. The test images have no part in it.
[[nodiscard]] ConvNetTraining train(const ConvNetRecipe& recipe, const datasets::Dataset& data,
                                    std::uint64_t seed);

}  // namespace gallery
