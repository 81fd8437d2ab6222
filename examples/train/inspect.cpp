#include "inspect.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/nn/check_grads.h"

namespace train {

using xtgrad::Tensor;
namespace datasets = xtgrad::datasets;
namespace nn = xtgrad::nn;

namespace {

/// How much is checked.
struct Extent {
  std::int64_t samples;
  int probes;
};

/// Of a small network enough samples for every class boundary to matter; of a large one, as many as are soon
/// done.
Extent extent_for(const Classifier& classifier, const datasets::Dataset& data) {
  const std::int64_t features = data.sample_shape().numel();
  if (!classifier.is_conv_net() && features <= 100) return {.samples = 8, .probes = 3};
  return {.samples = features <= 1000 ? 2 : 1, .probes = 1};
}

/// Images with noise on them. Where all pixels are alike, as in the background, there are ties in every
/// pooling window, and no derivatives.
Tensor with_noise(const Tensor& images, std::uint64_t seed) {
  xtgrad::Random random(seed);
  return images + uniform(images.shape(), {}, random, {.dtype = images.dtype()});
}

}  // namespace

datasets::Dataset first_samples(const datasets::Dataset& data, std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(std::min(count, data.size())));
  std::iota(indices.begin(), indices.end(), 0);
  return data.subset(indices);
}

xtgrad::CheckGradsReport check_gradients(const Classifier& classifier, const datasets::Dataset& data) {
  using Result = xtgrad::CheckGradsReport::Result;
  const bool pools = classifier.is_conv_net();
  const Extent extent = extent_for(classifier, data);
  const datasets::Dataset few = first_samples(data, extent.samples);
  const Objective objective(classifier, few.labels());
  // A relu has a kink, and with thousands of them one may be near: the check then moves beside it. If there
  // is no room between them, other noise gives another place to look at.
  constexpr std::uint64_t places = 5;
  xtgrad::CheckGradsReport report;
  for (std::uint64_t place = 0; place < (pools ? places : 1); ++place) {
    report = nn::check_grads(objective, pools ? with_noise(few.inputs(), place) : few.inputs(),
                             {.order = checked_order, .probes = extent.probes, .avoid_kinks = true});
    if (report) return report;
    if (report.result != Result::inconclusive && report.result != Result::kink) break;
  }
  throw xtgrad::GradientError(report.message);
}

Tensor first_loss(const Classifier& classifier, const datasets::Dataset& data, std::int64_t batch_size) {
  const datasets::Dataset batch = first_samples(data, batch_size);
  Classifier copy(classifier);  // for a forward moves dropout's random stream on
  batch.inputs().set_name("inputs");
  const Tensor loss = copy.loss(copy(batch.inputs()), batch.labels());
  loss.set_name("loss");
  return loss;
}

}  // namespace train
