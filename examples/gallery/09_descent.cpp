// Ways downhill: optimizers in two valleys, batches of three sizes, and learning rates.
#include <fmt/format.h>
#include <xtgrad/optim/newton.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/xtgrad.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "every_optimizer.h"
#include "page.h"
#include "stopping.h"
#include "training_curves.h"
#include "valleys.h"

namespace {

using namespace xtgrad;
using gallery::over_steps;
using gallery::Valley;
using gallery::walk;
using gallery::Way;

Way newton(const Valley& valley, int steps) {
  nn::Parameter at(from_vector(valley.start));
  return walk("Newton", valley, at, steps,
              [&] { optim::newton_step(std::vector{at.cell()}, [&] { return valley.loss(at); }); });
}

struct Rates {
  double sgd, momentum, adagrad, rmsprop, adam;
};

/// All optimizers from one place, each with a rate that suits it.
std::vector<Way> all_ways(const Valley& valley, const Rates& lr, double mu, int steps) {
  using optim::SGDOptions;
  return {walk<optim::SGD>("gradient descent", valley, SGDOptions{.lr = lr.sgd}, steps),
          walk<optim::SGD>("momentum", valley, SGDOptions{.lr = lr.momentum, .momentum = mu}, steps),
          walk<optim::SGD>("Nesterov", valley,
                           SGDOptions{.lr = lr.momentum, .momentum = mu, .nesterov = true}, steps),
          walk<optim::Adagrad>("AdaGrad", valley, optim::AdagradOptions{.lr = lr.adagrad}, steps),
          walk<optim::RMSProp>("RMSProp", valley,
                               optim::RMSPropOptions{.lr = lr.rmsprop, .alpha = 0.9, .eps_inside_root = true},
                               steps),
          walk<optim::Adam>("Adam", valley, optim::AdamOptions{.lr = lr.adam}, steps),
          newton(valley, 8)};
}

void note_way(gallery::Page& page, const std::string& valley, const Way& way) {
  page.number(valley + ": steps to a loss of 1e-3, " + way.label, way.steps_to(1e-3));
  const std::size_t end = std::min<std::size_t>(way.x.size() - 1, 20);
  page.numbers(fmt::format("{}: weights after {} steps, {}", valley, end, way.label),
               std::vector{way.x[end], way.y[end]});
}

void draw_ways(gallery::Page& page) {
  const std::vector<Way> left = all_ways(gallery::narrow_valley(), {0.019, 0.01, 0.5, 0.03, 0.2}, 0.8, 400);
  const std::vector<Way> right =
      all_ways(gallery::rosenbrock_valley(), {0.001, 0.001, 0.5, 0.01, 0.1}, 0.9, 20000);
  page.picture(
      "ways.png",
      "Seven optimizers after 100 steps, from the ring to the discs, which lie on each other where they have "
      "arrived. Left, gradient descent zig-zags "
      "across the valley, and Newton's method is at the minimum after one step; right, the valley is bent: "
      "plain descent creeps along its floor, on which momentum and Nesterov are far along "
      "(the rates are fixed, so both forms of momentum go the same way).",
      gallery::maps_of(left, right, 100));
  std::vector<plot::Canvas> frames;
  for (int steps = 1; steps <= 100; steps += steps < 20 ? 1 : 5) {
    frames.push_back(gallery::maps_of(left, right, steps));
  }
  page.animation(
      "ways.svg",
      "Both valleys step by step: the first twenty one by one, then every fifth. Plain descent jumps "
      "from wall to wall on the left and hardly moves along the floor on the right, where momentum "
      "swings; Newton's second step there leaves the picture and its third comes back.",
      frames, {.frame_seconds = 0.2});
  for (std::size_t i = 0; i < left.size(); ++i) {
    note_way(page, "narrow", left[i]);
    note_way(page, "Rosenbrock", right[i]);
  }
}

/// How often w₂ has changed its sign on the first `steps` of the way.
int sign_changes(const Way& way, int steps) {
  int changes = 0;
  for (std::size_t i = 1; i <= static_cast<std::size_t>(steps); ++i) changes += way.y[i] * way.y[i - 1] < 0;
  return changes;
}

/// Momentum in one of its two forms, at a rate that a schedule changes.
Way scheduled(const std::string& label, bool lr_in_velocity, const optim::Schedule& schedule) {
  const Valley valley = gallery::narrow_valley();
  nn::Parameter at(from_vector(valley.start));
  optim::SGD sgd({at.cell()}, {.lr = 0.005, .momentum = 0.9, .lr_in_velocity = lr_in_velocity});
  const optim::ScheduledLr rates(sgd, schedule);
  int step = 0;
  return walk(label, valley, at, 60, [&] {
    rates.apply(sgd, step++);
    sgd.zero_grad();
    valley.loss(at).backward();
    sgd.step();
  });
}

void draw_momentum(gallery::Page& page) {
  const Valley valley = gallery::narrow_valley();
  const Way plain = walk<optim::SGD>("without", valley, optim::SGDOptions{.lr = 0.019}, 400);
  const Way heavy = walk<optim::SGD>("with", valley, optim::SGDOptions{.lr = 0.01, .momentum = 0.8}, 400);
  const optim::Schedule cut = optim::multi_step({.milestones = {15}, .gamma = 0.05});
  const Way outside = scheduled("w ← w − ηv", false, cut);
  const Way inside = scheduled("v ← γv + ηg", true, cut);
  const plot::Axis steps{.label = "step", .range = plot::Range{0, 60}};
  plot::Chart zigzag{.title = "The zig-zag", .x = steps, .y = {.label = "steep weight w₂"}};
  zigzag.layers = {over_steps("gradient descent", plain.y), over_steps("momentum", heavy.y)};
  plot::Chart forms{.title = "Rate cut at step 15", .x = steps, .y = {.label = "flat weight w₁"}};
  forms.layers = {over_steps("rate outside the velocity", outside.x),
                  over_steps("rate inside the velocity", inside.x)};
  page.picture(
      "momentum.png",
      "Left, the steep weight: plain descent is on the other side after every step; momentum, at about "
      "half the rate, less often, and is three times as fast along the valley. Right, its two forms are "
      "one until the rate is cut to a twentieth: outside of the velocity that acts at once, inside the "
      "old velocity rolls on.",
      plot::draw_charts(std::vector{zigzag, forms}, {.width = 840, .height = 320}));
  page.number("sign changes of w₂ in 60 steps, gradient descent", sign_changes(plain, 60));
  page.number("sign changes of w₂ in 60 steps, momentum", sign_changes(heavy, 60));
  page.number("distance of the two forms, constant rate",
              gallery::greatest_distance(scheduled("", false, optim::constant()),
                                         scheduled("", true, optim::constant())));
  page.number("distance of the two forms, rate cut at step 15", gallery::greatest_distance(outside, inside));
}

void draw(gallery::Page& page) {
  {
    const DefaultDtype in_double(float64);
    draw_ways(page);
    draw_momentum(page);
  }
  gallery::draw_batches(page);
  gallery::draw_rates(page);
  gallery::draw_every_optimizer(page);
  gallery::draw_stopping_rules(page);
}

}  // namespace

int main(int argc, char** argv) { return gallery::run(argc, argv, "Ways downhill", draw); }
