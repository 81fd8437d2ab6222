// A layer whose output is the solution of an equation (Bai, Kolter and Koltun, "Deep equilibrium models",
// 2019), learns two spirals. deep_equilibrium [--check] [--steps N] [PICTURE]
#include <xtgrad/autograd/implicit.h>
#include <xtgrad/autograd/memory.h>
#include <xtgrad/xtgrad.h>

#include <xtgrad/plot/plot.h>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

using namespace xtgrad;

namespace {

// [layer]
/// z = tanh(z W + u). W is scaled so that its largest singular value is 0.9 at most: the map is then a
/// contraction, which has one fixed point, and iterations come to it by a tenth of the way at least.
Tensor map(const Tensor& z, const Tensor& w, const Tensor& u) {
  return tanh(matmul(z, w * (0.9 / maximum(0.9, svdvals(w)[0]))) + u);
}

/// Its fixed point, without a record of how it was found.
Tensor equilibrium(const Tensor& w, const Tensor& u) {
  const auto f = [](const Tensor& z, std::span<const Tensor> theta) { return map(z, theta[0], theta[1]); };
  const std::vector<Tensor> theta{w, u};
  return fixed_point(f, zeros_like(u.detach()), theta, {.linear_solver = gmres()});
}

/// So many iterations, all of them recorded.
Tensor unrolled(const Tensor& w, const Tensor& u, int iterations) {
  Tensor z = zeros_like(u.detach());
  for (int i = 0; i < iterations; ++i) z = map(z, w, u);
  return z;
}
// [/layer]

// [model]
/// Points [n, 2] to logits [n, 2]. With a number of iterations it is an ordinary net of shared weights.
struct Model : nn::Module {
  nn::Linear in, out;
  nn::Parameter w;
  int iterations;  // 0: to the fixed point

