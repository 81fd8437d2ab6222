// That an optimizer's step has the same bits for any number of threads, on a parameter large enough to be
// cut.
#include <doctest/doctest.h>

#include <vector>

#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/optim/optim.h"

namespace xtgrad { namespace {

/// The weights after each of three steps with random gradients.
template <class Make>
std::vector<Tensor> weights(Dtype dtype, int threads, const Make& make) {
  const testing::ThreadCount scope(threads);
  const DefaultDtype in(dtype);
  manual_seed(31);
  nn::Linear layer{331, 307};
  REQUIRE(layer.weight.shape().numel() > 100'000);  // four tiles, the last of which is not full
  auto optimizer = make(layer.parameters());
  Random random(32);
  std::vector<Tensor> seen{layer.weight.tensor().detach()};
  for (int step = 0; step < 3; ++step) {
    for (const nn::ParameterRef& parameter : layer.parameters())
      parameter->set_grad(randn(parameter->shape(), random, {.dtype = dtype}));
    optimizer.step();
    seen.push_back(layer.weight.tensor().detach());
  }
  return seen;
}

template <class Make>
void check(const Make& make) {
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    const std::vector<Tensor> one = weights(dtype, 1, make);
    const std::vector<Tensor> three = weights(dtype, 3, make);
    for (std::size_t step = 0; step < one.size(); ++step) {
      CAPTURE(step);
      CHECK(testing::same_bits(three[step], one[step]));
      if (step > 0) CHECK_FALSE(testing::same_bits(one[step], one[step - 1]));
    }
  }
}

TEST_CASE("SGD has the same bits for one thread and for three") {
  check([](auto p) { return optim::SGD(p, {.lr = 0.1}); });
  check([](auto p) {
    return optim::SGD(p, {.lr = 0.1, .momentum = 0.9, .weight_decay = 1e-2, .nesterov = true});
  });
}

TEST_CASE("Adam and AdamW have the same bits for one thread and for three") {
  check([](auto p) { return optim::Adam(p, {.lr = 0.02}); });
  check([](auto p) { return optim::Adam(p, {.lr = 0.02, .weight_decay = 1e-2, .amsgrad = true}); });
  check([](auto p) { return optim::AdamW(p, {.lr = 0.02}); });
}

}}  // namespace xtgrad
