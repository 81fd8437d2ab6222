#include "rosenblatt.h"

#include <fmt/format.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/xtgrad.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace gallery {

namespace {

/// Samples [n, features] of two kinds, with targets [n, 1] of 0 or 1.
struct Samples {
  Tensor x;
  Tensor targets;
};

/// The line w · x + b = 0 of a unit with two inputs.
struct Boundary {
  double w1;
  double w2;
  double b;
};

/// What came of learning: the boundary after each mistake, the last of which makes none.
struct Lesson {
  nn::Perceptron unit;
  std::vector<Boundary> boundaries;
  std::int64_t passes = 0;  ///< over the samples, with the last, in which all went well

  [[nodiscard]] std::int64_t mistakes() const { return static_cast<std::int64_t>(boundaries.size()); }
};

/// How far each sample is on its right side: y (w · x + b) / |[w b]| with y = 1 or -1, [n, 1].
Tensor margins(const nn::Perceptron& unit, const Samples& samples) {
  const NoGrad no_grad;
  const Tensor w = unit.linear.weight;
  const Tensor b = unit.linear.bias;
  const Tensor sums = matmul(samples.x, w, {.transpose_b = true}) + b;
  return (2 * samples.targets - 1) * sums / sqrt(sum(square(w)) + sum(square(b)));
}

Boundary boundary_of(const nn::Perceptron& unit) {
  const Tensor w = unit.linear.weight;
  return {w.at({0, 0}), w.at({0, 1}), unit.linear.bias.tensor().item()};
}

/// Learns the samples, one after the other and over again, from w = 0 and b = 0 until a pass brings no
/// mistake. That comes to an end only if a line separates them.
Lesson learn(const Samples& samples) {
  Lesson lesson{nn::Perceptron{{.in_features = 2}}, {}};
  lesson.unit.linear.weight.set_value(zeros({1, 2}));
  lesson.unit.linear.bias.set_value(zeros({1}));
  bool learnt = false;
  while (!learnt) {
    learnt = true;
    ++lesson.passes;
    for (std::int64_t i = 0; i < samples.x.size(0); ++i) {
      const Tensor x = slice(samples.x, {.start = i, .stop = i + 1});
      const Tensor target = slice(samples.targets, {.start = i, .stop = i + 1});
      if (nn::perceptron_rule(lesson.unit, x, target) == 0) continue;
      lesson.boundaries.push_back(boundary_of(lesson.unit));
      learnt = false;
    }
  }
  return lesson;
}

/// The length of the longest sample [x 1].
double radius(const Samples& samples) {
  return std::sqrt(amax(sum(square(samples.x), {.axes = {1}}) + 1).item());
}

/// How far the nearest sample is on its right side of a unit's plane, measured among the samples [x 1].
/// Negative if one is on the wrong side.
double margin(const nn::Perceptron& unit, const Samples& samples) {
  return -amax(-margins(unit, samples)).item();
}

/// At most (radius / margin)² mistakes are made, whatever the order of the samples, with the margin of any
/// unit that separates them (A. Novikoff, "On convergence proofs for perceptrons", 1962).
double most_mistakes(const nn::Perceptron& separating, const Samples& samples) {
  const double ratio = radius(samples) / margin(separating, samples);
  return ratio * ratio;
}

/// Length and width of the petals of 150 irises, in cm, and 1 for the 50 of the species setosa.
Samples petals() {
  const datasets::Dataset data = datasets::iris();
  return {slice(data.inputs(), {.axis = 1, .start = 2}),
          reshape(equal(data.labels(), 0).to(default_dtype()), {-1, 1})};
}

/// 200 points of the square [-1, 1]² with a teacher's answers, none of which has a margin below `least`.
Samples clear_cases(nn::Perceptron& teacher, double least) {
  const Tensor x = uniform({1000, 2}, {.low = -1, .high = 1});
  const Samples all{x, teacher(x).detach()};
  const std::vector<double> certain = plot::numbers(margins(teacher, all));
  std::vector<Tensor> rows;
  std::vector<Tensor> targets;
  for (std::int64_t i = 0; i < 1000 && rows.size() < 200; ++i) {
    if (certain[static_cast<std::size_t>(i)] < least) continue;
    rows.push_back(slice(all.x, {.start = i, .stop = i + 1}));
    targets.push_back(slice(all.targets, {.start = i, .stop = i + 1}));
  }
  return {concat(rows), concat(targets)};
}

plot::Series line(const std::string& label, const Boundary& at, bool dashed) {
  const auto y = [&](double x) { return -(at.w1 * x + at.b) / at.w2; };
  return {.label = label, .x = {0, 8}, .y = {y(0), y(8)}, .dashed = dashed, .markers = false};
}

plot::Chart draw_irises(Page& page) {
  const Samples data = petals();
  const Lesson lesson = learn(data);
  page.number("irises: mistakes", static_cast<double>(lesson.mistakes()));
  page.number("irises: passes", static_cast<double>(lesson.passes));
  page.number("irises: bound of the mistakes", most_mistakes(lesson.unit, data));
  plot::Chart chart{.title = "Petals of irises",
                    .x = {.label = "length (cm)", .range = plot::Range{0, 7.5}},
                    .y = {.label = "width (cm)", .range = plot::Range{-0.5, 3}}};
  const std::vector<std::string> names{"other irises", "setosa"};
  chart.layers = plot::class_points(data.x, reshape(data.targets, {-1}).to(int64), names);
  chart.layers.emplace_back(line("line after 3 mistakes", lesson.boundaries[2], true));
  chart.layers.emplace_back(
      line(fmt::format("after {}, the last", lesson.mistakes()), lesson.boundaries.back(), false));
  return chart;
}

}  // namespace

void draw_learning_rule(Page& page) {
  nn::Perceptron teacher{{.in_features = 2}};
  teacher.linear.weight.set_value(tensor({{2, -2}}) / 3);  // [w b] has length 1
  teacher.linear.bias.set_value(tensor({1}) / 3);
  plot::Series made{.label = "made"};
  plot::Series bound{.label = "bound (R / γ)²"};
  for (const double least : {0.01, 0.02, 0.05, 0.1, 0.2, 0.4}) {
    const Samples data = clear_cases(teacher, least);
    made.x.push_back(margin(teacher, data));
    made.y.push_back(static_cast<double>(learn(data).mistakes()));
    bound.x.push_back(made.x.back());
    bound.y.push_back(most_mistakes(teacher, data));
  }
  page.numbers("margins", made.x);
  page.numbers("mistakes made", made.y);
  page.numbers("bounds of the mistakes", bound.y);
  plot::Chart mistakes{.title = "Mistakes until all is learnt",
                       .x = {.label = "margin γ", .logarithmic = true},
                       .y = {.label = "mistakes", .logarithmic = true}};
  mistakes.layers.emplace_back(bound);
  mistakes.layers.emplace_back(made);
  page.picture(
      "rule.png",
      "Left, each mistake moves the line, and after a few of them all irises are on their sides. Right, "
      "points of a square that keep away from a teacher's line: a wide gap between the kinds takes few "
      "mistakes, and there are never more than the bound.",
      // Each under its own legend: their marks have nothing in common.
      plot::beside(std::vector{plot::draw_chart(draw_irises(page), {.width = 360, .height = 340}),
                               plot::draw_chart(mistakes, {.width = 320, .height = 340})},
                   {.per_row = 2}));
}

}  // namespace gallery
