#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "tests/gallery/gallery_page.h"

using namespace xtgrad;

namespace {

/// The page's narrow valley, (x² + 100 y²) / 2 from (-2, 0.7), in plain loops.
struct Course {
  double x = -2;
  double y = 0.7;
  double vx = 0;
  double vy = 0;
  int below = -1;        // step at which the loss is below 1e-3 for the first time
  int sign_changes = 0;  // of y in the first 60 steps

  void step(int i, double lr, double mu) {
    vx = mu * vx + x;
    vy = mu * vy + 100 * y;
    const double before = y;
    x -= lr * vx;
    y -= lr * vy;
    if (i < 60 && y * before < 0) ++sign_changes;
    if (below < 0 && loss() < 1e-3) below = i + 1;
  }
  [[nodiscard]] double loss() const { return (x * x + 100 * y * y) / 2; }
};

Course run(double lr, double mu, int steps) {
  Course course;
  for (int i = 0; i < steps; ++i) course.step(i, lr, mu);
  return course;
}

/// How far the two forms of momentum come apart in 60 steps, if the rate is multiplied by `factor` at the
/// 15th.
double distance_of_forms(double factor) {
  double w[2][2] = {{-2, 0.7}, {-2, 0.7}};
  double v[2][2] = {{0, 0}, {0, 0}};
  double greatest = 0;
  for (int i = 0; i < 60; ++i) {
    const double lr = i < 15 ? 0.005 : 0.005 * factor;
    for (int k = 0; k < 2; ++k) {
      const double steepness = k == 0 ? 1 : 100;
      v[0][k] = 0.9 * v[0][k] + steepness * w[0][k];
      w[0][k] -= lr * v[0][k];
      v[1][k] = 0.9 * v[1][k] + lr * steepness * w[1][k];
      w[1][k] -= v[1][k];
    }
    greatest = std::max(greatest, std::hypot(w[0][0] - w[1][0], w[0][1] - w[1][1]));
  }
  return greatest;
}

using Point = std::array<double, 2>;

Point narrow_slope(const Point& w) { return {w[0], 100 * w[1]}; }
double narrow_loss(const Point& w) { return (w[0] * w[0] + 100 * w[1] * w[1]) / 2; }
Point rosenbrock_slope(const Point& w) {
  const double rise = w[1] - w[0] * w[0];
  return {-2 * (1 - w[0]) - 400 * w[0] * rise, 200 * rise};
}
double rosenbrock_loss(const Point& w) {
  return (1 - w[0]) * (1 - w[0]) + 100 * (w[1] - w[0] * w[0]) * (w[1] - w[0] * w[0]);
}

struct Valley {
  std::string name;
  Point start;
  Point (*slope)(const Point&);
  double (*loss)(const Point&);
};

/// What one weight remembers of the steps before.
struct Memory {
  double a = 0;
  double b = 0;
};
/// How far a weight moves, of its slope, in step t from 1.
using Rule = std::function<double(double g, int t, Memory& memory)>;

Rule momentum(double lr, double mu, bool nesterov) {
  return [=](double g, int /*t*/, Memory& memory) {
    memory.a = mu * memory.a + g;
    return lr * (nesterov ? g + mu * memory.a : memory.a);
  };
}

Rule adagrad(double lr) {
  return [=](double g, int /*t*/, Memory& memory) {
    memory.a += g * g;
    return lr * g / (std::sqrt(memory.a) + 1e-10);
  };
}

Rule rmsprop(double lr) {
  return [=](double g, int /*t*/, Memory& memory) {
    memory.a = 0.9 * memory.a + 0.1 * g * g;
    return lr * g / std::sqrt(memory.a + 1e-8);
  };
}

Rule adam(double lr) {
  return [=](double g, int t, Memory& memory) {
    memory.a = 0.9 * memory.a + 0.1 * g;
    memory.b = 0.999 * memory.b + 0.001 * g * g;
    const double mean = memory.a / (1 - std::pow(0.9, t));
    return lr * mean / (std::sqrt(memory.b / (1 - std::pow(0.999, t))) + 1e-8);
  };
}

/// The page's way by a rule is that of a plain loop: where it is after 20 steps, and how long it takes.
/// (RMSProp steps to and fro across the bent valley, where a last digit grows by a half in every step.)
void check_way(const testing::GalleryPage& page, const Valley& valley, const std::string& optimizer,
               const Rule& rule) {
  CAPTURE(valley.name);
  CAPTURE(optimizer);
  Point w = valley.start;
  std::array<Memory, 2> memory;
  int below = -1;
  for (int t = 1; t <= 20000; ++t) {
    const Point g = valley.slope(w);
    for (std::size_t i = 0; i < 2; ++i) w[i] -= rule(g[i], t, memory[i]);
    if (below < 0 && valley.loss(w) < 1e-3) below = t;
    if (t != 20) continue;
    const std::vector<double> there = page.numbers(valley.name + ": weights after 20 steps, " + optimizer);
    REQUIRE(there.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) CHECK(std::abs(there[i] - w[i]) < 1e-9);
  }
  const std::string steps = valley.name + ": steps to a loss of 1e-3, " + optimizer;
  if (below < 0) {
    CHECK(page.text("09_descent.json").find(steps + "\": null") != std::string::npos);
  } else {
    CHECK(page.number(steps) == below);
  }
}

void check_ways(const testing::GalleryPage& page) {
  const Valley narrow{"narrow", {-2, 0.7}, narrow_slope, narrow_loss};
  const Valley bent{"Rosenbrock", {-1.2, 1}, rosenbrock_slope, rosenbrock_loss};
  check_way(page, narrow, "gradient descent", momentum(0.019, 0, false));
  check_way(page, bent, "gradient descent", momentum(0.001, 0, false));
  check_way(page, narrow, "momentum", momentum(0.01, 0.8, false));
  check_way(page, bent, "momentum", momentum(0.001, 0.9, false));
  check_way(page, narrow, "Nesterov", momentum(0.01, 0.8, true));
  check_way(page, bent, "Nesterov", momentum(0.001, 0.9, true));
  check_way(page, narrow, "AdaGrad", adagrad(0.5));
  check_way(page, bent, "AdaGrad", adagrad(0.5));
  check_way(page, narrow, "RMSProp", rmsprop(0.03));
  check_way(page, bent, "RMSProp", rmsprop(0.01));
  check_way(page, narrow, "Adam", adam(0.2));
  check_way(page, bent, "Adam", adam(0.1));
}

}  // namespace

