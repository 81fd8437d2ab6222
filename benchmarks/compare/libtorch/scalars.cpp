// Graphs of 0-d tensors.

#include "benchmarks/compare/libtorch/helpers.h"

namespace bench {
namespace {

using torch::Tensor;

std::unique_ptr<Workload> chain(const Name& /*name*/, float /*rate*/) {
  const Tensor start = leaf(1, {}, 0.4, 0.6);
  return std::make_unique<Differentiated>(std::vector{start}, [start] {
    Tensor y = start;
    for (int i = 0; i < 500; ++i) y = torch::tanh(y * 1.01);
    return y;
  });
}

std::vector<Tensor> scalar_leaves(std::int64_t count, double low, double high) {
  std::vector<Tensor> leaves;
  for (const float x : numbers(1, count, low, high))
    leaves.push_back(torch::full({}, x).set_requires_grad(true));
  return leaves;
}

std::unique_ptr<Workload> tree(const Name& /*name*/, float /*rate*/) {
  std::vector<Tensor> leaves = scalar_leaves(1024, 0.4, 0.6);
  return std::make_unique<Differentiated>(leaves, [leaves] {
    std::vector<Tensor> level = leaves;
    bool product = false;
    for (std::size_t half = level.size() / 2; half > 0; half /= 2, product = !product) {
      for (std::size_t i = 0; i < half; ++i) {
        level[i] = product ? level[2 * i] * level[2 * i + 1] : level[2 * i] + level[2 * i + 1];
      }
      level.resize(half);
    }
    return level[0];
  });
}

std::unique_ptr<Workload> leaves_in_turn(const Name& /*name*/, float /*rate*/) {
  std::vector<Tensor> leaves = scalar_leaves(256, -1, 1);
  return std::make_unique<Differentiated>(leaves, [leaves] {
    Tensor total = leaves[0] * leaves[0];
    for (std::size_t i = 1; i < leaves.size(); ++i) total = total + leaves[i] * leaves[i];
    return total;
  });
}

}  // namespace

void add_scalars(Families& families) {
  families["chain_0d"] = chain;
  families["tree_0d"] = tree;
  families["leaves_256"] = leaves_in_turn;
}

}  // namespace bench
