// Burgers' equation, solved by a net whose derivatives in its inputs fulfil it (Raissi, Perdikaris and
// Karniadakis, "Physics-informed neural networks", 2019). pinn [--check] [--iterations N] [PICTURE]
#include <xtgrad/xtgrad.h>

#include <xtgrad/plot/plot.h>

#include <CLI/CLI.hpp>

#include <algorithm>
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

constexpr double pi = std::numbers::pi;
constexpr double viscosity = 0.02;

// [net]
/// u(x, t) for x in [-1, 1] and t >= 0: -sin(pi x) at t = 0, and 0 at both ends, whatever the weights.
struct Solution : nn::ModuleOf<Tensor(const Tensor& x, const Tensor& t)> {
  nn::MLP net;

  explicit Solution(std::int64_t hidden)
      : net({.sizes = {2, hidden, hidden, hidden, 1}, .activation = nn::ActivationKind::tanh}) {}
  void members(nn::Members& m) override { m("net", net); }
  Tensor forward(const Tensor& x, const Tensor& t) override {  // [n, 1] each
    return (1 - square(x)) * t * net(concat({x, t}, 1)) - sin(pi * x);
  }
};
// [/net]

// [residual]
/// u_t + u u_x - viscosity u_xx, which is 0 for the solution. Each u depends on its own x and t alone, so the
/// gradient of the sum has them all.
Tensor residual(Solution& solution, const Tensor& points) {  // [n, 2] to [n, 1]
  const EnableGrad enable;
  const Tensor x = slice(points, {.axis = 1, .stop = 1}).detach().set_requires_grad();
  const Tensor t = slice(points, {.axis = 1, .start = 1}).detach().set_requires_grad();
  const Tensor u = solution(x, t);
  const auto first = grad({sum(u)}, {x, t}, {.create_graph = true});
  const Tensor second = grad(sum(first[0]), x, {.create_graph = true});
  return first[1] + u * first[0] - viscosity * second;
}
// [/residual]

// [exact]
/// By the transformation of Cole and Hopf: a mean of sin(pi (x - s)) over a Gaussian of variance
/// 2 viscosity t, weighted. The rule of equal steps is exact to rounding for it.
double exact(double x, double t) {
  if (t == 0) return -std::sin(pi * x);
  double above = 0, below = 0;
  const double width = std::sqrt(4 * viscosity * t), bound = 1 / (2 * pi * viscosity);
  for (int i = -800; i <= 800; ++i) {
    const double z = i * 0.01, y = x - width * z;
    const double weight = std::exp(-z * z - bound * (std::cos(pi * y) + 1));
    above += weight * std::sin(pi * y);
    below += weight;
  }
  return -above / below;
}
// [/exact]

/// Places and times in [-1, 1] x [0, 1] at which the equation is to hold, spread evenly (Halton's points).
Tensor collocation(std::int64_t count) {
  const auto radical = [](std::int64_t i, std::int64_t base) {
    double value = 0, digit = 1;
    for (; i > 0; i /= base) value += static_cast<double>(i % base) * (digit /= static_cast<double>(base));
    return value;
  };
  std::vector<double> points;
  for (std::int64_t i = 1; i <= count; ++i) {
    points.push_back(2 * radical(i, 2) - 1);
    points.push_back(radical(i, 3));
  }
  return reshape(from_vector(points), {count, 2});
}

struct Compared {
  double root_mean_square, largest;
};

/// The net against the exact solution, on a grid.
Compared compare(Solution& solution) {
  const NoGrad no_grad;
  double squares = 0, largest = 0;
  std::int64_t count = 0;
  for (int j = 0; j <= 10; ++j) {
    const Tensor x = reshape(linspace(-1, 1, 101, {.dtype = float64}), {101, 1});
    const Tensor u = solution(x, full({101, 1}, 0.1 * j, {.dtype = float64}));
    for (std::int64_t i = 0; i < 101; ++i) {
      const double difference = std::abs(u.at({i, 0}) - exact(x.at({i, 0}), 0.1 * j));
      squares += difference * difference;
      largest = std::max(largest, difference);
      ++count;
    }
  }
  return {std::sqrt(squares / static_cast<double>(count)), largest};
}

/// What a way of training has come to.
struct Progress {
  std::vector<double> seconds, error;

  void add(const char* what, int iteration, double spent, double loss, Solution& solution) {
    const Compared found = compare(solution);
    seconds.push_back(spent);
    error.push_back(found.root_mean_square);
    std::printf("%-6s %5d: loss %.1e, error %.1e in the mean, %.1e at most, %5.2f s\n", what, iteration, loss,
                found.root_mean_square, found.largest, spent);
  }
};

/// Seconds of processor time since it was made, but for what `pause` took.
class Clock {
 public:
  template <class F>
  void pause(F f) {
    const std::clock_t before = std::clock();
    f();
    begin_ += std::clock() - before;
  }
  [[nodiscard]] double seconds() const { return static_cast<double>(std::clock() - begin_) / CLOCKS_PER_SEC; }

 private:
  std::clock_t begin_ = std::clock();
};

// [train]
Tensor loss_of(Solution& solution, const Tensor& points) { return mean(square(residual(solution, points))); }

