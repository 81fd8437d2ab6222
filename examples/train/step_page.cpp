#include "step_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "inspect.h"
#include "xtgrad/autograd/explore.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/optim/optimizer.h"

namespace train {

using xtgrad::Tensor;

namespace {

constexpr std::int64_t most_samples = 8;  // a page of a few megabytes, whatever the batches are

}  // namespace

void write_step_page(const Classifier& classifier, const xtgrad::datasets::Dataset& data,
                     const Options& options) {
  const xtgrad::datasets::Dataset batch = first_samples(data, std::min(options.batch_size, most_samples));
  Classifier copy(classifier);
  const std::unique_ptr<xtgrad::optim::Optimizer> optimizer =
      make_optimizer(options.optimizer, options.lr, copy);
  auto step = xtgrad::capture(
      [&](const Tensor& inputs, const Tensor& labels) {
        Tensor loss = copy.loss(copy(inputs), labels);
        optimizer->zero_grad();
        loss.backward();
        optimizer->step();
        return loss;
      },
      {batch.inputs(), batch.labels()}, {&copy, optimizer.get()});
  explore(step.watch(batch.inputs(), batch.labels()), options.explore,
          {.title = fmt::format("{} on {}: one training step of {} samples", options.model, options.data,
                                batch.size())});
}

}  // namespace train
