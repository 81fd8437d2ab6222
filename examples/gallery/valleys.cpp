#include "valleys.h"

#include <fmt/format.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/xtgrad.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>

#include "xtgrad/plot/numbers.h"

namespace gallery {

Tensor narrow(const Tensor& x, const Tensor& y) { return (square(x) + 100 * square(y)) / 2; }

Tensor rosenbrock(const Tensor& x, const Tensor& y) { return square(1 - x) + 100 * square(y - square(x)); }

Tensor Valley::loss(const Tensor& at) const {
  return sum(height(slice(at, {.stop = 1}), slice(at, {.start = 1})));
}

Valley narrow_valley() {
  return {.title = "Narrow valley",
          .height = narrow,
          .start = {-2, 0.7},
          .map = {.x = {-2.3, 0.7}, .y = {-0.9, 0.9}},
          .levels = {0.1, 0.5, 2, 8, 25}};
}

Valley rosenbrock_valley() {
  return {.title = "Rosenbrock's valley",
          .height = rosenbrock,
          .start = {-1.2, 1},
          .map = {.x = {-1.7, 1.5}, .y = {-0.7, 1.9}},
          .levels = {0.5, 3, 15, 60, 200}};
}

double Way::steps_to(double level) const {
  const auto below = std::find_if(loss.begin(), loss.end(), [&](double l) { return l < level; });
  return below == loss.end() ? std::nan("") : static_cast<double>(below - loss.begin());
}

Way walk(const std::string& label, const Valley& valley, nn::Parameter& at, int steps,
         const Callable<void()>& step) {
  Way way{.label = label};
  for (int i = 0; i <= steps; ++i) {
    const std::vector<double> place = plot::numbers(at.tensor());
    way.x.push_back(place[0]);
    way.y.push_back(place[1]);
    way.loss.push_back(valley.loss(at).item());
    if (i < steps) step();
  }
  return way;
}

double greatest_distance(const Way& a, const Way& b) {
  double greatest = 0;
  for (std::size_t i = 0; i < a.x.size(); ++i) {
    greatest = std::max(greatest, std::hypot(a.x[i] - b.x[i], a.y[i] - b.y[i]));
  }
  return greatest;
}

plot::Chart map_of(const Valley& valley, const std::vector<Way>& ways, int steps) {
  const Tensor points = plot::grid_points(valley.map);
  const Tensor x = slice(points, {.axis = 1, .stop = 1});
  const Tensor y = slice(points, {.axis = 1, .start = 1});
  plot::Chart chart{.title = valley.title,
                    .x = {.label = "weight w₁", .range = valley.map.x},
                    .y = {.label = "weight w₂", .range = valley.map.y}};
  chart.layers.push_back(plot::Contours{.grid = valley.map,
                                        .values = reshape(valley.height(x, y), {points.shape()[0]}),
                                        .levels = valley.levels});
  for (const Way& way : ways) {
    chart.layers.push_back(plot::Series{
        .label = way.label, .x = way.x, .y = way.y, .markers = false, .ends = true, .shown = steps + 1});
  }
  return chart;
}

plot::Canvas maps_of(const std::vector<Way>& narrow, const std::vector<Way>& bent, int steps) {
  std::vector<plot::Chart> maps{map_of(narrow_valley(), narrow, steps),
                                map_of(rosenbrock_valley(), bent, steps)};
  for (plot::Chart& map : maps) map.title += fmt::format(", {} step{}", steps, steps == 1 ? "" : "s");
  return plot::draw_charts(maps, {.width = 840, .height = 420});
}

plot::Series over_steps(const std::string& label, const std::vector<double>& values) {
  plot::Series series{.label = label, .y = values, .markers = false};
  for (std::size_t i = 0; i < values.size(); ++i) series.x.push_back(static_cast<double>(i));
  return series;
}

}  // namespace gallery
