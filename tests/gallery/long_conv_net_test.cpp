// Page 14's training on the real MNIST, where its files are.
#include <doctest/doctest.h>

#include <optional>

#include "examples/gallery/augmented_training.h"
#include "examples/gallery/conv_net_recipes.h"
#include "tests/support/skip.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/mnist.h"
#include "xtgrad/datasets/split.h"
#include "xtgrad/training/training.h"

using namespace xtgrad;

namespace {

/// Training and test images, or nothing, after a message, where there are no such files.
std::optional<datasets::TrainTest> real_mnist() {
  try {
    return {{datasets::mnist(), datasets::mnist({.train = false})}};
  } catch (const IoError& error) {
    testing::skip(error.what());
    return std::nullopt;
  }
}

}  // namespace

TEST_CASE("gallery 14: one training of the page reads 99.4 % of MNIST's test images") {
  const auto data = real_mnist();
  if (!data) return;
  const gallery::ConvNetTraining training = gallery::train(gallery::recipe_for_mnist(), data->train, 0);
  const Tensor predicted = argmax(training::predict(*training.model, data->test.inputs()), 1);
  const double percent = 100 * mean(equal(predicted, data->test.labels()).to(float64)).item();
  MESSAGE("test accuracy ", percent, " %, training ", training.seconds, " s");
  CHECK(percent >= 99.4);
}