TEST_CASE("gallery 09: optimizers, momentum, batches and learning rates do what the page says") {
  const testing::GalleryPage page("09_descent");

  const Course plain = run(0.019, 0, 400);
  const Course heavy = run(0.01, 0.8, 400);
  CHECK(page.number("narrow: steps to a loss of 1e-3, gradient descent") == plain.below);
  CHECK(page.number("narrow: steps to a loss of 1e-3, momentum") == heavy.below);
  CHECK(heavy.below * 3 < plain.below);
  CHECK(page.number("sign changes of w₂ in 60 steps, gradient descent") == plain.sign_changes);
  CHECK(page.number("sign changes of w₂ in 60 steps, momentum") == heavy.sign_changes);
  CHECK(heavy.sign_changes < plain.sign_changes / 2);

  check_ways(page);

  // Newton's method solves a quadratic in one step, and Rosenbrock's valley in a few.
  CHECK(page.number("narrow: steps to a loss of 1e-3, Newton") == 1);
  CHECK(page.text("09_descent_ways.svg").find(", 1 step<") != std::string::npos);
  CHECK(page.number("Rosenbrock: steps to a loss of 1e-3, Newton") < 8);
  for (const std::string name : {"momentum", "Nesterov", "Adam"}) {
    CAPTURE(name);
    CHECK(page.number("Rosenbrock: steps to a loss of 1e-3, " + name) * 5 <
          page.number("Rosenbrock: steps to a loss of 1e-3, gradient descent"));
  }

  CHECK(distance_of_forms(1) < 1e-14);
  CHECK(page.number("distance of the two forms, constant rate") < 1e-14);
  CHECK(page.number("distance of the two forms, rate cut at step 15") ==
        doctest::Approx(distance_of_forms(0.05)).epsilon(1e-9));

  for (const std::string when : {"one epoch", "twenty epochs"}) {
    CAPTURE(when);
    const double batch = page.number("loss after " + when + ", all 1,797 at once");
    const double mini_batch = page.number("loss after " + when + ", mini-batches of 32");
    CHECK(page.number("loss after " + when + ", one by one") < mini_batch);
    CHECK(mini_batch < batch);
  }
  const double all = page.number("steps to a loss of 0.8, 100 % of the weights");
  CHECK(page.number("steps to a loss of 0.8, 50 % of the weights") / all == doctest::Approx(2).epsilon(0.1));
  CHECK(page.number("steps to a loss of 0.8, 10 % of the weights") / all == doctest::Approx(10).epsilon(0.1));

  for (const std::string rate : {"0.001", "0.019", "0.0205"}) {
    CAPTURE(rate);
    const double loss = run(std::stod(rate), 0, 100).loss();
    CHECK(page.number("loss after 100 steps, rate " + rate) == doctest::Approx(loss).epsilon(1e-9));
  }
  CHECK(page.number("loss after 100 steps, rate 0.0205") > page.number("loss after 100 steps, rate 0.001"));
  CHECK(page.number("loss after 100 steps, rate 0.001") > page.number("loss after 100 steps, rate 0.019"));

  CHECK(page.number("deep net: loss after 290 steps, warmed up") <
        0.75 * page.number("deep net: loss after 290 steps, full rate"));
}
