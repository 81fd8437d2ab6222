// ctc_loss at sizes that the walk does not reach.
#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/sequence.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"

namespace xtgrad::inline v1::testing { namespace {

struct Batch {
  Tensor log_p, targets, input_lengths, target_lengths;
};

/// Items of up to 60 steps and 12 labels, one of them without any.
Batch batch_of(Dtype dtype) {
  Random random(14);
  const std::int64_t items = 9, most = 12;
  Tensor lengths = arange(items) + 4;
  lengths = where(lengths == 7, 0, lengths);
  return {log_softmax(3 * randn({60, items, 7}, random, {.dtype = dtype}), 2),
          floor(uniform({items, most}, {.low = 1, .high = 7}, random)).to(int64), 52 + arange(items),
          lengths};
}

std::vector<Tensor> losses_and_gradient(const Batch& batch, bool recorded) {
  const Tensor log_p = batch.log_p.detach().set_requires_grad();
  const Tensor losses = ctc_loss(log_p, batch.targets, batch.input_lengths, batch.target_lengths);
  const Tensor weights = linspace(-1, 2, losses.numel(), {.dtype = losses.dtype()});
  const Tensor gradient = grad(sum(losses * weights), log_p, {.create_graph = recorded});
  return {losses.detach(), gradient.detach()};
}

TEST_CASE("ctc_loss: the kernel's gradient and the recorded rule's agree in long sequences") {
  for (const Dtype dtype : {float32, float64}) {
    const Batch batch = batch_of(dtype);
    const std::vector<Tensor> fast = losses_and_gradient(batch, false);
    const std::vector<Tensor> slow = losses_and_gradient(batch, true);
    CHECK(amax(fast[0]).item() > 20);
    CHECK(amax(abs(fast[1] - slow[1])).item() < (dtype == float64 ? 1e-13 : 1e-7));
    // At each step of an input, and at no other, the shares of classes add up to 1.
    const Tensor shares = sum(fast[1].to(float64), {.axes = 2}) / linspace(-1, 2, 9, {.dtype = float64});
    const Tensor inside = reshape(arange(60), {60, 1}) < batch.input_lengths;
    CHECK(amax(abs(shares + inside.to(float64))).item() < (dtype == float64 ? 1e-12 : 1e-6));
  }
}

TEST_CASE("ctc_loss: padded targets and those one after the other have the same bits") {
  const Batch padded = batch_of(float32);
  std::vector<Tensor> labels;
  for (std::int64_t i = 0; i < 9; ++i) {
    const auto length = static_cast<std::int64_t>(padded.target_lengths.at({i}));
    labels.push_back(slice(select(padded.targets, 0, i), {.stop = length}));
  }
  Batch joined = padded;
  joined.targets = concat(labels);
  const std::vector<Tensor> a = losses_and_gradient(padded, false), b = losses_and_gradient(joined, false);
  CHECK(same_bits(a[0], b[0]));
  CHECK(same_bits(a[1], b[1]));
}

TEST_CASE("ctc_loss: threads do not change its bits") {
  const Batch batch = batch_of(float32);
  std::vector<std::vector<Tensor>> results;
  for (const int threads : {1, 2, 4}) {
    const ThreadCount scope(threads);
    results.push_back(losses_and_gradient(batch, false));
  }
  for (const std::vector<Tensor>& result : results) {
    CHECK(same_bits(result[0], results[0][0]));
    CHECK(same_bits(result[1], results[0][1]));
  }
}

}}  // namespace xtgrad::v1::testing
