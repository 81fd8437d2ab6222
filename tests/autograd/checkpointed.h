#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/random.h"

namespace xtgrad::checkpointed {

using Function = std::function<Tensor(std::span<const Tensor>)>;

inline Tensor leaf(const Shape& shape, std::uint64_t seed, Dtype dtype) {
  Random random(seed);
  return randn(shape, random, {.dtype = dtype, .requires_grad = true});
}

/// Value and gradients of f, checkpointed or not, for a cotangent that is no constant.
inline std::vector<Tensor> results(const Function& f, std::span<const Tensor> inputs, bool checkpointed) {
  const Tensor y = checkpointed ? checkpoint(f, inputs) : f(inputs);
  if (checkpointed) CHECK(graph_of(y).count("checkpoint") >= 1);
  Random random(77);
  const Tensor g = randn(y.shape(), random, {.dtype = y.dtype()});
  std::vector<Tensor> all =
      grad(std::span(&y, 1), inputs, {.cotangents = {g}, .create_graph = false, .allow_unused = true});
  all.push_back(y.detach());
  return all;
}

/// f's value and gradients have the bits that they have without a checkpoint.
inline void check_same(const Function& f, std::span<const Tensor> inputs) {
  const std::vector<Tensor> plain = results(f, inputs, false);
  const std::vector<Tensor> checkpointed = results(f, inputs, true);
  REQUIRE(plain.size() == checkpointed.size());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    CAPTURE(i);
    REQUIRE(plain[i].defined() == checkpointed[i].defined());
    if (plain[i].defined()) CHECK(testing::same_bits(plain[i], checkpointed[i]));
  }
}

}  // namespace xtgrad::checkpointed
