#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

namespace {

constexpr std::size_t layers = 64;
constexpr std::int64_t batch = 2040;
constexpr std::int64_t width = 16;  // small weights: their gradients wait for the end of the sweep
constexpr std::int64_t elements = batch * width * 4;
/// Bytes that the pool hands out for one [2040, 16] float32 tensor, nearly all of them elements.
constexpr auto activation =
    static_cast<std::int64_t>(detail::pool_class_bytes(detail::pool_class_of(elements + 64)));
static_assert(activation < elements + 1024);

/// The most bytes that the pool has handed out at once, looked at around every computation.
class Peak final : public detail::Watcher {
 public:
  void before_eval(const detail::Primitive&, detail::Inputs, detail::Outputs) override { look(); }
  void after_eval(const detail::Primitive&, detail::Inputs, detail::Outputs) override { look(); }
  [[nodiscard]] std::int64_t bytes() const { return most_ - at_start_; }

 private:
  void look() { most_ = std::max(most_, detail::pool_stats().live_bytes); }

  std::int64_t at_start_ = detail::pool_stats().live_bytes;
  std::int64_t most_ = at_start_;
  detail::WatchScope scope_{*this};
};

struct Net {
  std::vector<Tensor> weights;
  Tensor x;

  Net() {
    Random random(1);
    for (std::size_t i = 0; i < layers; ++i) {
      weights.push_back((randn({width, width}, random) * 0.2).set_requires_grad());
      // There before the measurement begins.
      weights.back().set_grad(zeros({width, width}));
    }
    x = randn({batch, width}, random);
  }

  /// Layers [begin, end), in checkpoints of so many each; those in turn of so many, if there is one more
  /// size.
  Tensor run(Tensor y, std::size_t begin, std::size_t end, std::span<const std::size_t> sizes) const {
    if (sizes.empty()) {
      for (std::size_t i = begin; i < end; ++i) y = tanh(matmul(y, weights[i]));
      return y;
    }
    for (std::size_t i = begin; i < end; i += sizes[0]) {
      y = checkpoint([&](const Tensor& v) { return run(v, i, i + sizes[0], sizes.subspan(1)); }, y);
    }
    return y;
  }

  struct Step {
    double activations;  // at the peak, in tensors of a layer's size
    std::vector<Tensor> gradients;
  };
  [[nodiscard]] Step step(std::span<const std::size_t> sizes) const {
    for (const Tensor& weight : weights) weight.set_grad(zeros({width, width}));
    const Peak peak;
    sum(run(x, 0, layers, sizes)).backward();
    Step step{static_cast<double>(peak.bytes()) / activation, {}};
    for (const Tensor& weight : weights) step.gradients.push_back(weight.grad());
    return step;
  }
};

}  // namespace

TEST_CASE("checkpoint: the peak of 64 layers is the boundaries and one segment's activations") {
  const Net net;
  const std::size_t of_8[] = {8};
  const std::size_t of_16_and_4[] = {16, 4};
  const Net::Step plain = net.step({});
  const Net::Step eight = net.step(of_8);
  const Net::Step nested = net.step(of_16_and_4);

  INFO("tensors of a layer at the peak: " << plain.activations << " plain, " << eight.activations
                                          << " in 8 segments, " << nested.activations << " nested");

  // What a rule works with at the peak: the cotangents of a layer's output and input, and a product; besides,
  // half a tensor for the weights' gradients and half a one for nodes and lists of steps.
  constexpr double at_work = 4;
  // tanh's rule reads its output, which is also what the next product reads: one tensor a layer.
  CHECK(plain.activations >= layers);
  CHECK(plain.activations <= layers + at_work);
  // In the backward of the last segment: the outputs of 8 segments, and that segment's 8 again.
  CHECK(eight.activations >= 8 + 8 - 1);
  CHECK(eight.activations <= 8 + 8 + at_work);
  // The outputs of 4 segments, those of the 4 segments in the last one, and the last one's 4 layers.
  CHECK(nested.activations >= 4 + 4 + 4 - 2);
  CHECK(nested.activations <= 4 + 4 + 4 + at_work);
  for (std::size_t i = 0; i < layers; ++i) {
    CAPTURE(i);
    CHECK(testing::same_bits(plain.gradients[i], eight.gradients[i]));
    CHECK(testing::same_bits(plain.gradients[i], nested.gradients[i]));
  }
}

TEST_CASE("checkpoint: the forward keeps a segment's boundaries alone") {
  const Net net;
  const std::int64_t before = detail::pool_stats().live_bytes;
  const std::size_t of_8[] = {8};
  const Tensor y = net.run(net.x, 0, layers, of_8);
  const double kept = static_cast<double>(detail::pool_stats().live_bytes - before) / activation;
  CHECK(kept >= 8);
  CHECK(kept <= 8.4);  // nodes, and lists of steps, which come from the pool as well
}

TEST_CASE("checkpoint: a sweep that frees lets go of what was kept, though the node lives on") {
  const Tensor x = ones({batch, width}, {.requires_grad = true});
  const Tensor y = checkpoint(
      [](const Tensor& v) {
        const std::vector<float> noise(batch * width, 2);
        return tanh(v * from_span(noise, {batch, width}));
      },
      x);
  const std::int64_t before = detail::pool_stats().live_bytes;
  const Tensor total = sum(y);
  total.backward();
  // The constant has gone, the gradient has come.
  CHECK(std::abs(detail::pool_stats().live_bytes - before) < activation / 4);
}
