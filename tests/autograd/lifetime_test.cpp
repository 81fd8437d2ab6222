#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "xtgrad/autograd/core/buffer.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

namespace {

/// Bytes that the pool hands out for a buffer of `bytes` bytes of elements.
std::int64_t block_bytes(std::int64_t bytes) {
  return static_cast<std::int64_t>(detail::pool_class_bytes(
      detail::pool_class_of(static_cast<std::size_t>(bytes) + detail::Buffer::alignment)));
}

std::int64_t live_blocks() { return detail::pool_stats().live_blocks; }
std::int64_t live_bytes() { return detail::pool_stats().live_bytes; }

}  // namespace

TEST_CASE("after a forward of 20 layers only what the rules read is alive") {
  constexpr std::int64_t layers = 20;
  constexpr std::int64_t batch = 64;
  constexpr std::int64_t width = 256;
  constexpr std::int64_t activation = batch * width * 4;  // bytes of one [64, 256] float32 tensor
  const std::int64_t blocks_at_start = live_blocks();
  {
    Random random(1);
    std::vector<Tensor> weights;
    for (int i = 0; i < layers; ++i) {
      weights.push_back(randn({width, width}, random) * 0.05);
      weights.back().set_requires_grad();
    }
    const Tensor x = randn({batch, width}, random);
    const std::int64_t bytes_before = live_bytes();
    const std::int64_t blocks_before = live_blocks();

    Tensor y = x;
    for (const Tensor& weight : weights) y = tanh(matmul(y, weight) * 0.9);
    const Tensor loss = sum(y);
    y = Tensor();

    // tanh's rule reads its output, and matmul's the output of the tanh before it and the weight. Nobody
    // reads the outputs of matmul and of the scaling, so those are gone; the last tanh keeps its own.
    const Graph graph = graph_of(loss);
    const std::int64_t weights_and_input = layers * width * width * 4 + activation;
    const std::int64_t loss_bytes = 4;
    CHECK(graph.bytes_kept == weights_and_input + layers * activation + loss_bytes);
    CHECK(graph.count("tanh") == layers);
    for (const GraphNode& node : graph.nodes) {
      const bool released = node.op == "matmul" || node.op == "mul_number";
      CHECK((node.value_bytes == 0) == released);
    }
    // The same from the allocator's side: one buffer a layer and one for the loss, and a node an operation.
    const std::int64_t nodes = 3 * layers + 1;
    CHECK(live_blocks() - blocks_before == layers + 1 + nodes);
    const std::int64_t buffers = layers * block_bytes(activation) + block_bytes(64);
    const std::int64_t node_bytes = live_bytes() - bytes_before - buffers;
    CHECK(node_bytes > nodes * 100);
    CHECK(node_bytes <= nodes * 192);
  }
  CHECK(live_blocks() == blocks_at_start);
}

TEST_CASE("nothing of a graph is left when its last handle dies, swept or not") {
  const std::int64_t at_start = live_blocks();
  {
    Tensor x = full({3}, 0.5, {.requires_grad = true});
    Tensor y = sum(tanh(x * 2.0) + exp(x));
    SUBCASE("never swept") {}
    SUBCASE("swept") { y.backward(); }
    SUBCASE("swept and kept") { y.backward({.keep_graph = true}); }
    SUBCASE("second order, with gradients that refer to the leaf they belong to") {
      y.backward({.create_graph = true});
      // x's gradient was computed from x: the one cycle that can be made, which clearing the gradient breaks.
      x.clear_grad();
    }
    SUBCASE("by grad") {
      const std::vector<Tensor> first = grad({y}, {x}, {.create_graph = true});
      const std::vector<Tensor> second = grad({sum(first[0])}, {x});
      CHECK(second[0].shape() == Shape{3});
    }
  }
  CHECK(live_blocks() == at_start);
}

TEST_CASE("a sweep frees as it passes") {
  Tensor x = full({1024}, 0.5, {.requires_grad = true});
  Tensor y = x;
  for (int i = 0; i < 10; ++i) y = tanh(y);
  const std::int64_t before = live_blocks();
  sum(y).backward();
  // Ten nodes lost their slots; nine of them and their values are gone, y's node and value are held by y.
  CHECK(live_blocks() == before - 18 + 2);  // and x has a gradient now: a node and a buffer
  CHECK(graph_of(y).nodes.size() == 1);
  CHECK(graph_of(y).nodes[0].freed);
  CHECK(y.at({0}) > 0);
}

TEST_CASE("a released value does not take the node with it") {
  Tensor x = full({4}, 0.25, {.requires_grad = true});
  const Tensor y = exp((x * 2.0) + 1.0);  // both inner values are read by nobody
  const Graph graph = graph_of(y);
  CHECK(graph.nodes.size() == 4);
  CHECK(graph.nodes[1].value_bytes == 0);
  CHECK(graph.nodes[2].value_bytes == 0);
  sum(y).backward();
  CHECK(x.grad().at({0}) == doctest::Approx(2 * std::exp(1.5)));
}

TEST_CASE("constants that no rule reads are not kept") {
  const std::int64_t at_start = live_blocks();
  Tensor x = full({4}, 1, {.requires_grad = true});
  Tensor sum_of_both;
  {
    const Tensor constant = full({4}, 2);
    sum_of_both = x + constant;
  }
  // x: node, buffer, and the two parts of a leaf's state; the sum: node and buffer. The constant is gone.
  CHECK(live_blocks() - at_start == 6);
}

TEST_CASE("ten thousand consumers of one tensor, and their release") {
  Tensor x = full({}, 0.5, {.dtype = float64, .requires_grad = true});
  Tensor total = full({}, 0, {.dtype = float64});
  for (int i = 0; i < 10000; ++i) total = total + x * static_cast<double>(i);
  total.backward();
  CHECK(x.grad().item() == 10000.0 * 9999.0 / 2);
}
