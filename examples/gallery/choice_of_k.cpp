#include "choice_of_k.h"

#include <algorithm>

#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/split.h"
#include "xtgrad/nn/nearest_neighbors.h"

namespace gallery {

std::vector<double> percent_right(const Tensor& samples, const Tensor& labels, const Tensor& queries,
                                  const Tensor& answers) {
  const nn::NearestNeighbors classifier(samples, labels);
  const nn::Neighbors nearest = classifier.neighbors(queries, ks.back());  // once, for all k
  std::vector<double> percent;
  for (const std::int64_t k : ks) {
    percent.push_back(100 * mean((classifier.vote(nearest, k) == answers).to(float64)).item());
  }
  return percent;
}

std::size_t best(const std::vector<double>& percent) {
  return static_cast<std::size_t>(std::max_element(percent.begin(), percent.end()) - percent.begin());
}

Choices compare_choices(const datasets::Dataset& data, int times) {
  Choices mean;
  for (int time = 0; time < times; ++time) {
    const std::vector<datasets::Dataset> parts = datasets::random_parts(
        data, {.fractions = {0.2, 0.05, 0.05, 0.7}, .seed = static_cast<std::uint64_t>(time)});
    const auto of = [&](const datasets::Dataset& part) {
      return percent_right(parts[0].inputs(), parts[0].labels(), part.inputs(), part.labels());
    };
    const std::vector<double> training = of(parts[0]);
    const std::vector<double> validation = of(parts[1]);
    const std::vector<double> test = of(parts[2]);
    const std::vector<double> fresh = of(parts[3]);
    const auto add = [&](Choice& choice, std::size_t k, const std::vector<double>& report) {
      choice.reported += report[k] / times;
      choice.fresh += fresh[k] / times;
    };
    add(mean.on_training, best(training), training);
    add(mean.on_validation, best(validation), test);
    add(mean.on_test, best(test), test);
  }
  return mean;
}

}  // namespace gallery
