// A pendulum is swung up by torques that are found by gradients through its integrator, and its length and
// friction by those of a fit. pendulum [--check] [--updates N] [PICTURE]
#include <xtgrad/nn/capture.h>
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
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace xtgrad;

namespace {

// [pendulum]
/// A mass of 1 kg on a rod: angle'' = -9.81/length sin(angle) - friction angle' + torque/length^2, by
/// metres, radians and seconds. It hangs at the angle 0.
struct Pendulum {
  Tensor length, friction;
};
struct State {
  Tensor angle, spin;
};

State rate(const Pendulum& p, const State& s, const Tensor& torque) {
  return {s.spin, -9.81 / p.length * sin(s.angle) - p.friction * s.spin + torque / square(p.length)};
}

/// A step of the classical method of Runge and Kutta; the torque is constant meanwhile.
State step(const Pendulum& p, const State& s, const Tensor& torque, double h) {
  const auto at = [&](const State& slope, double length) {
    return State{s.angle + length * slope.angle, s.spin + length * slope.spin};
  };
  const State a = rate(p, s, torque), b = rate(p, at(a, h / 2), torque);
  const State c = rate(p, at(b, h / 2), torque), d = rate(p, at(c, h), torque);
  return {s.angle + h / 6 * (a.angle + 2 * (b.angle + c.angle) + d.angle),
          s.spin + h / 6 * (a.spin + 2 * (b.spin + c.spin) + d.spin)};
}

/// All states, [steps + 1] each, from a first one on.
State simulate(const Pendulum& p, State s, const Tensor& torques, double h) {
  std::vector<Tensor> angles{s.angle}, spins{s.spin};
  for (std::int64_t i = 0; i < torques.numel(); ++i) {
    s = step(p, s, torques[i], h);
    angles.push_back(s.angle);
    spins.push_back(s.spin);
  }
  return {stack(angles), stack(spins)};
}
// [/pendulum]

Tensor number(double x) { return tensor(x, {.dtype = float64}); }
Pendulum known() { return {number(1), number(0.1)}; }
State hanging() { return {number(0), number(0)}; }

constexpr std::int64_t steps = 80;
constexpr double interval = 0.05, strongest = 4;  // the rod held level takes 9.81 Nm

// [cost]
/// Torques within what the motor can do, of numbers of any size.
Tensor torques_of(const Tensor& u) { return strongest * tanh(u); }

/// How far from standing still upright the pendulum is in the end, and a little for the work.
Tensor cost(const Tensor& u) {
  const Tensor torques = torques_of(u);
  const State s = simulate(known(), hanging(), torques, interval);
  return 10 * square(s.angle[steps] - std::numbers::pi) + square(s.spin[steps]) +
         1e-3 * interval * sum(square(torques));
}
// [/cost]

double milliseconds_since(std::clock_t begin) {
  return 1e3 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

Tensor first_torques() { return 0.1 * ones({steps}, {.dtype = float64}); }

/// The gradient by one sweep, and by a simulation for each torque, moved both ways.
void compare_gradients() {
  const Tensor u = first_torques().set_requires_grad();
  constexpr int runs = 20;
  std::clock_t begin = std::clock();
  for (int i = 0; i < runs; ++i) {
    const NoGrad no_grad;
    static_cast<void>(cost(u));
  }
  const double simulation = milliseconds_since(begin) / runs;
  begin = std::clock();
  Tensor gradient;
  for (int i = 0; i < runs; ++i) gradient = grad(cost(u), u);
  const double sweep = milliseconds_since(begin) / runs;
  begin = std::clock();
  double difference = 0;
  {
    const NoGrad no_grad;
    const double h = 1e-5;
    const Tensor directions = eye(steps, steps, {.dtype = float64});
    for (std::int64_t i = 0; i < steps; ++i) {
      const double slope =
          (cost(u + h * directions[i]).item() - cost(u - h * directions[i]).item()) / (2 * h);
      difference = std::max(difference, std::abs(slope - gradient.at({i})));
    }
  }
  std::printf("a simulation takes %.2f ms, with its gradient %.2f ms; %d differences %.1f ms, %.0e apart\n",
              simulation, sweep, static_cast<int>(steps), milliseconds_since(begin), difference);
}

/// Torques that swing it up.
Tensor swing_up(int updates) {
  // [swing]
  nn::Parameter u(first_torques());
  optim::Adam adam({u.cell()}, {.lr = 0.05});
  const auto update = [&] {
    const Tensor value = cost(u);
    adam.zero_grad();
    value.backward();
    adam.step();
    return value.detach();
  };
  auto replayed = capture(update, std::tuple<>(), {&u, &adam});
  // [/swing]
  constexpr int timed = 20;
  std::clock_t begin = std::clock();
  for (int i = 0; i < timed; ++i) static_cast<void>(update());
  const double plain = milliseconds_since(begin) / timed;
  begin = std::clock();
  for (int i = timed; i < updates; ++i) {
    const Tensor value = replayed();
    if (i % 500 == 0 || i + 1 == updates) std::printf("update %4d: cost %.4f\n", i, value.item());
  }
  std::printf("an update takes %.2f ms, captured %.2f ms\n", plain,
              milliseconds_since(begin) / (updates - timed));
  return torques_of(u).detach();
}

/// Angles that were measured as it swung freely, with noise.
Tensor measured_angles(const Pendulum& truth) {
  Random random(1);
  const State s = simulate(truth, {number(2), number(0)}, zeros({120}, {.dtype = float64}), interval);
  return s.angle + 0.05 * randn({121}, random, {.dtype = float64});
}

/// Length, friction and first angle of a pendulum, by what was measured.
Tensor identify(const Tensor& angles) {
  // [fit]
  nn::Parameter theta(tensor({0.8, 0.0, 1.7}, {.dtype = float64}));
  const std::vector<nn::ParameterRef> cells{theta.cell()};
  const auto residuals = [&] {
    const Tensor t = theta;
    const State s = simulate({t[0], t[1]}, {t[2], number(0)}, zeros({120}, {.dtype = float64}), interval);
    return s.angle - angles;
  };
  const optim::LeastSquaresFit fit = optim::levenberg_marquardt(cells, residuals);
  const Tensor errors = sqrt(diag(optim::fit_covariance(cells, residuals)));
  // [/fit]
  std::printf("fit: length %.4f +- %.4f, friction %.4f +- %.4f, first angle %.3f +- %.3f, %d steps\n",
              theta.tensor().at({0}), errors.at({0}), theta.tensor().at({1}), errors.at({1}),
              theta.tensor().at({2}), errors.at({2}), static_cast<int>(fit.trials.size()));
  return theta.tensor().detach();
}

plot::Series series(const char* label, const Tensor& y, std::optional<bool> markers = false) {
  plot::Series line{.label = label, .x = {}, .y = {}, .markers = markers};
  for (std::int64_t i = 0; i < y.numel(); ++i) {
    line.x.push_back(static_cast<double>(i) * interval);
    line.y.push_back(y.at({i}));
  }
  return line;
}

void draw(const Tensor& torques, const Tensor& angles, const Tensor& theta, const std::string& path) {
  const State up = simulate(known(), hanging(), torques, interval);
  plot::Series orbit{.label = "swing-up", .x = {}, .y = {}, .markers = false, .ends = true};
  for (std::int64_t i = 0; i <= steps; ++i) {
    orbit.x.push_back(up.angle.at({i}));
    orbit.y.push_back(up.spin.at({i}));
  }
  const auto free_swing = [&](const Pendulum& p, const Tensor& angle) {
    return simulate(p, {angle, number(0)}, zeros({120}, {.dtype = float64}), interval).angle;
  };
  const plot::Series seen = series("measured", angles);
  const std::vector<plot::Chart> charts{
      {.title = "Swing-up",
       .x = {.label = "time (s)"},
       .y = {.label = "rad, Nm"},
       .layers = {series("angle", up.angle), series("torque", torques)}},
      {.title = "Angle and spin", .x = {.label = "angle (rad)"}, .y = {.label = "rad/s"}, .layers = {orbit}},
      {.title = "Fit",
       .x = {.label = "time (s)"},
       .y = {.label = "angle (rad)"},
       .layers = {plot::Points{.label = seen.label, .x = seen.x, .y = seen.y, .size = 0.5},
                  series("start", free_swing({number(0.8), number(0)}, number(1.7))),
                  series("fit", free_swing({theta[0], theta[1]}, theta[2]))}}};
  plot::save(plot::draw_charts(charts, {.width = 860, .height = 300}), path);
}

void check_gradients() {
  const auto end = [](std::span<const Tensor> in) {
    const State s = simulate({in[0], in[1]}, {in[2], in[3]}, in[4], interval);
    return std::vector<Tensor>{s.angle, s.spin};
  };
  const std::vector<Tensor> inputs{number(0.7), number(0.3), number(1.2), number(-0.4),
                                   tensor({1, -2, 0.5, 3}, {.dtype = float64})};
  require_grads(end, inputs, {.name = "simulate"});
  require_grads(cost, first_torques(), {.order = 1, .name = "cost"});
}

}  // namespace

int main(int argc, char** argv) try {
  bool check = false;
  int updates = 3000;
  std::string picture;
  CLI::App app("A pendulum is swung up, and identified, by gradients through its integrator");
  app.add_flag("--check", check, "compare gradients with numerical ones, and end");
  app.add_option("--updates", updates, "of the torques")->check(CLI::Range(30, 100000));
  app.add_option("picture", picture, "PNG or SVG file to draw");
  CLI11_PARSE(app, argc, argv);

  if (check) {
    check_gradients();
    std::printf("gradients are right\n");
    return 0;
  }
  compare_gradients();
  const Tensor torques = swing_up(updates);
  const State up = simulate(known(), hanging(), torques, interval);
  std::printf("in the end: angle %.4f of %.4f, spin %.4f, torques up to %.2f Nm\n", up.angle.at({steps}),
              std::numbers::pi, up.spin.at({steps}), amax(abs(torques)).item());
  const Tensor angles = measured_angles({number(1.3), number(0.15)});
  const Tensor theta = identify(angles);
  if (!picture.empty()) {
    draw(torques, angles, theta, picture);
    std::printf("drawn: %s\n", picture.c_str());
  }
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
