// Activation functions with their derivatives, and the neurons that one of them lets die.
#include <fmt/format.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/xtgrad.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "dead_neurons.h"
#include "page.h"

namespace {

using namespace xtgrad;
using Kind = nn::ActivationKind;

struct Function {
  std::string name;
  Kind kind;
  plot::Range shown = {-2.2, 2.2};
};

const std::vector<Function> functions{{"step", Kind::step, {-0.2, 1.1}},
                                      {"sigmoid", Kind::sigmoid, {-0.2, 1.1}},
                                      {"tanh", Kind::tanh},
                                      {"ReLU", Kind::relu},
                                      {"Leaky ReLU", Kind::leaky_relu},
                                      {"ELU", Kind::elu},
                                      {"GELU", Kind::gelu},
                                      {"SiLU", Kind::silu}};

/// dy/dx, elementwise, recorded so that it has a derivative, too. A y that does not depend on x has the
/// derivative 0.
Tensor derivative(const Tensor& y, const Tensor& x) {
  if (!y.requires_grad()) return zeros_like(x);
  const Tensor dy = grad({sum(y)}, {x}, {.create_graph = true, .allow_unused = true})[0];
  return dy.defined() ? dy : zeros_like(x);
}

/// An activation of x and its first three derivatives.
std::array<Tensor, 4> derivatives(Kind kind, const Tensor& x) {
  const Tensor y = nn::activate(x, kind, {.slope = 0.1});
  const Tensor first = derivative(y, x);
  const Tensor second = derivative(first, x);
  return {y, first, second, derivative(second, x)};
}

void draw_functions(gallery::Page& page) {
  const std::array<std::string, 4> names{"f", "f′", "f″", "f‴"};
  // An even number of places: 0, where some have a kink, is not among them.
  const Tensor x = linspace(-4, 4, 400, {.requires_grad = true});
  const Tensor places = tensor({-3, -1, -0.25, 0.5, 2}, {.requires_grad = true});
  std::vector<plot::Chart> charts;
  for (const Function& function : functions) {
    plot::Chart chart{
        .title = function.name, .x = {.label = "z"}, .y = {.label = "value", .range = function.shown}};
    const std::array<Tensor, 4> curves = derivatives(function.kind, x);
    const std::array<Tensor, 4> values = derivatives(function.kind, places);
    for (std::size_t i = 0; i < names.size(); ++i) {
      chart.layers.emplace_back(plot::Series{.label = names[i],
                                             .x = plot::numbers(x),
                                             .y = plot::numbers(curves[i]),
                                             .dashed = i > 1,
                                             .markers = false});
      page.numbers(function.name + ": " + names[i] + " at -3, -1, -0.25, 0.5, 2", plot::numbers(values[i]));
    }
    charts.push_back(chart);
  }
  page.picture(
      "derivatives.png",
      "Activation functions and their first three derivatives, by the engine. Sigmoid and tanh are flat on "
      "both sides, where next to no gradient gets through; ReLU is flat on one, where its relatives have "
      "some slope, at least near 0.",
      plot::draw_charts(charts, {.width = 560, .height = 860, .per_row = 2}));
}

struct Training {
  std::string label;
  Kind kind;
  double lr;
};

plot::Series over_epochs(const std::string& label, const std::vector<double>& values) {
  std::vector<double> epochs(values.size());
  std::iota(epochs.begin(), epochs.end(), 0);
  return {.label = label, .x = epochs, .y = values};
}

void draw_deaths(gallery::Page& page) {
  const auto data = gallery::flat_digits(page);
  if (!data) return;
  const plot::Axis epochs{.label = "epoch", .whole_numbers = true};
  const plot::Axis share{.label = "dead neurons (%)", .range = plot::Range{0, 100}};
  const plot::Axis loss{.label = "cross-entropy (nats)", .logarithmic = true};
  std::vector<plot::Chart> charts{{.title = "ReLU, by its learning rate", .x = epochs, .y = share},
                                  {.title = "At the rate 0.03", .x = epochs, .y = share},
                                  {.title = "Loss of ReLU, by its rate", .x = epochs, .y = loss},
                                  {.title = "Loss at the rate 0.03", .x = epochs, .y = loss}};
  std::vector<double> dead;  // at the end
  for (const Training& training : {Training{"ReLU, 0.002", Kind::relu, 0.002},
                                   {"ReLU, 0.03", Kind::relu, 0.03},
                                   {"ReLU, 0.1", Kind::relu, 0.1},
                                   {"Leaky ReLU, 0.03", Kind::leaky_relu, 0.03},
                                   {"ELU, 0.03", Kind::elu, 0.03},
                                   {"GELU, 0.03", Kind::gelu, 0.03}}) {
    const gallery::Deaths deaths = gallery::deaths_in_training(
        *data, {.activation = training.kind, .lr = training.lr, .epochs = page.choose(12, 4)});
    for (const std::size_t column : {0UL, 1UL}) {
      if (column == 0 ? training.kind != Kind::relu : training.lr != 0.03) continue;
      charts[column].layers.emplace_back(over_epochs(training.label, deaths.dead));
      charts[column + 2].layers.emplace_back(over_epochs(training.label, deaths.loss));
    }
    dead.push_back(deaths.dead.back());
    page.numbers(training.label + ": dead (%), by epoch", deaths.dead);
    page.numbers(training.label + ": loss, by epoch", deaths.loss);
  }
  page.picture(
      "dead.png",
      fmt::format(
          "At the end of training {:.1f} % of the ReLUs are dead at the learning rate 0.002, {:.1f} % at "
          "0.03 and {:.1f} % at 0.1, where what is left of the network learns much less. At 0.03 it is "
          "{:.1f} % of the Leaky ReLUs, {:.1f} % of the ELUs and {:.1f} % of the GELUs, whose losses say "
          "whether the rate suits them.",
          dead.at(0), dead.at(1), dead.at(2), dead.at(3), dead.at(4), dead.at(5)),
      plot::draw_charts(charts, {.width = 640, .height = 560, .per_row = 2}));
}

void draw(gallery::Page& page) {
  {
    const DefaultDtype in_double(float64);
    draw_functions(page);
  }
  draw_deaths(page);
}

}  // namespace

int main(int argc, char** argv) { return gallery::run(argc, argv, "Activation functions", draw); }
