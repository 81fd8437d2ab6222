// Graphs of 0-d tensors: what an operation costs beside its arithmetic.

#include "benchmarks/compare/xtgrad/helpers.h"

namespace bench {
namespace {

using xtgrad::Tensor;

/// tanh(1.01 y), 500 times.
std::unique_ptr<Workload> chain(const Name& /*name*/, float /*rate*/) {
  const Tensor start = leaf(1, {}, 0.4, 0.6);
  return std::make_unique<Differentiated>(std::vector{start}, [start] {
    Tensor y = start;
    for (int i = 0; i < 500; ++i) y = tanh(y * 1.01);
    return y;
  });
}

std::vector<Tensor> scalar_leaves(std::uint64_t stream, std::int64_t count, double low, double high) {
  std::vector<Tensor> leaves;
  for (const float x : numbers(stream, count, low, high))
    leaves.push_back(xtgrad::full({}, static_cast<double>(x), {.requires_grad = true}));
  return leaves;
}

/// Neighbours of 1024 leaves combined until one is left, by sums and by products in turn.
std::unique_ptr<Workload> tree(const Name& /*name*/, float /*rate*/) {
  std::vector<Tensor> leaves = scalar_leaves(1, 1024, 0.4, 0.6);
  return std::make_unique<Differentiated>(leaves, [leaves] {
    std::vector<Tensor> level = leaves;
    for (bool product = false; level.size() > 1; product = !product) {
      const std::size_t half = level.size() / 2;
      for (std::size_t i = 0; i < half; ++i) {
        level[i] = product ? level[2 * i] * level[2 * i + 1] : level[2 * i] + level[2 * i + 1];
      }
      level.resize(half);
    }
    return level[0];
  });
}

/// A sum of squares that takes in one of 256 leaves after the other.
std::unique_ptr<Workload> leaves_in_turn(const Name& /*name*/, float /*rate*/) {
  std::vector<Tensor> leaves = scalar_leaves(1, 256, -1, 1);
  return std::make_unique<Differentiated>(leaves, [leaves] {
    Tensor total = leaves[0] * leaves[0];
    for (std::size_t i = 1; i < leaves.size(); ++i) total = total + leaves[i] * leaves[i];
    return total;
  });
}

/// A pendulum, upright at angle 0, that a torque swings up from hanging: 100 steps of 0.05 s. Costs are the
/// torque's squares and the height that is missing.
std::unique_ptr<Workload> pendulum(const Name& /*name*/, float /*rate*/) {
  const Tensor torques = leaf(1, {100});
  return std::make_unique<Differentiated>(std::vector{torques}, [torques] {
    Tensor angle = xtgrad::full({}, 3.0);
    Tensor speed = xtgrad::full({}, 0.0);
    Tensor cost = xtgrad::full({}, 0.0);
    for (const Tensor& torque : unbind(torques)) {
      speed = speed + (sin(angle) * 9.81 - speed * 0.1 + torque) * 0.05;
      angle = angle + speed * 0.05;
      cost = cost + square(torque) * 0.001 - cos(angle);
    }
    return cost - cos(angle) * 10 + square(speed);
  });
}

}  // namespace

void add_scalars(Families& families) {
  families["chain_0d"] = chain;
  families["tree_0d"] = tree;
  families["leaves_256"] = leaves_in_turn;
  families["pendulum"] = pendulum;
}

}  // namespace bench