  Model(std::int64_t hidden, int its_iterations)
      : in(2, hidden), out(hidden, 2), w(0.2 * randn({hidden, hidden})), iterations(its_iterations) {}
  void members(nn::Members& m) override {
    m("in", in);
    m("out", out);
    m("w", w);
  }
  Tensor forward(const Tensor& x) override {
    const Tensor u = in(2 * x);
    return out(iterations == 0 ? equilibrium(w, u) : unrolled(w, u, iterations));
  }
};
// [/model]

double milliseconds_since(std::clock_t begin) {
  return 1e3 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

/// What gradients cost, and how far those of unrolled iterations are from those of the equation.
struct Comparison {
  std::vector<double> iterations, difference, megabytes;
  double implicit_megabytes;
};

Comparison compare() {
  Random random(3);
  const Tensor w = (0.3 * randn({32, 32}, random, {.dtype = float64})).set_requires_grad();
  const Tensor u = randn({200, 32}, random, {.dtype = float64}).set_requires_grad();
  const auto measure = [&](const char* what, auto layer) {
    const std::clock_t begin = std::clock();
    const std::int64_t before = memory_in_use();
    const Tensor value = sum(square(layer()));
    const double megabytes = static_cast<double>(memory_in_use() - before) / 1e6;
    const std::vector<Tensor> gradients = grad({value}, {w, u});
    std::printf("%-10s %6.2f MB, %6.1f ms", what, megabytes, milliseconds_since(begin));
    return std::pair(gradients[0], megabytes);
  };
  const auto [exact, implicit_megabytes] = measure("implicit:", [&] { return equilibrium(w, u); });
  std::printf("\n");
  Comparison result{
      .iterations = {}, .difference = {}, .megabytes = {}, .implicit_megabytes = implicit_megabytes};
  for (const int count : {5, 10, 20, 40, 80, 160}) {
    const auto [gradient, megabytes] = measure("unrolled:", [&] { return unrolled(w, u, count); });
    const double difference = (amax(abs(gradient - exact)) / amax(abs(exact))).item();
    std::printf(", %3d iterations differ by %.1e\n", count, difference);
    result.iterations.push_back(count);
    result.difference.push_back(difference);
    result.megabytes.push_back(megabytes);
  }
  return result;
}

double accuracy(Model& model, const datasets::Dataset& data) {
  const NoGrad no_grad;
  return mean((argmax(model(data.inputs()), 1) == data.labels()).to(float64)).item();
}

void train(const char* what, Model& model, const datasets::Dataset& data, const datasets::Dataset& test,
           int steps) {
  const std::clock_t begin = std::clock();
  // [train]
  optim::Adam adam(model.parameters(), {.lr = 1e-2});
  const optim::ScheduledLr rates(adam, optim::cosine({.steps = steps}));
  for (int i = 0; i < steps; ++i) {
    rates.apply(adam, i);
    const Tensor loss = nn::cross_entropy(model(data.inputs()), data.labels());
    adam.zero_grad();
    loss.backward();
    adam.step();
  }
  // [/train]
  std::printf("%-24s %5.1f %% of new points right, %.1f ms a step\n", what, 100 * accuracy(model, test),
              milliseconds_since(begin) / steps);
}

void draw(Model& one, Model& all, const datasets::Dataset& data, const Comparison& comparison,
          const std::string& path) {
  const NoGrad no_grad;
  const plot::Grid grid{.x = {-1.2, 1.2}, .y = {-1.2, 1.2}};
  const auto plane = [&](const char* title, Model& model) {
    std::vector<plot::Layer> layers = plot::class_points(data.inputs(), data.labels(), {}, 0.5);
    layers.insert(layers.begin(),
                  plot::Regions{.grid = grid, .classes = argmax(model(plot::grid_points(grid)), 1)});
    return plot::Chart{.title = title,
                       .x = {.range = grid.x},
                       .y = {.range = grid.y},
                       .layers = std::move(layers),
                       .equal_units = true};
  };
  const std::vector<plot::Chart> charts{
      plane("One iteration", one),
      plane("Fixed point", all),
      {.title = "Unrolled against implicit",
       .x = {.label = "iterations"},
       .y = {.label = "relative difference", .logarithmic = true},
       .layers = {plot::Series{.x = comparison.iterations, .y = comparison.difference}}}};
  plot::save(plot::draw_charts(charts, {.width = 860, .height = 290}), path);
}

void check_gradients() {
  const Tensor w = tensor({{0.5, -0.9, 0.3}, {0.8, 0.4, -0.6}, {-0.2, 0.7, 0.9}}, {.dtype = float64});
  const Tensor u = tensor({{0.3, -0.5, 0.8}, {1.1, 0.2, -0.4}}, {.dtype = float64});
  const auto f = [](const Tensor& a, const Tensor& b) { return equilibrium(a, b); };
  require_grads(f, {w, u}, {.name = "equilibrium"});
}

}  // namespace

int main(int argc, char** argv) try {
  bool check = false;
  int steps = 300;
  std::string picture;
  CLI::App app("A layer whose output is the solution of an equation");
  app.add_flag("--check", check, "compare gradients with numerical ones, and end");
  app.add_option("--steps", steps, "of training")->check(CLI::PositiveNumber);
  app.add_option("picture", picture, "PNG or SVG file to draw");
  CLI11_PARSE(app, argc, argv);

  if (check) {
    check_gradients();
    std::printf("gradients are right\n");
    return 0;
  }
  manual_seed(0);
  const Comparison comparison = compare();
  const auto data = datasets::spirals({.classes = 2, .per_class = 150, .turns = 1.25});
  const auto test = datasets::spirals({.classes = 2, .per_class = 500, .turns = 1.25, .seed = 1});
  Model one(32, 1), all(32, 0);
  train("one iteration:", one, data, test, steps);
  train("to the fixed point:", all, data, test, steps);
  if (!picture.empty()) {
    draw(one, all, data, comparison, picture);
    std::printf("drawn: %s\n", picture.c_str());
  }
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
