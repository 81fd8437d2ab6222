// Blue and orange points in the plane, told apart by their neighbours, by a line, and by a network.
#include <fmt/format.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/training/training.h>
#include <xtgrad/xtgrad.h>

#include <string>
#include <vector>

#include "page.h"
#include "plane.h"

namespace {

using namespace xtgrad;
using gallery::PlaneOutcome;
using gallery::PlaneTask;

const std::vector<std::string> colors{"blue", "orange"};  // labels 0 and 1

/// The colour that most of the k nearest training points have.
std::vector<PlaneOutcome> by_neighbors(const PlaneTask& task) {
  const nn::NearestNeighbors neighbors(task.train.inputs(), task.train.labels());
  std::vector<PlaneOutcome> outcomes;
  for (const std::int64_t k : {1, 5, 15}) {
    const auto classify = [&](const Tensor& points) { return neighbors.predict(points, k); };
    outcomes.push_back(gallery::outcome_of(fmt::format("k = {}", k), task, classify));
  }
  return outcomes;
}

/// One linear unit, which fires (orange) where w . x + b > 0. Its rule moves the line only where it is wrong.
PlaneOutcome by_perceptron(const PlaneTask& task) {
  nn::Perceptron unit{{.in_features = 2}};
  const Tensor targets = reshape(task.train.labels().to(float32), {task.train.size(), 1});
  for (int pass = 0; pass < 30; ++pass) nn::perceptron_rule(unit, task.train.inputs(), targets);
  return gallery::outcome_of("perceptron", task, [&](const Tensor& points) {
    return reshape(unit(points), {points.size(0)}).to(int64);
  });
}

/// A model with a score for each colour, of which the higher one wins; trained by descent on cross-entropy.
PlaneOutcome by_training(const std::string& name, const PlaneTask& task, nn::Module& model) {
  optim::Adam adam(model.parameters(), {.lr = 0.01});
  const datasets::Loader loader(task.train, {.batch_size = 20, .shuffle = true});
  training::Trainer trainer(model, nn::cross_entropy, adam, loader, {.epochs = 150});
  trainer.fit();
  return gallery::outcome_of(
      name, task, [&](const Tensor& points) { return argmax(training::predict(model, points), 1); });
}

std::vector<PlaneOutcome> by_learning(const PlaneTask& task) {
  nn::LinearClassifier linear{{.input = {2}, .classes = 2}};
  nn::MLP network{{.sizes = {2, 32, 32, 2}, .activation = nn::ActivationKind::tanh}};
  return {by_perceptron(task), by_training("linear classifier", task, linear),
          by_training("MLP", task, network)};
}

plot::Canvas draw_regions(const PlaneTask& task, const std::vector<PlaneOutcome>& outcomes) {
  std::vector<plot::Chart> charts;
  for (const PlaneOutcome& outcome : outcomes) {
    const std::string name = outcome.classifier == "linear classifier" ? "linear" : outcome.classifier;
    plot::Chart chart{.title = fmt::format("{}: {:.1f} %", name, outcome.test),
                      .x = {.label = "x₁"},
                      .y = {.label = "x₂"},
                      .equal_units = true};
    // Small marks, or they would hide the islands that single points make.
    chart.layers = plot::class_points(task.train.inputs(), task.train.labels(), colors, 0.5);
    chart.layers.emplace_back(plot::Regions{.grid = task.grid, .classes = outcome.regions, .names = colors});
    charts.push_back(chart);
  }
  return plot::draw_charts(charts, {.width = 760, .height = 310});
}

plot::Canvas draw_accuracies(const std::vector<PlaneOutcome>& moons,
                             const std::vector<PlaneOutcome>& spirals) {
  plot::HeatMap table{
      .title = "Points given the right colour",
      .value_label = "correct (%)",
      .column_names = {"moons, training", "moons, test", "spirals, training", "spirals, test"},
      .range = plot::Range{50, 100}};
  std::vector<Tensor> rows;
  for (std::size_t i = 0; i < moons.size(); ++i) {
    table.row_names.push_back(moons[i].classifier);
    rows.push_back(tensor({moons[i].training, moons[i].test, spirals[i].training, spirals[i].test}));
  }
  table.values = stack(rows);
  return plot::draw_heat_map(table);
}

/// Neighbours in one picture, what was learnt in another.
std::vector<PlaneOutcome> try_all(gallery::Page& page, const PlaneTask& task, const std::string& on_neighbors,
                                  const std::string& on_learnt) {
  std::vector<PlaneOutcome> outcomes = by_neighbors(task);
  page.picture(task.name + "_neighbors.png", on_neighbors, draw_regions(task, outcomes));
  const std::vector<PlaneOutcome> learnt = by_learning(task);
  page.picture(task.name + "_learnt.png", on_learnt, draw_regions(task, learnt));
  outcomes.insert(outcomes.end(), learnt.begin(), learnt.end());
  for (const PlaneOutcome& outcome : outcomes) {
    page.number(fmt::format("{}, {}, training (%)", task.name, outcome.classifier), outcome.training);
    page.number(fmt::format("{}, {}, test (%)", task.name, outcome.classifier), outcome.test);
  }
  return outcomes;
}

void draw(gallery::Page& page) {
  const auto on_moons = try_all(
      page, gallery::moons(),
      "Each place has the colour of most of its k nearest points; the percentage is of 2,000 points "
      "that are not drawn. One neighbour draws a border around every stray point, and is right less "
      "often for it; fifteen neighbours outvote the strays.",
      "A perceptron and a linear classifier can only draw a line. A network of two hidden layers (MLP) "
      "bends it to where the points are, here also around some strays.");
  const auto on_spirals = try_all(
      page, gallery::spirals(),
      "Neighbours do not care how wound a border is: where points lie close enough, those nearby have "
      "the right colour. But the ends of the arms have few points, and among 15 neighbours there most "
      "are of the other arm.",
      "No line separates two spiral arms: the perceptron and the linear classifier are hardly better "
      "than a coin. The network finds the spiral.");
  page.picture("accuracy.png",
               "What counts are the test columns, of points that no classifier had seen. One neighbour knows "
               "all of its training points, which says nothing: each is its own nearest neighbour.",
               draw_accuracies(on_moons, on_spirals));
}

}  // namespace

int main(int argc, char** argv) { return gallery::run(argc, argv, "Points in the plane", draw); }
