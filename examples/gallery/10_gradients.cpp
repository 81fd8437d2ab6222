// Three ways to a gradient: numerical, by hand, and by the engine.
#include <fmt/format.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/xtgrad.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "page.h"
#include "three_gradients.h"

namespace {

using namespace xtgrad;
using gallery::best_step;
using gallery::FitProblem;

/// The length of the difference, over the length of what is right.
double relative_error(const Tensor& gradient, const Tensor& right) {
  return std::sqrt(sum(square(gradient - right)).item() / sum(square(right)).item());
}

/// The error of one kind of difference over the step, and what the picture says of it in numbers.
plot::Series over_steps(gallery::Page& page, const FitProblem& p, bool central) {
  const Dtype dtype = p.w.dtype();
  const Tensor right = by_hand(p.in(float64));
  const auto error_at = [&](double step) { return relative_error(numerical(p, step, central), right); };
  plot::Series curve{.label = central ? "central" : "one-sided", .markers = false};
  for (int quarter = dtype == float32 ? -28 : -56; quarter <= 0; ++quarter) {
    curve.x.push_back(std::pow(10, quarter / 4.0));
    curve.y.push_back(error_at(curve.x.back()));
  }
  const auto least = std::min_element(curve.y.begin(), curve.y.end());
  const std::string what = fmt::format("{}, {}: ", to_string(dtype), curve.label);
  page.number(what + "best step", curve.x[static_cast<std::size_t>(least - curve.y.begin())]);
  page.number(what + "best step in theory", best_step(dtype, central));
  page.number(what + "least error", *least);
  page.number(what + "error at the theory's step", error_at(best_step(dtype, central)));
  page.number(what + "error at the smallest step", curve.y.front());
  page.numbers(what + "error at steps 0.01, 0.1", std::vector{error_at(0.01), error_at(0.1)});
  return curve;
}

plot::Chart u_curves(gallery::Page& page, const FitProblem& p) {
  const Dtype dtype = p.w.dtype();
  const plot::Range errors{1e-12, 100};
  plot::Chart chart{.title = dtype == float32 ? "float32, 7 digits" : "float64, 16 digits",
                    .x = {.label = "step", .logarithmic = true},
                    .y = {.label = "relative error", .logarithmic = true, .range = errors}};
  for (const bool central : {false, true}) {
    chart.layers.emplace_back(over_steps(page, p, central));
    const double step = best_step(dtype, central);
    chart.layers.emplace_back(plot::Series{.label = central ? "³√ε" : "√ε",
                                           .x = {step, step},
                                           .y = {errors.low, errors.high},
                                           .dashed = true,
                                           .markers = false});
  }
  return chart;
}

/// A way to compute something for a problem, and up to which size one would wait for it.
struct Way {
  std::string label;
  Callable<Tensor(const FitProblem&)> run;
  std::int64_t most_hidden = 100'000;
  bool is_judged = true;  // by the formula by hand
};

const std::vector<Way> ways{
    {"one-sided", [](const FitProblem& p) { return numerical(p, best_step(float64, false), false); }, 1000},
    {"central", [](const FitProblem& p) { return numerical(p, best_step(float64, true), true); }, 1000},
    {"engine", gallery::by_engine},
    {.label = "by hand", .run = gallery::by_hand, .is_judged = false},
    {.label = "the loss alone", .run = [](const FitProblem& p) { return loss(p, p.w); }, .is_judged = false}};

double seconds_of(const Way& way, const FitProblem& p) {
  const std::int64_t calls = 1 + 20'000 / p.w.numel();  // what is short is done many times
  const auto repeat = [&] {
    for (std::int64_t i = 0; i < calls; ++i) static_cast<void>(way.run(p));
  };
  return gallery::seconds_of(repeat) / static_cast<double>(calls);
}

plot::Canvas over_weights(gallery::Page& page) {
  plot::Chart error{.title = "Error",
                    .x = {.label = "weights", .logarithmic = true},
                    .y = {.label = "relative error", .logarithmic = true}};
  plot::Chart time = error;
  time.title = "Time";
  time.y.label = "time (s)";
  for (const Way& way : ways) {
    plot::Series errors{.label = way.label};
    plot::Series times{.label = way.label};
    for (const std::int64_t hidden : {3, 10, 30, 100, 300, 1000, 3000, 10'000, 30'000, 100'000}) {
      if (hidden > way.most_hidden) break;
      const FitProblem p = gallery::make_problem(hidden);
      const std::string name = fmt::format("{}, {} weights (s)", way.label, p.w.numel());
      times.x.push_back(static_cast<double>(p.w.numel()));
      times.y.push_back(page.measured(name, [&] { return seconds_of(way, p); }));
      if (way.is_judged) errors.y.push_back(relative_error(way.run(p), by_hand(p)));
    }
    page.numbers(way.label + ": weights", times.x);
    page.numbers(way.label + ": time (s)", times.y);
    time.layers.emplace_back(times);
    if (!way.is_judged) continue;
    errors.x = times.x;
    page.numbers(way.label + ": error", errors.y);
    error.layers.emplace_back(errors);
  }
  return plot::draw_charts(std::vector{error, time}, {.width = 700, .height = 360});
}

void draw(gallery::Page& page) {
  const FitProblem p = gallery::make_problem(3);
  page.numbers("gradient by hand", plot::numbers(by_hand(p)));
  page.numbers("gradient by the engine", plot::numbers(by_engine(p)));
  page.numbers("gradient by central differences",
               plot::numbers(numerical(p, best_step(float64, true), true)));

  const FitProblem q = gallery::make_problem(13);
  const std::vector<plot::Chart> charts{u_curves(page, q.in(float32)), u_curves(page, q)};
  page.picture(
      "steps.png",
      "How wrong a numerical gradient is, over the step by which each weight was moved. A long step "
      "looks too far along a curved loss, a short one drowns in rounding, and between them is the "
      "best that one can get: about half of a dtype's digits, or two thirds with central differences "
      "(dashed: where theory says that it is).",
      plot::draw_charts(charts, {.width = 700, .height = 360}));
  page.picture("ways.png",
               "Error and time of each way over the number of weights. Numerical gradients compute the loss "
               "again for every weight; the engine, like the formula by hand, takes as long as a few losses "
               "however many weights there are, and is exact but for rounding.",
               over_weights(page));
}

}  // namespace

int main(int argc, char** argv) { return gallery::run(argc, argv, "Three ways to a gradient", draw); }
