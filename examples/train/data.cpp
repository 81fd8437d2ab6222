#include "data.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "xtgrad/datasets/cifar.h"
#include "xtgrad/datasets/digits.h"
#include "xtgrad/datasets/mnist.h"
#include "xtgrad/datasets/split.h"
#include "xtgrad/datasets/synthetic.h"
#include "xtgrad/datasets/transforms.h"

namespace train {
namespace {

namespace datasets = xtgrad::datasets;

// Constants rather than options: who can vary the split can, without meaning to, choose one with an easy test
// part.
constexpr std::uint64_t test_split_seed = 20240229;
constexpr std::uint64_t validation_split_seed = 20240301;
constexpr std::uint64_t spirals_seed = 1;
constexpr double validation_share = 0.1;
constexpr double most_validation_samples = 5000;

datasets::TrainTest train_and_test(const DataOptions& options) {
  const auto& [name, root] = options;
  const auto split = [](const datasets::Dataset& all) {
    return datasets::stratified_split(all, {.test = 0.2, .seed = test_split_seed});
  };
  if (name == "digits") return split(datasets::unit_range(datasets::digits({.image = true}), {.high = 16}));
  if (name == "spirals") {
    return split(datasets::spirals({.classes = 3, .per_class = 400, .seed = spirals_seed}));
  }
  if (name == "mnist") {
    return {datasets::mnist({.root = root}), datasets::mnist({.root = root, .train = false})};
  }
  if (name == "fashion-mnist") {
    return {datasets::fashion_mnist({.root = root}), datasets::fashion_mnist({.root = root, .train = false})};
  }
  if (name == "cifar10") {
    return {datasets::cifar10({.root = root}), datasets::cifar10({.root = root, .train = false})};
  }
  throw std::invalid_argument(fmt::format("--data: there is no {}", name));
}

}  // namespace

Splits load_data(const DataOptions& options) {
  auto [rest, test] = train_and_test(options);
  const double share = std::min(validation_share, most_validation_samples / static_cast<double>(rest.size()));
  auto [train, validation] = datasets::stratified_split(rest, {.test = share, .seed = validation_split_seed});
  return {.train = std::move(train), .validation = std::move(validation), .test = std::move(test)};
}

}  // namespace train
