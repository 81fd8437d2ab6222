// Graphs that would end a recursive engine. The stack is 8 MB by default; the walks here take none of it.
#include <doctest/doctest.h>

#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

namespace {

Tensor chain(const Tensor& start, int operations) {
  Tensor y = start;
  for (int i = 0; i < operations / 2; ++i) y = tanh(y * 1.01);
  return y;
}

}  // namespace

TEST_CASE("a chain of 100,000 nodes: forward, backward, twice backward, walked, freed") {
  const std::int64_t at_start = detail::pool_stats().live_blocks;
  {
    Tensor x = full({}, 0.5, {.dtype = float64, .requires_grad = true});
    Tensor y = chain(x, 100000);
    CHECK(graph_of(y).nodes.size() == 100001);
    const Tensor first = grad({y}, {x}, {.create_graph = true})[0];
    CHECK(graph_of(first).nodes.size() > 200000);
    const Tensor second = grad({first}, {x})[0];
    CHECK(second.item() == second.item());
    y = Tensor();
  }
  CHECK(detail::pool_stats().live_blocks == at_start);
}

TEST_CASE("a chain that is dropped without a sweep is freed without recursion") {
  const std::int64_t at_start = detail::pool_stats().live_blocks;
  {
    Tensor x = full({}, 0.5, {.requires_grad = true});
    const Tensor y = chain(x, 1000000);
    CHECK(y.requires_grad());
  }
  CHECK(detail::pool_stats().live_blocks == at_start);
}

TEST_CASE("a wide graph: 100,000 leaves into one sum") {
  std::vector<Tensor> leaves;
  std::vector<Tensor> rows;
  for (int i = 0; i < 100000; ++i) {
    leaves.push_back(full({1}, i, {.dtype = float64, .requires_grad = true}));
    rows.push_back(leaves.back() * 2.0);
  }
  sum(concat(rows)).backward();
  CHECK(leaves.front().grad().item() == 2);
  CHECK(leaves.back().grad().item() == 2);
}
