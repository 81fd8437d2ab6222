// Training steps of convolutional networks.

#include "benchmarks/compare/xtgrad/helpers.h"

namespace bench {
namespace {

/// 1x28x28, two stages of a 3x3 convolution, 2x2 max pooling and relu, 16 and 32 channels; dense 128 and 10.
std::unique_ptr<Workload> small(const Name& name, float rate) {
  namespace optim = xtgrad::optim;
  const std::int64_t batch = name.numbers().at(0);
  auto model = std::make_shared<xtgrad::nn::ConvNet>();
  set_parameters(model->parameters());
  const xtgrad::Tensor x = input(1, {batch, 1, 28, 28}, 0, 1);
  const xtgrad::Tensor labels = xtgrad::from_vector(integers(2, batch, 10));
  return std::make_unique<Training>(
      [=] { return xtgrad::nn::cross_entropy((*model)(x), labels); },
      std::make_unique<optim::Adam>(model->parameters(), optim::AdamOptions{.lr = rate}));
}

}  // namespace

void add_conv_nets(Families& families) { families["convnet_adam"] = small; }

}  // namespace bench
