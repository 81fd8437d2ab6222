#include "xtgrad/autograd/graph.h"

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Tensor parameter(const Shape& shape, const std::string& name) {
  Tensor tensor = ones(shape, {.requires_grad = true});
  tensor.set_name(name);
  return tensor;
}

}  // namespace

TEST_CASE("a graph lists every node once, inputs before their consumers, with what is kept") {
  const Tensor weight = parameter({4, 3}, "weight");
  const Tensor x = ones({2, 4});
  const Tensor h = tanh(matmul(x, weight));
  const Tensor y = sum(h * h, {.axes = {1}});
  const Graph graph = graph_of(y);
  // weight, x (matmul's rule reads it), matmul, tanh, mul, sum
  REQUIRE(graph.nodes.size() == 6);
  CHECK(graph.edges() == 2 + 1 + 2 + 1);
  CHECK(graph.count("tanh") == 1);
  CHECK(graph.count("exp") == 0);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const std::size_t input : graph.nodes[i].inputs) CHECK(input < i);
  }
  CHECK(graph.nodes[0].name == "weight");
  CHECK(graph.nodes[0].requires_grad);
  CHECK(graph.nodes[0].op.empty());
  CHECK(graph.nodes[5].op == "sum");
  CHECK(graph.nodes[5].shape == Shape{2});
  CHECK_FALSE(graph.nodes[5].attributes.empty());
  // weight 48 bytes, x 32, tanh 24 (its rule reads it, and mul's), the sum 8; matmul and mul are released
  CHECK(graph.bytes_kept == 48 + 32 + 24 + 8);
}

TEST_CASE("a buffer that several nodes share counts once") {
  const Tensor x = parameter({6}, "x");
  const Tensor y = exp(x);
  const Tensor z = reshape(y, {2, 3});
  const std::vector<Tensor> both{y, z};
  CHECK(graph_of(both).bytes_kept == 24 + 24);
}

TEST_CASE("what rules keep beside inputs and results is counted, each block once") {
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    const auto size = static_cast<std::int64_t>(dtype == float32 ? sizeof(float) : sizeof(double));
    const auto leaf = [&](const Shape& shape) {
      return ones(shape, {.dtype = dtype, .requires_grad = true});
    };
    {
      const Tensor x = leaf({8, 3, 4, 4}), weight = leaf({3}), bias = leaf({3});
      const std::int64_t values = (2 * x.numel() + 3 + 3) * size;
      // Two moments a channel, in double.
      const Tensor y = batch_norm(x, weight, bias);
      CHECK(graph_of(y).bytes_kept == values + 2 * 3 * 8);
      y.backward({.gradient = ones_like(y)});
      CHECK(graph_of(y).bytes_kept == y.numel() * size);
    }
    {
      const Tensor a = leaf({2, 5}), b = leaf({3, 5});
      // Where the two end, and the beginning.
      CHECK(graph_of(concat({a, b})).bytes_kept == 2 * 5 * 5 * size + 3 * 8);
    }
    {
      const Tensor x = leaf({2, 3, 8, 8});
      const Tensor y = max_pool2d(x, {.kernel = 2});
      CHECK(graph_of(y).bytes_kept == (x.numel() + y.numel()) * size + y.numel() * 4);  // a place is int32
      const std::vector<Tensor> twice{y, y};
      CHECK(graph_of(twice).bytes_kept == graph_of(y).bytes_kept);
    }
    {
      // A rule that reads its output keeps the array that a part has, too.
      const Tensor x = leaf({7});
      const auto [values, places] = sort(x);
      CHECK(graph_of(values).bytes_kept == 2 * 7 * size + 7 * 8);
    }
    CHECK(graph_of(concat({leaf({0, 5}), leaf({0, 5})})).bytes_kept == 3 * 8);
  }
}

TEST_CASE("the graph of several outputs, of a leaf, and of a constant") {
  const Tensor x = parameter({}, "x");
  const std::vector<Tensor> outputs{exp(x), sin(x)};
  CHECK(graph_of(outputs).nodes.size() == 3);
  CHECK(graph_of(x).nodes.size() == 1);
  const Graph constant = graph_of(ones({2}));
  CHECK(constant.nodes.size() == 1);
  CHECK_FALSE(constant.nodes[0].requires_grad);
}

TEST_CASE("DOT has names, shapes, attributes and edges, and its text is escaped") {
  const Tensor weight = parameter({4, 3}, "head.\"weight\"\\");
  const Tensor y = sum(matmul(ones({2, 4}), weight) * 0.5);
  y.set_name("loss");
  const std::string dot = to_dot(graph_of(y), {.title = "one \"step\""});
  CHECK(dot.rfind("digraph", 0) == 0);
  CHECK(contains(dot, "head.\\\"weight\\\"\\\\\\nfloat32 [4, 3]"));
  CHECK(contains(dot, "label=\"one \\\"step\\\"\""));
  CHECK(contains(dot, "mul_number (0.5)\\nfloat32 [2, 3]"));
  CHECK(contains(dot, "loss = sum"));
  CHECK(contains(dot, "n0 -> n2"));
  CHECK(contains(dot, "rankdir=TB"));
  CHECK(contains(to_dot(graph_of(y), {.left_to_right = true}), "rankdir=LR"));
}

TEST_CASE("DOT frames a module's parameters with the operations that take them") {
  const Tensor first = parameter({4, 3}, "net.0.weight");
  const Tensor bias = parameter({3}, "net.0.bias");
  const Tensor second = parameter({3, 1}, "net.1.weight");
  const Tensor scale = parameter({3}, "scale");  // of no module
  const Tensor y = sum(matmul(tanh(matmul(ones({2, 4}), first) + bias) * scale, second));
  const std::string dot = to_dot(graph_of(y));
  const auto frame = [&](const std::string& module) {
    const std::size_t begin = dot.find("label=\"" + module + "\"; color");
    REQUIRE(begin != std::string::npos);
    return dot.substr(begin, dot.find("  }\n", begin) - begin);
  };
  const auto count = [](const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
  };
  CHECK(count(dot, "subgraph cluster_") == 2);
  CHECK(count(frame("net.0"), " [label=") == 4);  // two parameters, their product and their sum
  CHECK(contains(frame("net.0"), "net.0.bias"));
  CHECK(contains(frame("net.0"), "matmul"));
  CHECK(count(frame("net.1"), " [label=") == 2);
  // Each node once, and what is of no module, or of two, outside.
  CHECK(count(dot, " [label=") == graph_of(y).nodes.size());
  for (const std::string module : {"net.0", "net.1"}) {
    CHECK_FALSE(contains(frame(module), "tanh"));
    CHECK_FALSE(contains(frame(module), "scale"));
  }
  CHECK(count(to_dot(graph_of(sum(first * parameter({4, 3}, "other.weight")))), "mul\\n") == 1);
  CHECK(count(to_dot(graph_of(sum(exp(parameter({2}, "x"))))), "subgraph") == 0);
}

TEST_CASE("the text of a graph says what was released and what a sweep has freed") {
  const Tensor x = parameter({2}, "x");
  const Tensor y = sum(x * 3.0);
  const std::string text = to_string(graph_of(y));
  CHECK(contains(text, "0  leaf  x  float32 [2]\n"));
  CHECK(contains(text, "1  mul_number(3)  float32 [2]  <- 0  (value released)\n"));
  CHECK(contains(text, "2  sum"));
  std::ostringstream out;
  out << graph_of(y);
  CHECK(out.str() == text);
  y.backward();
  CHECK(graph_of(y).nodes.size() == 1);
  CHECK(graph_of(y).nodes[0].freed);
}
