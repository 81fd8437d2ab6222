#pragma once

#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/datasets/synthetic.h"
#include "xtgrad/nn/mlp.h"
#include "xtgrad/nn/state_dict.h"

// What the tests of a trainer train, always the same.

namespace training_test {

using namespace xtgrad;

inline datasets::Dataset spirals() { return datasets::spirals({.classes = 3, .per_class = 34, .seed = 5}); }

inline datasets::Loader loader() {
  return datasets::Loader(spirals(), {.batch_size = 20, .shuffle = true, .seed = 1});
}

inline nn::MLP mlp() {
  manual_seed(3);
  return nn::MLP({.sizes = {2, 16, 3}, .dropout = 0.2});
}

/// Whether two states are the same, but for times.
inline bool same(const nn::StateDict& a, const nn::StateDict& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [name, value] : a) {
    if (name.ends_with("nanoseconds") || name.ends_with("records")) continue;  // they hold times
    const Tensor* other = b.find(name);
    if (other == nullptr || other->shape() != value.shape()) return false;
    if (sum(not_equal(value, *other).to(int64)).item_int64() != 0) return false;
  }
  return true;
}

}  // namespace training_test
