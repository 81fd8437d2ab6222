// Backpropagation, step by step: a network of two layers, by the engine and by hand.
#include <fmt/format.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/xtgrad.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "backprop_html.h"
#include "network_picture.h"
#include "page.h"
#include "recorded_graph.h"

namespace {

using namespace xtgrad;

/// Two inputs, two hidden neurons, two outputs. Vectors are columns.
struct Given {
  Tensor x;
  Tensor w1;
  Tensor b1;
  Tensor w2;
  Tensor b2;
  Tensor y;  // what should come out
};

/// Training asks for the gradients of weights and biases alone; here all numbers are to be seen.
Given given() {
  const TensorOptions wanted{.dtype = float64, .requires_grad = true};
  return {.x = tensor({{1}, {0.5}}, wanted).set_name("x"),
          .w1 = tensor({{0.4, -0.6}, {0.7, 0.2}}, wanted).set_name("W₁"),
          .b1 = tensor({{0.1}, {-0.3}}, wanted).set_name("b₁"),
          .w2 = tensor({{0.5, -0.8}, {-0.4, 0.9}}, wanted).set_name("W₂"),
          .b2 = tensor({{0.2}, {0.1}}, wanted).set_name("b₂"),
          .y = tensor({{1}, {0}}, wanted).set_name("y")};
}

/// Forward, an operation at a time, and back by the engine.
gallery::RecordedGraph by_engine(const Given& n) {
  const Tensor s1 = matmul(n.w1, n.x).set_name("s₁");
  const Tensor z1 = (s1 + n.b1).set_name("z₁");
  const Tensor a1 = sigmoid(z1).set_name("a₁");
  const Tensor s2 = matmul(n.w2, a1).set_name("s₂");
  const Tensor z2 = (s2 + n.b2).set_name("z₂");
  const Tensor a2 = sigmoid(z2).set_name("a₂");
  const Tensor e = (n.y - a2).set_name("e");
  const Tensor q = square(e).set_name("q");
  const Tensor total = sum(q).set_name("S");
  const Tensor cost = (0.5 * total).set_name("C");
  const std::vector<Tensor> all{n.x, n.w1, n.b1, n.w2, n.b2, n.y, s1, z1, a1, s2, z2, a2, e, q, total, cost};
  return gallery::record(cost, all);
}

/// The gradients by the formulas that one derives with pencil and paper, each from those before it. Nothing
/// is recorded: this is how networks were trained before there were engines.
std::map<std::string, Tensor> by_hand(const Given& n) {
  const NoGrad no_grad;
  const Tensor a1 = sigmoid(matmul(n.w1, n.x) + n.b1);
  const Tensor a2 = sigmoid(matmul(n.w2, a1) + n.b2);
  const Tensor delta2 = (a2 - n.y) * a2 * (1 - a2);
  const Tensor delta1 = matmul(transpose(n.w2), delta2) * a1 * (1 - a1);
  return {{"z₂", delta2}, {"b₂", delta2}, {"W₂", matmul(delta2, transpose(a1))},
          {"z₁", delta1}, {"b₁", delta1}, {"W₁", matmul(delta1, transpose(n.x))}};
}

/// Every number of the way forward and the way back, a tensor a line.
void print(const gallery::RecordedGraph& graph) {
  fmt::print("{:4}{:12}{:42}{}\n", "", "operation", "value", "derivative of C");
  for (const gallery::RecordedNode& node : graph.nodes) {
    const auto text = [](const Tensor& tensor) {
      return fmt::format("{:.6f}", fmt::join(plot::numbers(tensor), ", "));
    };
    fmt::print("{:4}{:12}{:42}{}\n", node.graph.name, node.graph.op, text(node.value), text(node.cotangent));
  }
}

void draw(gallery::Page& page) {
  const Given network = given();
  const gallery::RecordedGraph graph = by_engine(network);
  const std::map<std::string, Tensor> hand = by_hand(network);
  print(graph);

  double difference = 0;
  for (const gallery::RecordedNode& node : graph.nodes) {
    page.numbers(node.graph.name, plot::numbers(node.value));
    page.numbers("∂C/∂" + node.graph.name, plot::numbers(node.cotangent));
    if (!hand.contains(node.graph.name)) continue;
    const Tensor& formula = hand.at(node.graph.name);
    page.numbers("∂C/∂" + node.graph.name + " by hand", plot::numbers(formula));
    difference = std::max(difference, amax(abs(node.cotangent - formula)).item());
  }
  page.number("largest difference between engine and hand", difference);

  page.picture(
      "network.png",
      "Every number of one training step of a small network: black ones were computed from left to "
      "right: weights on their edges, b, z and a at the neurons, and the cost. Orange ones were "
      "computed from right to left: each neuron's δ, which is also the gradient of its bias, and under each "
      "weight how much C changes with it.",
      gallery::draw_network(graph));
  page.file("backprop.html",
            "The same step in the browser, an operation at a time: forward to the cost, then back, with each "
            "operation's value, its cotangent and the rule that hands it on. Arrow keys, clicks and touch.",
            gallery::backprop_html(
                graph, {{"z₂", "Its cotangent is what tutorials call the delta of the second layer, δ₂."},
                        {"z₁",
                         "Its cotangent is the delta of the first layer, δ₁: δ₂ has come back "
                         "through the weights W₂ and the slope of the sigmoid."},
                        {"W₁", "Training moves it a little way against its gradient."},
                        {"W₂", "Training moves it a little way against its gradient."},
                        {"C", "The way back begins here: C changes with itself at the rate 1."}}));
}

}  // namespace

int main(int argc, char** argv) { return gallery::run(argc, argv, "Backpropagation, step by step", draw); }