Progress train_by_adam(Solution& solution, const Tensor& points, int iterations) {
  Progress progress;
  Clock clock;
  optim::Adam adam(solution.parameters(), {.lr = 5e-3});
  const optim::ScheduledLr rates(adam, optim::cosine({.steps = iterations}));
  for (int i = 1; i <= iterations; ++i) {
    rates.apply(adam, i - 1);
    const Tensor loss = loss_of(solution, points);
    adam.zero_grad();
    loss.backward();
    adam.step();
    if (i % (iterations / 4) == 0)
      clock.pause([&] { progress.add("Adam", i, clock.seconds(), loss.item(), solution); });
  }
  return progress;
}

Progress train_by_lbfgs(Solution& solution, const Tensor& points, int iterations) {
  Progress progress;
  Clock clock;
  const int part = iterations / 4;
  optim::LBFGS lbfgs(solution.parameters(), {.max_iter = part,
                                             .max_eval = 2 * part,
                                             .tolerance_grad = 1e-12,
                                             .tolerance_change = 1e-15,
                                             .line_search = optim::LineSearch::strong_wolfe});
  for (int i = 1; i <= 4; ++i) {
    static_cast<void>(lbfgs.step([&] { return loss_of(solution, points); }));
    clock.pause([&] {
      progress.add("L-BFGS", i * part, clock.seconds(), loss_of(solution, points).item(), solution);
    });
  }
  return progress;
}
// [/train]

void draw(Solution& solution, const std::vector<std::pair<const char*, Progress>>& ways,
          const std::string& path) {
  const NoGrad no_grad;
  plot::Chart waves{.title = "The wave steepens", .x = {.label = "x"}, .y = {.label = "u"}, .layers = {}};
  const Tensor x = reshape(linspace(-1, 1, 201, {.dtype = float64}), {201, 1});
  for (const double t : {0.0, 0.25, 0.5, 1.0}) {
    const Tensor u = solution(x, full({201, 1}, t, {.dtype = float64}));
    char label[16];
    std::snprintf(label, sizeof label, "t = %.2f", t);
    plot::Series line{.label = label, .x = {}, .y = {}, .markers = false};
    plot::Points points{.label = "exact", .x = {}, .y = {}, .size = 0.4};
    for (std::int64_t i = 0; i < 201; ++i) {
      line.x.push_back(x.at({i, 0}));
      line.y.push_back(u.at({i, 0}));
      if (i % 10 != 5) continue;
      points.x.push_back(line.x.back());
      points.y.push_back(exact(line.x.back(), t));
    }
    waves.layers.emplace_back(std::move(line));
    waves.layers.emplace_back(std::move(points));
  }
  const plot::Grid grid{.x = {-1, 1}, .y = {0, 1}};
  const Tensor places = plot::grid_points(grid).to(float64);
  plot::Chart plane{
      .title = "u(x, t)",
      .x = {.label = "x", .range = grid.x},
      .y = {.label = "t", .range = grid.y},
      .layers = {plot::Contours{.grid = grid,
                                .values = squeeze(solution(slice(places, {.axis = 1, .stop = 1}),
                                                           slice(places, {.axis = 1, .start = 1})),
                                                  {1})}}};
  plot::Chart errors{.title = "Error",
                     .x = {.label = "processor time (s)", .lowest = 0},
                     .y = {.label = "root mean square", .logarithmic = true},
                     .layers = {}};
  for (const auto& [what, progress] : ways)
    errors.layers.emplace_back(plot::Series{.label = what, .x = progress.seconds, .y = progress.error});
  plot::save(plot::draw_charts({{waves, plane, errors}}, {.width = 860, .height = 320}), path);
}

}  // namespace

int main(int argc, char** argv) try {
  bool check = false;
  int iterations = 2000;
  std::string picture;
  CLI::App app("Burgers' equation, solved by a net");
  app.add_flag("--check", check, "compare gradients with numerical ones, and end");
  app.add_option("--iterations", iterations, "of each optimizer")->check(CLI::Range(4, 100000));
  app.add_option("picture", picture, "PNG or SVG file to draw");
  CLI11_PARSE(app, argc, argv);

  const DefaultDtype dtype(float64);
  manual_seed(0);
  if (check) {
    Solution small(3);
    nn::require_grads(small, {tensor({{0.3}, {-0.6}}), tensor({{0.5}, {0.2}})});
    const Tensor points = collocation(4);
    const std::vector<nn::ParameterRef> cells = small.parameters();
    std::vector<Tensor> weights;
    for (const nn::ParameterRef& cell : cells) weights.push_back(cell->tensor().detach());
    require_grads(
        [&](std::span<const Tensor> values) {
          const nn::WithParameters scope(cells, values);
          return std::vector<Tensor>{residual(small, points)};
        },
        weights, {.name = "residual"});
    std::printf("gradients are right\n");
    return 0;
  }
  const Tensor points = collocation(1000);
  const auto fresh = [] {
    manual_seed(0);
    return Solution(16);
  };
  Solution by_adam = fresh(), by_lbfgs = fresh();
  const std::vector<std::pair<const char*, Progress>> ways{
      {"Adam", train_by_adam(by_adam, points, iterations)},
      {"L-BFGS", train_by_lbfgs(by_lbfgs, points, iterations)}};
  if (!picture.empty()) {
    draw(by_lbfgs, ways, picture);
    std::printf("drawn: %s\n", picture.c_str());
  }
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
