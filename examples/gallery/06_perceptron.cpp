// From a unit that fires above a threshold to the neuron; what one of them can compute, and how it learns.
#include <fmt/format.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/xtgrad.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "gates.h"
#include "page.h"
#include "rosenblatt.h"

namespace {

using namespace xtgrad;
using Kind = nn::ActivationKind;

/// Whether to go out: good weather counts 4, company 2, transport as much as it is told to.
nn::Neuron outing(Kind kind, double transport = 1) {
  return nn::Neuron{{.weights = {4, 2, transport}, .bias = -4.5, .activation = kind}};
}

void draw_decision(gallery::Page& page) {
  const Tensor cases = gallery::patterns(3);
  const std::vector<double> go = plot::numbers(outing(Kind::step)(cases));
  const std::vector<double> sums = plot::numbers(outing(Kind::identity)(cases) + 4.5);
  plot::Points goes{.label = "go"};
  plot::Points stays{.label = "stay"};
  for (std::size_t i = 0; i < sums.size(); ++i) {
    plot::Points& decision = go[i] == 1 ? goes : stays;
    decision.x.push_back(static_cast<double>(i));
    decision.y.push_back(sums[i]);
  }
  plot::Chart chart{.title = "Three factors and a threshold",
                    .x = {.label = "what is good: weather (W), company (C), transport (T)",
                          .categories = {"nothing", "T", "C", "C+T", "W", "W+T", "W+C", "all"}},
                    .y = {.label = "weighted sum", .range = plot::Range{0, 8}}};
  chart.layers = {plot::Bars{.label = "weighted sum", .heights = sums},
                  plot::Series{.label = "threshold 4.5", .x = {-0.5, 7.5}, .y = {4.5, 4.5}, .markers = false},
                  stays, goes};
  page.picture(
      "decision.png",
      "All eight cases: each factor that is good adds its weight (weather 4, company 2, transport 1), "
      "and the answer is to go where the sum is above the threshold. Good weather is needed, and is "
      "not enough by itself.",
      plot::draw_chart(chart));
  page.numbers("weighted sums of all eight cases", sums);
  page.numbers("go, of all eight cases", go);
}

/// The neuron's answer where weather and transport are good and company is not.
double answer(Kind kind, double transport) { return outing(kind, transport)(tensor({1, 0, 1})).item(); }

void draw_jump(gallery::Page& page) {
  plot::Chart outputs{
      .title = "The neuron's output", .x = {.label = "weight of transport"}, .y = {.label = "output"}};
  plot::Chart changes{.title = "How far it moves",
                      .x = {.label = "change of the weight 0.5", .logarithmic = true},
                      .y = {.label = "change of the output", .logarithmic = true}};
  for (const Kind kind : {Kind::step, Kind::sigmoid, Kind::tanh, Kind::relu}) {
    const std::string name(nn::to_string(kind));
    plot::Series output{.label = name, .dashed = kind == Kind::tanh, .markers = false};
    for (int i = -400; i <= 600; ++i) {
      output.x.push_back(0.005 * i);
      output.y.push_back(answer(kind, output.x.back()));
    }
    plot::Series change{.label = name, .dashed = kind == Kind::tanh, .markers = false};
    for (double exponent = -5; exponent <= 0; exponent += 0.25) {
      change.x.push_back(std::pow(10, exponent));
      change.y.push_back(answer(kind, 0.5 + change.x.back()) - answer(kind, 0.5));
    }
    outputs.layers.emplace_back(output);
    changes.layers.emplace_back(change);
    page.number(name + ": change for a weight of 0.501 instead of 0.5",
                answer(kind, 0.501) - answer(kind, 0.5));
  }
  page.picture(
      "jump.png",
      "Weather and transport are good, company is not, and the weight of transport is changed: at 0.5 "
      "the step jumps from stay to go. Right, from there a tiny change of the weight moves the step's "
      "answer by all of 1, that of the others by a little: so they can be improved bit by bit.",
      plot::draw_charts(std::vector{outputs, changes}, {.width = 640, .height = 300}));
}

Tensor bits(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = int64}); }

void draw_gates(gallery::Page& page) {
  const Tensor corners = gallery::patterns(2);
  const Tensor exclusive = bits({0, 1, 1, 0});
  nn::Neuron both = gallery::gate(1, 1, -1);
  nn::Neuron any = gallery::gate(1, 1, -0.5);
  nn::Neuron best = gallery::best_gate(exclusive);
  const int right = gallery::right(best, exclusive);
  const std::vector<plot::Chart> charts{
      gallery::plane("AND", both, {corners, bits({0, 0, 0, 1})}),
      gallery::plane("OR", any, {corners, bits({0, 1, 1, 1})}),
      gallery::plane(fmt::format("XOR: {} of 4", right), best, {corners, exclusive})};
  page.picture("gates.png",
               "Points are what is wanted of two bits, areas what one neuron answers: a straight line "
               "cuts them. For AND it runs through two of the points, whose sum is exactly at the threshold, "
               "and for XOR no line will do.",
               plot::draw_charts(charts, {.width = 640, .height = 260}));
  page.numbers("AND: sums with the bias, of all four cases", plot::numbers(both.weighted_sum(corners)));
  page.number("XOR: right answers of the best single neuron, of 4", right);
  page.number("functions of two bits that a single neuron computes, of 16", gallery::functions_of_gates());
}

void draw_hidden(gallery::Page& page) {
  const Tensor corners = gallery::patterns(2);
  const Tensor exclusive = bits({0, 1, 1, 0});
  std::vector<nn::MLP> networks = gallery::learners(exclusive, 2);
  nn::MLP& network = networks.at(0);
  const Tensor hidden = tanh(network.layers[0](corners)).detach();
  const std::vector<plot::Chart> charts{
      gallery::plane("XOR by a network", network, {corners, exclusive}),
      gallery::plane("Its last neuron's view", network.layers[1], {hidden, exclusive, {-1.3, 1.3}, "h"})};
  page.picture(
      "hidden.png",
      "Left, two hidden neurons draw two lines, and between them is the answer 1. Right, the same four "
      "points by the outputs h of these two neurons: the two with answer 1 have come together, and one line, "
      "the last neuron's, is enough.",
      plot::draw_charts(charts, {.width = 560, .height = 330}));
  page.number("XOR: right answers of the network, of 4", gallery::right(network, exclusive));
  for (const std::int64_t neurons : {2, 3, 8}) {
    page.number(fmt::format("XOR: networks with {} hidden neurons that learn it, of 20", neurons),
                static_cast<double>(gallery::learners(exclusive, neurons).size()));
  }
  for (const nn::NamedParameter& parameter : network.named_parameters()) {
    page.numbers("network: " + parameter.name, plot::numbers(parameter.parameter->tensor()));
  }
}

void draw(gallery::Page& page) {
  const DefaultDtype in_double(float64);
  draw_decision(page);
  draw_jump(page);
  draw_gates(page);
  draw_hidden(page);
  gallery::draw_learning_rule(page);
}

}  // namespace

int main(int argc, char** argv) {
  return gallery::run(argc, argv, "From the perceptron to the neuron", draw);
}
