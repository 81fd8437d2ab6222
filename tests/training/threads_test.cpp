// That a whole training step has the same bits for any number of threads, with layers large enough to be cut.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/optim/optim.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;

namespace {

struct Seen {
  std::string name;
  Tensor value;
};

/// All that two steps of Adam on 128 random images compute.
std::vector<Seen> train(int threads) {
  const testing::ThreadCount scope(threads);
  manual_seed(21);
  nn::ConvNet model{{.in_channels = 1, .image = 28, .channels = {16, 32}, .hidden = {128}, .classes = 10}};
  REQUIRE(model.layers[0].weight.shape() == Shape{128, 32 * 7 * 7});  // six tiles of element-wise work
  optim::Adam adam(model.parameters(), {.lr = 1e-3});
  Random random(22);
  std::vector<Seen> seen;
  for (int step = 0; step < 2; ++step) {
    const std::string at = "step " + std::to_string(step) + ": ";
    const Tensor images = randn({128, 1, 28, 28}, random);
    std::vector<std::int64_t> labels;
    for (int i = 0; i < 128; ++i) labels.push_back(static_cast<std::int64_t>(random.next_below(10)));
    const Tensor scores = model(images);
    const Tensor loss = nn::cross_entropy(scores, from_vector(labels));
    adam.zero_grad();
    loss.backward();
    seen.push_back({at + "images", images});
    seen.push_back({at + "scores", scores.detach()});
    seen.push_back({at + "loss", loss.detach()});
    for (const auto& [name, parameter] : model.named_parameters())
      seen.push_back({at + "gradient of " + name, parameter->grad()});
    adam.step();
    for (const auto& [name, parameter] : model.named_parameters())
      seen.push_back({at + name, parameter->tensor().detach()});
  }
  return seen;
}

}  // namespace

TEST_CASE("two training steps of a conv net have the same bits for one, two and three threads") {
  const std::vector<Seen> one = train(1);
  REQUIRE(one.size() == 2 * (3 + 8 + 8));
  for (const Seen& tensor : one) {
    CAPTURE(tensor.name);
    CHECK(amax(abs(tensor.value)).item() > 0);
  }
  for (const int threads : {2, 3}) {
    CAPTURE(threads);
    const std::vector<Seen> several = train(threads);
    for (std::size_t i = 0; i < one.size(); ++i) {
      CAPTURE(one[i].name);
      CHECK(testing::same_bits(several[i].value, one[i].value));
    }
  }
}
