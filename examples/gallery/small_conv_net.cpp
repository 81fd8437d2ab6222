#include "small_conv_net.h"

#include <vector>

#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/optim/adam.h"
#include "xtgrad/optim/schedules.h"
#include "xtgrad/training/training.h"

namespace gallery {

void train(nn::ConvNet& net, const datasets::Dataset& data, std::int64_t epochs) {
  optim::Adam adam(net.parameters(), {.lr = 3e-3});
  const datasets::Loader loader(data, {.batch_size = 64, .shuffle = true});
  const optim::Schedule falling = optim::cosine({.steps = epochs * loader.batches()});
  training::Trainer trainer(net, nn::cross_entropy, adam, loader, {.epochs = epochs, .schedule = falling});
  trainer.fit();
}

double accuracy(nn::ConvNet& net, const datasets::Dataset& data) {
  training::Accuracy accuracy;
  accuracy.update(training::predict(net, data.inputs()), data.labels());
  return 100 * accuracy.value();
}

Tensor features(nn::ConvNet& net, const datasets::Dataset& data) {
  const training::EvalMode in_use(net);
  const NoGrad no_grad;
  std::vector<Tensor> batches;
  for (auto& [x, y] : datasets::Loader(data, {.batch_size = 500})) batches.push_back(net.features(x));
  return concat(batches, 0);
}

}  // namespace gallery
