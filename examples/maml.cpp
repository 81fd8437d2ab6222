// Model-agnostic meta-learning (Finn, Abbeel and Levine, 2017): weights from which a few steps on a few
// points fit a new sine wave. maml [--check] [--updates N] [PICTURE]
#include <xtgrad/xtgrad.h>

#include <xtgrad/plot/plot.h>

#include <CLI/CLI.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

using namespace xtgrad;

namespace {

constexpr std::int64_t shots = 10;  // points of a task that are learnt from, and as many that judge
constexpr double inner_rate = 0.02;

// [tasks]
/// Waves of amplitudes 0.1 to 5 and phases 0 to pi: points [tasks, n, 1] of each.
struct Tasks {
  Tensor x, y;
};

Tasks draw_tasks(std::int64_t tasks, std::int64_t n, Random& random) {
  const Tensor amplitude = uniform({tasks, 1, 1}, {.low = 0.1, .high = 5}, random);
  const Tensor phase = uniform({tasks, 1, 1}, {.low = 0, .high = std::numbers::pi}, random);
  const Tensor x = uniform({tasks, n, 1}, {.low = -5, .high = 5}, random);
  return {x, amplitude * sin(x - phase)};
}
/// Some of their points: from `first` on.
Tasks points_of(const Tasks& tasks, std::int64_t first, std::int64_t count) {
  const SliceOptions which{.axis = 1, .start = first, .stop = first + count};
  return {slice(tasks.x, which), slice(tasks.y, which)};
}
// [/tasks]

// [adapt]
using Weights = std::vector<Tensor>;  // of each layer its matrix, [..., in, out], and its bias, [..., 1, out]

/// A net whose weights are common to all tasks, or one's own for each, in a first dimension.
Tensor net(const Weights& w, const Tensor& x) {
  const Tensor a = tanh(matmul(x, w[0]) + w[1]);
  const Tensor b = tanh(matmul(a, w[2]) + w[3]);
  return matmul(b, w[4]) + w[5];
}

/// Each task's mean squared error, [tasks].
Tensor errors(const Weights& w, const Tasks& tasks) {
  return mean(square(net(w, tasks.x) - tasks.y), {.axes = {1, 2}});
}

enum class Order { first, second };

/// A step of gradient descent for each task by itself. Of the first order, the gradient is a constant to
/// whoever differentiates the step.
Weights adapt(const Weights& w, const Tasks& tasks, Order order) {
  const bool records = order == Order::second;
  const Weights slopes = grad({sum(errors(w, tasks))}, w, {.keep_graph = true, .create_graph = records});
  Weights adapted;
  for (std::size_t i = 0; i < w.size(); ++i) adapted.push_back(w[i] - inner_rate * slopes[i]);
  return adapted;
}
// [/adapt]

/// Weights of each task's own, which begin as the common ones.
Weights for_each_task(const Weights& w, std::int64_t tasks) {
  Weights own;
  for (const Tensor& each : w) own.push_back(broadcast_to(each, {tasks, each.size(0), each.size(1)}));
  return own;
}

// [meta]
/// The error on a task's other points, after steps on the first ones.
Tensor meta_loss(const Weights& w, const Tasks& tasks, int steps, Order order) {
  Weights adapted = for_each_task(w, tasks.x.size(0));
  for (int i = 0; i < steps; ++i) adapted = adapt(adapted, points_of(tasks, 0, shots), order);
  return mean(errors(adapted, points_of(tasks, shots, tasks.x.size(1) - shots)));
}
// [/meta]

struct Net {
  std::vector<nn::Parameter> parameters;

