#include "evaluate.h"

#include <algorithm>
#include <vector>

#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace train {

using xtgrad::Tensor;

namespace {

// All at once, the feature maps of 10,000 images would take half a gigabyte.
constexpr std::int64_t samples_at_once = 500;

}  // namespace

Tensor scores_of(Classifier& classifier, const Tensor& inputs) {
  const xtgrad::NoGrad no_grad;
  const bool was_training = classifier.is_training();
  classifier.eval();
  std::vector<Tensor> parts;
  const std::int64_t n = inputs.size(0);
  for (std::int64_t first = 0; first < n; first += samples_at_once) {
    parts.push_back(
        classifier(slice(inputs, {.start = first, .stop = std::min(first + samples_at_once, n)})));
  }
  classifier.train(was_training);
  return concat(parts);
}

Score score(const Classifier& classifier, const Tensor& scores, const Tensor& labels) {
  return {
      .loss = classifier.loss(scores, labels).item(),
      .accuracy = static_cast<double>(count_correct(scores, labels)) / static_cast<double>(labels.size(0))};
}

Score evaluate(Classifier& classifier, const xtgrad::datasets::Dataset& data) {
  return score(classifier, scores_of(classifier, data.inputs()), data.labels());
}

std::int64_t count_correct(const Tensor& scores, const Tensor& labels) {
  return sum(equal(argmax(scores, 1), labels).to(xtgrad::int64)).item_int64();
}

}  // namespace train
