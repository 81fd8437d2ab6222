#include "data.h"

#include <fmt/format.h>

#include <cstdint>
#include <stdexcept>

#include "xtgrad/datasets/digits.h"
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

datasets::Dataset all_samples(const std::string& name) {
  if (name == "digits") return datasets::unit_range(datasets::digits(), {.high = 16});
  if (name == "spirals") return datasets::spirals({.classes = 3, .per_class = 400, .seed = spirals_seed});
  throw std::invalid_argument(fmt::format("--data: there is no {}", name));
}

}  // namespace

Splits load_data(const std::string& name) {
  auto [rest, test] = datasets::stratified_split(all_samples(name), {.test = 0.2, .seed = test_split_seed});
  auto [train, validation] = datasets::stratified_split(rest, {.test = 0.1, .seed = validation_split_seed});
  return {.train = train, .validation = validation, .test = test};
}

}  // namespace train
