// A line through irises, by a formula and by descent.
#include <xtgrad/plot/plot.h>
#include <xtgrad/xtgrad.h>

#include <cmath>
#include <vector>

#include "page.h"

namespace {

using namespace xtgrad;

/// Petals: length in x and width in y, both in cm, [150, 1].
struct Petals {
  Tensor x;
  Tensor y;
};

Petals petals() {
  const Tensor measures = datasets::iris().inputs();
  return {slice(measures, {.axis = 1, .start = 2, .stop = 3}),
          slice(measures, {.axis = 1, .start = 3, .stop = 4})};
}

struct Step {
  double slope;
  double bias;
  double loss;
};

/// Gradient descent on the mean squared error of a linear layer, from the line y = 0.
std::vector<Step> descend(const Petals& data, double lr, int steps) {
  nn::Linear line{1, 1};
  line.weight.set_value(zeros({1, 1}));
  line.bias.set_value(zeros({1}));
  optim::SGD sgd(line.parameters(), {.lr = lr});
  std::vector<Step> path;
  for (int i = 0; i <= steps; ++i) {
    const Tensor loss = nn::mse_loss(line(data.x), data.y);
    path.push_back({sum(line.weight).item(), sum(line.bias).item(), loss.item()});
    sgd.zero_grad();
    loss.backward();
    sgd.step();
  }
  return path;
}

/// The mean squared error of every line in a part of the plane of slopes and biases, the path over it, and
/// the lines of the other chart.
plot::Chart surface(const Petals& data, const std::vector<Step>& path, plot::Point best) {
  const plot::Grid grid{.x = {-0.1, 0.7}, .y = {-0.6, 0.4}};
  const Tensor lines = plot::grid_points(grid);  // [lines, 2]
  const Tensor slopes = slice(lines, {.axis = 1, .stop = 1});
  const Tensor biases = slice(lines, {.axis = 1, .start = 1});
  const Tensor errors = matmul(slopes, transpose(data.x)) + biases - transpose(data.y);  // [lines, 150]
  plot::Chart chart{.title = "Error of each line (cm²)",
                    .x = {.label = "slope", .range = grid.x},
                    .y = {.label = "bias (cm)", .range = grid.y}};
  chart.layers.push_back(plot::Contours{
      .grid = grid, .values = mean(square(errors), {.axes = {1}}), .levels = {0.05, 0.1, 0.3, 1, 3}});
  plot::Series steps{.label = "gradient descent", .markers = false, .ends = true};
  for (const Step& step : path) {
    steps.x.push_back(step.slope);
    steps.y.push_back(step.bias);
  }
  chart.layers.push_back(steps);
  chart.layers.push_back(plot::Points{.label = "after 5 steps", .x = {path[5].slope}, .y = {path[5].bias}});
  chart.layers.push_back(plot::Points{.label = "closed form", .x = {best.x}, .y = {best.y}});
  return chart;
}

plot::Series line(const std::string& label, double slope, double bias, bool dashed) {
  return {.label = label,
          .x = {0.5, 7.5},
          .y = {0.5 * slope + bias, 7.5 * slope + bias},
          .dashed = dashed,
          .markers = false};
}

void draw(gallery::Page& page) {
  const DefaultDtype in_double(float64);
  const Petals data = petals();
  const nn::LinearFit fit = nn::least_squares(data.x, data.y);
  const double slope = sum(fit.weight).item();
  const double bias = sum(fit.bias).item();
  const std::vector<Step> path = descend(data, 0.03, 4000);

  plot::Chart chart{
      .title = "Petals of 150 irises", .x = {.label = "length (cm)"}, .y = {.label = "width (cm)"}};
  chart.layers = {plot::Points{.label = "irises", .x = plot::numbers(data.x), .y = plot::numbers(data.y)},
                  line("after 5 steps", path[5].slope, path[5].bias, true),
                  line("closed form", slope, bias, false)};
  page.picture(
      "surface.png",
      "Left, the line that the closed form gives, and where gradient descent is after five steps. Right, the "
      "error of every line, with marks for these two: descent falls into the valley at once, creeps along "
      "its floor, and ends where the closed form already is.",
      plot::draw_charts(std::vector{chart, surface(data, path, {slope, bias})},
                        {.width = 840, .height = 330}));
  page.number("slope, closed form", slope);
  page.number("slope, 4000 steps", path.back().slope);
  page.number("bias, closed form (cm)", bias);
  page.number("bias, 4000 steps (cm)", path.back().bias);
  page.number("error after 5 steps (cm²)", path[5].loss);
  page.number("error after 4000 steps (cm²)", path.back().loss);
}

}  // namespace

int main(int argc, char** argv) {
  return gallery::run(argc, argv, "Least squares, by a formula and by descent", draw);
}
