// Training steps of convolutional networks, and convolutions alone.

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

/// conv/n-in-size-out-kernel-stride-padding-groups, with both gradients.
std::unique_ptr<Workload> convolution(const Name& name, float /*rate*/) {
  const std::vector<std::int64_t> s = name.numbers();
  const xtgrad::Tensor x = leaf(1, {s.at(0), s.at(1), s.at(2), s.at(2)});
  const xtgrad::Tensor weight = leaf(2, {s.at(3), s.at(1) / s.at(7), s.at(4), s.at(4)});
  const xtgrad::Conv2dOptions options{.stride = s.at(5), .padding = s.at(6), .groups = s.at(7)};
  const std::int64_t result = (s.at(2) + 2 * s.at(6) - s.at(4)) / s.at(5) + 1;
  return std::make_unique<Differentiated>(
      std::vector{x, weight}, [=] { return conv2d(x, weight, options); },
      input(9, {s.at(0), s.at(3), result, result}));
}

/// conv_transpose/n-in-size-out-kernel-stride-padding
std::unique_ptr<Workload> transposed(const Name& name, float /*rate*/) {
  const std::vector<std::int64_t> s = name.numbers();
  const xtgrad::Tensor x = leaf(1, {s.at(0), s.at(1), s.at(2), s.at(2)});
  const xtgrad::Tensor weight = leaf(2, {s.at(1), s.at(3), s.at(4), s.at(4)});
  const xtgrad::ConvTranspose2dOptions options{.stride = s.at(5), .padding = s.at(6)};
  const std::int64_t result = (s.at(2) - 1) * s.at(5) - 2 * s.at(6) + s.at(4);
  return std::make_unique<Differentiated>(
      std::vector{x, weight}, [=] { return conv_transpose2d(x, weight, options); },
      input(9, {s.at(0), s.at(3), result, result}));
}

}  // namespace

void add_conv_nets(Families& families) {
  families["convnet_adam"] = small;
  families["conv"] = convolution;
  families["conv_transpose"] = transposed;
}

}  // namespace bench
