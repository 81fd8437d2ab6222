#pragma once

#include <string>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/from_values.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/parameter.h"
#include "xtgrad/plot/canvas.h"
#include "xtgrad/plot/chart.h"

// Losses of two weights, which can be drawn as maps, and ways over them.

namespace gallery {

using namespace xtgrad;

/// (x² + 100 y²) / 2: a hundred times as steep across as it is along.
Tensor narrow(const Tensor& x, const Tensor& y);
/// (1 - x)² + 100 (y - x²)²: a bent valley, whose floor falls slowly to the minimum at (1, 1).
Tensor rosenbrock(const Tensor& x, const Tensor& y);

struct Valley {
  std::string title;
  Callable<Tensor(const Tensor& x, const Tensor& y)> height;
  std::vector<double> start;
  plot::Grid map;
  std::vector<double> levels;

  /// At a tensor [2].
  [[nodiscard]] Tensor loss(const Tensor& at) const;
};

Valley narrow_valley();
Valley rosenbrock_valley();

/// Where the weights were before each step, and after the last.
struct Way {
  std::string label;
  std::vector<double> x = {};
  std::vector<double> y = {};
  std::vector<double> loss = {};

  /// Steps until the loss is below `level` for the first time; NaN if it never is.
  [[nodiscard]] double steps_to(double level) const;
};

/// Calls `step`, which changes `at`, so many times.
Way walk(const std::string& label, const Valley& valley, nn::Parameter& at, int steps,
         const Callable<void()>& step);

/// The way of an optimizer of the library: walk<optim::SGD>("momentum", valley, {.lr = 0.1}, 50).
template <class Optimizer, class Options>
Way walk(const std::string& label, const Valley& valley, const Options& options, int steps) {
  nn::Parameter at(from_vector(valley.start));
  Optimizer optimizer({at.cell()}, options);
  return walk(label, valley, at, steps, [&] {
    optimizer.zero_grad();
    valley.loss(at).backward();
    optimizer.step();
  });
}

/// Of two ways of as many steps, at one and the same step.
double greatest_distance(const Way& a, const Way& b);

/// The valley's contour lines, and the first `steps` of each way on them.
plot::Chart map_of(const Valley& valley, const std::vector<Way>& ways, int steps);
/// The maps of the narrow valley and Rosenbrock's, side by side.
plot::Canvas maps_of(const std::vector<Way>& narrow, const std::vector<Way>& bent, int steps);
/// A line of one number after each step.
plot::Series over_steps(const std::string& label, const std::vector<double>& values);

}  // namespace gallery
