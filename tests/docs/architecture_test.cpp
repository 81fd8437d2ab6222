// The way of a tensor that docs/architecture.md follows, forward and back: what the page says is so.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/step_list.h"

using namespace xtgrad;
using detail::Node;
using detail::node_of;
using detail::Slot;
using xtgrad::testing::file_text;
using xtgrad::testing::values;

namespace {

struct Way {
  Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
  Tensor w = tensor({10, 20, 30}, {.requires_grad = true});
};

}  // namespace

TEST_CASE("a tensor's way: the program") {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
  const Tensor w = tensor({10, 20, 30}, {.requires_grad = true});
  const Tensor y = sum(x * w);
  y.backward();
  CHECK(y.item() == 460);
  CHECK(values(w.grad()) == std::vector<double>{5, 7, 9});
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("a tensor's way: forward") {
  const auto [x, w] = Way();
  const Tensor y = sum(x * w);

  const Node& sum_node = node_of(y);
  REQUIRE(sum_node.slots().size() == 1);
  const Slot product_edge = sum_node.slots()[0];
  const Node& product = node_of(*product_edge.node());
  CHECK(sum_node.primitive().name() == "sum");
  CHECK(product.primitive().name() == "mul");

  // mul's rule reads x for w's gradient, and nothing for x's, which nobody wants.
  CHECK(product.primitive().reads(0b10) == input_bit(0));
  CHECK(product.slots()[0].node() == x.node());
  CHECK(product.slots()[0].keeps_value());
  CHECK_FALSE(product.slots()[0].wants_gradient());
  CHECK(product.slots()[1].node() == w.node());
  CHECK_FALSE(product.slots()[1].keeps_value());
  CHECK(product.slots()[1].wants_gradient());

  // Nobody reads the product: its value went with its handle, the node stays behind the edge.
  CHECK_FALSE(product_edge.keeps_value());
  CHECK(product.values.load() == 0);
  CHECK(product.refs.load() == 1);
  CHECK_FALSE(static_cast<bool>(product.array.buffer));
  CHECK(product.array.shape == Shape{2, 3});

  CHECK(product.id > node_of(w).id);
  CHECK(sum_node.id > product.id);
  CHECK(product.origin() == &node_of(w));
}

TEST_CASE("a tensor's way: a call that is refused has touched no memory") {
  const Tensor two = ones({2});
  const Tensor x = Way().x;
  const std::int64_t before = detail::pool_stats().live_blocks;
  CHECK_THROWS_WITH_AS((void)(x * two), "mul: shapes do not broadcast: a is [2, 3], b is [2]", ShapeError);
  CHECK(detail::pool_stats().live_blocks == before);
}

TEST_CASE("a tensor's way: without a gradient to come, a result is a value alone") {
  const Tensor y = sum(Way().x * Way().x);
  CHECK_FALSE(node_of(y).recorded());
  CHECK(y.is_leaf());
}

TEST_CASE("a tensor's way: back") {
  const auto [x, w] = Way();
  const Tensor y = sum(x * w);
  const Tensor product = detail::handle_on(*node_of(y).slots()[0].node());
  y.backward();
  CHECK(values(w.grad()) == std::vector<double>{5, 7, 9});
  for (const Tensor& passed : {y, product}) {
    CHECK(node_of(passed).has(Node::freed_flag));
    CHECK(node_of(passed).has(Node::claimed_flag));
    for (const Slot& slot : node_of(passed).slots()) CHECK(slot.empty());
  }
  CHECK_THROWS_AS(y.backward(), GraphError);

  // A second gradient is added in place: nobody else sees the first.
  const detail::Buffer* const stored = node_of(w.grad()).array.buffer.get();
  sum(x * w).backward();
  CHECK(values(w.grad()) == std::vector<double>{10, 14, 18});
  CHECK(node_of(w.grad()).array.buffer.get() == stored);
}

TEST_CASE("a tensor's way: the steps") {
  const auto [x, w] = Way();
  StepList steps;
  steps.set_name("x", x);
  steps.set_name("w", w);
  Tensor y = sum(x * w);
  y.backward();
  const std::string page = file_text(std::filesystem::path(XTGRAD_SOURCE_DIR) / "docs/architecture.md");
  CHECK_MESSAGE(page.find("```\n" + steps.text()) != std::string::npos, steps.text());
}
