// What softmax_cross_entropy's rule may write over, and when it may not.
#include <doctest/doctest.h>

#include <stdexcept>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/hooks.h"
#include "xtgrad/autograd/memory.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

namespace {

struct Losses {
  Tensor logits;
  Tensor index;

  /// Rows end within a lane, and there are several tiles of them.
  explicit Losses(const Shape& shape, std::int64_t axis)
      : logits(sin(reshape(arange(static_cast<double>(shape.numel()), {}, {.dtype = float32}), shape))),
        axis_(axis) {
    logits = logits.detach();
    logits.set_requires_grad();
    Shape runs;
    for (std::size_t d = 0; d < shape.rank(); ++d) {
      if (static_cast<std::int64_t>(d) != axis) runs.push_back(shape[d]);
    }
    index = full(runs, 2, {.dtype = int64});
  }
  [[nodiscard]] Tensor loss() const { return mean(softmax_cross_entropy(logits, index, axis_)); }

 private:
  std::int64_t axis_;
};

std::vector<float> numbers(const Tensor& t) {
  const std::span<const float> values = t.data<float>();
  return {values.begin(), values.end()};
}

}  // namespace

TEST_CASE(
    "softmax_cross_entropy: a sweep that frees has the gradient of one that keeps, of rows and of columns") {
  for (const std::int64_t axis : {1, 0}) {
    CAPTURE(axis);
    const Losses losses({axis == 1 ? 300 : 37, axis == 1 ? 37 : 300}, axis);
    const Tensor loss = losses.loss();
    const std::vector<float> kept = numbers(grad(loss, losses.logits, {.keep_graph = true}));
    CHECK(numbers(grad(loss, losses.logits, {.keep_graph = true})) == kept);
    CHECK(numbers(grad(loss, losses.logits)) == kept);
    CHECK(numbers(grad(losses.loss(), losses.logits)) == kept);
  }
}

TEST_CASE("softmax_cross_entropy: after a rule's function threw, its node can be swept again") {
  const Losses losses({5, 37}, 1);
  const Tensor each = softmax_cross_entropy(losses.logits, losses.index, 1);
  int calls = 0;
  on_rule(each, {.after = [&](const RuleCall&) {
            if (++calls == 1) throw std::runtime_error("once");
          }});
  CHECK_THROWS_AS(mean(each).backward(), std::runtime_error);
  mean(each).backward();  // its own node is spent, that of the losses is not
  CHECK(numbers(losses.logits.grad()) == numbers(grad(losses.loss(), losses.logits)));
}

TEST_CASE("softmax_cross_entropy: a sweep that frees makes no second array of the logits' size") {
  const Losses losses({512, 1000}, 1);
  const auto array = static_cast<std::int64_t>(512 * 1000 * sizeof(float));
  const auto peak_of = [&](bool keep) {
    const Tensor loss = losses.loss();
    reset_peak_memory();
    const std::int64_t before = memory_in_use();
    const Tensor gradient = grad(loss, losses.logits, {.keep_graph = keep});
    return peak_memory() - before;
  };
  CHECK(peak_of(true) >= array);
  CHECK(peak_of(false) < array / 10);
}
