#include "choice_of_k.h"

#include <algorithm>

#include "xtgrad/autograd/ops.h"
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

}  // namespace gallery