  Net(std::int64_t hidden, Random& random, Dtype dtype = float32) {
    const std::int64_t sizes[] = {1, hidden, hidden, 1};
    for (std::size_t i = 0; i + 1 < std::size(sizes); ++i) {
      const double scale = 1 / std::sqrt(static_cast<double>(sizes[i]));
      parameters.emplace_back(scale * randn({sizes[i], sizes[i + 1]}, random, {.dtype = dtype}));
      parameters.emplace_back(scale * randn({1, sizes[i + 1]}, random, {.dtype = dtype}));
    }
  }
  [[nodiscard]] Weights weights() const { return {parameters.begin(), parameters.end()}; }
  [[nodiscard]] std::vector<nn::ParameterRef> cells() const {
    std::vector<nn::ParameterRef> cells;
    for (const nn::Parameter& p : parameters) cells.push_back(p.cell());
    return cells;
  }
};

/// Of processor time, which other programs do not lengthen.
double milliseconds_since(std::clock_t begin) {
  return 1e3 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

/// Trains weights by the error after so many steps; none is training on all waves at once.
void train(const char* what, const Net& net, int steps, Order order, int updates) {
  Random random(2);
  optim::Adam adam(net.cells(), {.lr = 2e-3});
  const std::clock_t begin = std::clock();
  // [train]
  for (int i = 0; i < updates; ++i) {
    const Tensor loss = meta_loss(net.weights(), draw_tasks(25, 2 * shots, random), steps, order);
    adam.zero_grad();
    loss.backward();
    adam.step();
  }
  // [/train]
  std::printf("%-22s an update takes %.2f ms\n", what, milliseconds_since(begin) / updates);
}

/// Errors of new waves after 0, 1, ... steps on ten points of each.
std::vector<double> errors_by_step(const Net& net, int steps) {
  Random random(99);
  const Tasks tasks = draw_tasks(200, shots + 50, random);
  std::vector<double> found;
  Weights w = for_each_task(net.weights(), 200);
  for (int i = 0; i <= steps; ++i) {
    for (Tensor& each : w) each = each.detach().set_requires_grad();
    found.push_back(mean(errors(w, points_of(tasks, shots, 50))).item());
    w = adapt(w, points_of(tasks, 0, shots), Order::first);
  }
  return found;
}

std::vector<double> numbers(const Tensor& values) {
  std::vector<double> found;
  for (std::int64_t i = 0; i < values.numel(); ++i)
    found.push_back(values.data<float>()[static_cast<std::size_t>(i)]);
  return found;
}

/// A wave, the points that are known of it, and a net before and after steps on these.
plot::Chart wave_chart(const char* title, const Net& start) {
  Random random(7);
  const Tensor x = linspace(-5, 5, 200);
  const Tensor known = uniform({1, shots, 1}, {.low = -5, .high = 5}, random);
  const auto wave = [](const Tensor& at) { return 3.5 * sin(at - 0.8); };
  plot::Chart chart{.title = title, .x = {.label = "x"}, .y = {.range = plot::Range{-5, 5}}, .layers = {}};
  chart.layers.emplace_back(
      plot::Points{.label = "known points", .x = numbers(known), .y = numbers(wave(known))});
  chart.layers.emplace_back(plot::Series{
      .label = "wave", .x = numbers(x), .y = numbers(wave(x)), .dashed = true, .markers = false});
  Weights w = for_each_task(start.weights(), 1);
  const auto line = [&](const char* label) {
    chart.layers.emplace_back(plot::Series{.label = label,
                                           .x = numbers(x),
                                           .y = numbers(net(w, reshape(x, {1, x.numel(), 1}))),
                                           .markers = false});
  };
  line("before");
  for (int i = 1; i <= 10; ++i) {
    for (Tensor& each : w) each = each.detach().set_requires_grad();
    w = adapt(w, {known, wave(known)}, Order::first);
    if (i == 1) line("1 step");
    if (i == 10) line("10 steps");
  }
  return chart;
}

void check_gradients() {
  Random random(5);
  const Net small(4, random, float64);
  const Tasks tasks = draw_tasks(3, shots + 4, random);
  const Tasks wide{tasks.x.to(float64), tasks.y.to(float64)};
  const auto f = [&](std::span<const Tensor> w) {
    return std::vector<Tensor>{meta_loss({w.begin(), w.end()}, wide, 2, Order::second)};
  };
  require_grads(f, small.weights(), {.name = "meta_loss"});
}

}  // namespace

int main(int argc, char** argv) try {
  bool check = false;
  int updates = 2000;
  std::string picture;
  CLI::App app("Weights from which a few steps fit a new sine wave");
  app.add_flag("--check", check, "compare gradients with numerical ones, and end");
  app.add_option("--updates", updates, "of the common weights")->check(CLI::Range(100, 1000000));
  app.add_option("picture", picture, "PNG or SVG file to draw");
  CLI11_PARSE(app, argc, argv);

  if (check) {
    check_gradients();
    std::printf("gradients are right\n");
    return 0;
  }
  const auto fresh = [] {
    Random random(0);
    return Net(40, random);
  };
  const Net scratch = fresh(), joint = fresh(), first = fresh(), second = fresh();
  train("all waves at once:", joint, 0, Order::first, updates);
  train("MAML, first order:", first, 1, Order::first, updates);
  train("MAML:", second, 1, Order::second, updates);
  std::printf("mean squared error of new waves, known by %d points\n", static_cast<int>(shots));
  std::printf("%-22s %6s %6s %6s %6s %6s %6s\n", "steps on these", "0", "1", "2", "5", "10", "50");
  std::vector<plot::Layer> lines;
  const auto report = [&](const char* what, const Net& net) {
    const std::vector<double> found = errors_by_step(net, 50);
    std::printf("%-22s %6.3f %6.3f %6.3f %6.3f %6.3f %6.3f\n", what, found[0], found[1], found[2], found[5],
                found[10], found[50]);
    plot::Series line{.label = what, .x = {}, .y = {}, .markers = true};
    for (std::size_t i = 0; i <= 10; ++i) {
      line.x.push_back(static_cast<double>(i));
      line.y.push_back(found[i]);
    }
    lines.emplace_back(std::move(line));
  };
  report("from scratch", scratch);
  report("all waves at once", joint);
  report("MAML, first order", first);
  report("MAML", second);
  if (!picture.empty()) {
    const std::vector<plot::Chart> charts{wave_chart("From all waves at once", joint),
                                          wave_chart("From MAML's weights", second),
                                          {.title = "Error of new waves",
                                           .x = {.label = "steps", .whole_numbers = true},
                                           .y = {.label = "mean squared error", .lowest = 0},
                                           .layers = lines}};
    plot::save(plot::draw_charts(charts, {.width = 860, .height = 320}), picture);
    std::printf("drawn: %s\n", picture.c_str());
  }
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
