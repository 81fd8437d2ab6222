// How little of a gradient arrives in the first layers of a deep network, and what helps.
#include <xtgrad/plot/plot.h>
#include <xtgrad/xtgrad.h>

#include <numeric>
#include <string>
#include <vector>

#include "deep_net.h"
#include "page.h"

namespace {

using namespace xtgrad;
using gallery::Between;
using gallery::Recipe;
using gallery::Start;
using Kind = nn::ActivationKind;

const Recipe sigmoids{"sigmoid", Kind::sigmoid};
const Recipe tanhs{"tanh", Kind::tanh};
const Recipe relus{"ReLU", Kind::relu};
const Recipe relus_by_he{"ReLU, He's start", Kind::relu, Start::he};

/// A line over the layers, of which the first is 1.
plot::Series by_layer(const std::string& label, const std::vector<double>& values, bool dashed = false) {
  std::vector<double> layers(values.size());
  std::iota(layers.begin(), layers.end(), 1);
  return {.label = label, .x = layers, .y = values, .dashed = dashed};
}

const plot::Axis layer_axis{.label = "layer", .whole_numbers = true};
const plot::Axis norm_axis{.label = "norm of the gradient", .logarithmic = true};

/// The gradients of some networks on the first 256 samples, before any training.
plot::Chart norms_chart(gallery::Page& page, const std::string& title, const datasets::Dataset& data,
                        const std::vector<Recipe>& recipes) {
  plot::Chart chart{.title = title, .x = layer_axis, .y = norm_axis};
  const datasets::Batch batch = *datasets::Loader(data, {.batch_size = 256}).begin();
  for (const Recipe& recipe : recipes) {
    const std::vector<double> norms = gallery::first_gradient_norms(recipe, data, batch);
    chart.layers.emplace_back(by_layer(recipe.name, norms));
    page.numbers(recipe.name + ": norms at the first step", norms);
    page.number(recipe.name + ": last layer's norm over the first's", norms.back() / norms.front());
  }
  return chart;
}

/// What a layer of sigmoids leaves of a gradient, and the most that it can.
plot::Chart factors_chart(gallery::Page& page, const datasets::Dataset& data) {
  const datasets::Batch batch = *datasets::Loader(data, {.batch_size = 256}).begin();
  const gallery::WayBack way = gallery::way_back(sigmoids, data, batch);
  std::vector<double> bounds;
  for (const double stretch : way.stretch) bounds.push_back(stretch / 4);
  page.numbers("sigmoid: factors from layer to layer", way.factors);
  page.numbers("sigmoid: bounds of the factors", bounds);
  plot::Chart chart{
      .title = "What a layer leaves of it", .x = layer_axis, .y = {.label = "factor, from the layer above"}};
  chart.layers.emplace_back(by_layer("sigmoid", way.factors));
  chart.layers.emplace_back(by_layer("at most ¼ ‖W‖", bounds, true));
  return chart;
}

void draw_first_step(gallery::Page& page, const datasets::Dataset& data) {
  const std::vector<plot::Chart> charts{
      norms_chart(page, "At the first step", data, {sigmoids, tanhs, relus}), factors_chart(page, data)};
  page.picture(
      "first_step.png",
      "A gradient on its way back, from layer 11 to layer 1, before any training: in a network of sigmoids "
      "each layer leaves about a seventh of it. Right, that factor, which is at most a quarter, the steepest "
      "slope of a sigmoid, of what the weights can stretch a vector by.",
      plot::draw_charts(charts, {.width = 640, .height = 320}));
}

void draw_help(gallery::Page& page, const datasets::Dataset& data) {
  const std::vector<plot::Chart> charts{
      norms_chart(page, "Sigmoid", data,
                  {sigmoids,
                   {"Xavier's start", Kind::sigmoid, Start::xavier},
                   {"layer norm", Kind::sigmoid, Start::linear, Between::layer_norm},
                   {"batch norm", Kind::sigmoid, Start::linear, Between::batch_norm},
                   {"residual", Kind::sigmoid, Start::linear, Between::residual}}),
      norms_chart(page, "tanh and ReLU", data,
                  {tanhs, {"tanh, Xavier's start", Kind::tanh, Start::xavier}, relus, relus_by_he})};
  // Each under its own legend: their lines have nothing in common.
  std::vector<plot::Canvas> pages;
  for (const plot::Chart& chart : charts)
    pages.push_back(plot::draw_chart(chart, {.width = 380, .height = 360}));
  page.picture(
      "help.png",
      "What helps sigmoids is batch normalisation or a way around each layer (residual); Xavier's larger "
      "weights and layer normalisation help a little. For tanh and ReLU it is enough to start from weights "
      "of the right size, Xavier's or He's.",
      plot::beside(pages, {.per_row = 2}));
}

void draw_training(gallery::Page& page, const datasets::Dataset& data) {
  const datasets::Loader loader(data, {.batch_size = 64, .shuffle = true});
  std::vector<plot::Canvas> maps;
  for (const Recipe& recipe : {sigmoids, tanhs, relus, relus_by_he}) {
    const gallery::Descent descent = gallery::descend(recipe, loader, page.choose(40, 4));
    maps.push_back(gallery::norms_map(recipe, descent));
    page.numbers(recipe.name + ": norms at the training's first step", descent.norms.front());
    page.numbers(recipe.name + ": norms at the training's last step", descent.norms.back());
    page.number(recipe.name + ": loss in the last epoch", descent.loss);
    page.number(recipe.name + ": accuracy in the last epoch", descent.accuracy);
  }
  page.picture(
      "training.png",
      "Rows are layers, columns go through the training, and brighter is a larger gradient. The first layers "
      "of the sigmoids stay dark, and the network learns nothing; ReLUs that start from He's weights are "
      "bright in all layers, and learn.",
      plot::beside(maps, {.per_row = 1}));
}

void draw(gallery::Page& page) {
  const auto data = gallery::flat_digits(page);
  if (!data) return;
  draw_first_step(page, *data);
  draw_help(page, *data);
  draw_training(page, *data);
}

}  // namespace

int main(int argc, char** argv) { return gallery::run(argc, argv, "Vanishing gradients", draw); }
