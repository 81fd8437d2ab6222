#include "training_curves.h"

#include <fmt/format.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/xtgrad.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "valleys.h"

namespace gallery {

namespace {

double loss_of(nn::Module& model, const datasets::Dataset& data) {
  const NoGrad no_grad;
  return nn::cross_entropy(model(data.inputs()), data.labels()).item();
}

/// The loss of all digits, looked at now and then, by the number of samples that gradients were made of.
plot::Series by_samples(const std::string& label, std::int64_t batch_size, double lr) {
  const datasets::Dataset data = scanned_digits();
  manual_seed(0);
  nn::Linear model{64, 10};
  optim::SGD sgd(model.parameters(), {.lr = lr});
  datasets::Loader loader(data, {.batch_size = batch_size, .shuffle = true});
  plot::Series curve{.label = label, .markers = false};
  double seen = 0;
  double next_look = 1;
  for (int epoch = 0; epoch < 20; ++epoch) {
    for (const auto& [x, y] : loader) {
      sgd.zero_grad();
      nn::cross_entropy(model(x), y).backward();
      sgd.step();
      seen += static_cast<double>(y.numel());
      if (seen < next_look) continue;
      curve.x.push_back(seen);
      curve.y.push_back(loss_of(model, data));
      next_look = 1.08 * seen;
    }
  }
  return curve;
}

/// The loss of all digits over the steps, in each of which a weight is changed with probability `share`.
std::vector<double> random_part(double share) {
  const datasets::Dataset data = scanned_digits();
  manual_seed(0);
  nn::Linear model{64, 10};
  optim::SGD sgd(model.parameters(), {.lr = 1});
  std::vector<double> losses;
  for (int step = 0; step < 300; ++step) {
    const Tensor loss = nn::cross_entropy(model(data.inputs()), data.labels());
    losses.push_back(loss.item());
    sgd.zero_grad();
    loss.backward();
    for (const nn::ParameterRef& p : sgd.parameters()) {
      p->set_grad(where(bernoulli(p->shape(), share), p->grad(), zeros_like(p->grad())));
    }
    sgd.step();
  }
  return losses;
}

/// The loss of all digits after every tenth step of a deep net's training by Adam.
std::vector<double> deep_training(const optim::Schedule& schedule, std::uint64_t seed) {
  manual_seed(seed);
  nn::MLP model{{.sizes = {64, 64, 64, 64, 64, 64, 64, 64, 10}}};
  optim::Adam adam(model.parameters(), {.lr = 0.02});
  const optim::ScheduledLr rates(adam, schedule);
  const datasets::Dataset data = scanned_digits();
  datasets::Loader loader(data, {.batch_size = 64, .shuffle = true, .seed = seed});
  std::vector<double> losses{loss_of(model, data)};
  std::int64_t step = 0;
  for (int epoch = 0; epoch < 10; ++epoch) {
    for (const auto& [x, y] : loader) {
      rates.apply(adam, step);
      adam.zero_grad();
      nn::cross_entropy(model(x), y).backward();
      adam.step();
      if (++step % 10 == 0) losses.push_back(loss_of(model, data));
    }
  }
  return losses;
}

/// The median of nine nets: one that is lost in its first steps would make a mean.
std::vector<double> median_deep_training(const optim::Schedule& schedule) {
  std::vector<std::vector<double>> nets;  // by looks, then by nets
  for (std::uint64_t seed = 0; seed < 9; ++seed) {
    const std::vector<double> losses = deep_training(schedule, seed);
    nets.resize(losses.size());
    for (std::size_t i = 0; i < losses.size(); ++i) nets[i].push_back(losses[i]);
  }
  std::vector<double> medians;
  for (std::vector<double>& losses : nets) {
    std::nth_element(losses.begin(), losses.begin() + 4, losses.end());
    medians.push_back(losses[4]);
  }
  return medians;
}

plot::Series every_tenth(const std::string& label, const std::vector<double>& losses) {
  plot::Series series = over_steps(label, losses);
  for (double& step : series.x) step *= 10;
  return series;
}

double steps_below(const std::vector<double>& losses, double level) {
  const auto found = std::find_if(losses.begin(), losses.end(), [&](double l) { return l < level; });
  return static_cast<double>(found - losses.begin());
}

}  // namespace

void draw_batches(Page& page) {
  const std::vector<plot::Series> curves{by_samples("all 1,797 at once", 1797, 1),
                                         by_samples("mini-batches of 32", 32, 0.2),
                                         by_samples("one by one", 1, 0.02)};
  const plot::Axis loss{.label = "cross-entropy (nats)", .lowest = 0};
  plot::Chart batches{.title = "Batches of three sizes",
                      .x = {.label = "samples seen", .logarithmic = true},
                      .y = loss,
                      .layers = {curves.begin(), curves.end()}};
  plot::Chart parts{.title = "A random part of the weights",
                    .x = {.label = "step, all samples in each", .range = plot::Range{0, 300}},
                    .y = loss};
  for (const double share : {1.0, 0.5, 0.1}) {
    const std::string label = fmt::format("{:.0f} % of the weights", 100 * share);
    const std::vector<double> losses = random_part(share);
    parts.layers.push_back(over_steps(label, losses));
    page.number("steps to a loss of 0.8, " + label, steps_below(losses, 0.8));
  }
  page.picture(
      "batches.png",
      "Left, one by one the samples begin to teach at once, where the whole set makes its first step "
      "only when all 1,797 are seen. Right, changing each weight with probability one half or one "
      "tenth takes about two or ten times the steps: every weight's own way is nearly the same.",
      plot::draw_charts(std::vector{batches, parts}, {.width = 840, .height = 350}));
  for (const plot::Series& curve : curves) {
    const auto epoch = std::find_if(curve.x.begin(), curve.x.end(), [](double x) { return x >= 1797; });
    page.number("loss after one epoch, " + curve.label,
                curve.y[static_cast<std::size_t>(epoch - curve.x.begin())]);
    page.number("loss after twenty epochs, " + curve.label, curve.y.back());
  }
}

void draw_rates(Page& page) {
  plot::Chart rates{.title = "Narrow valley, three rates",
                    .x = {.label = "step"},
                    .y = {.label = "loss", .logarithmic = true}};
  {
    const DefaultDtype in_double(float64);
    const Valley valley = narrow_valley();
    page.number("narrow valley: loss at the start", valley.loss(from_vector(valley.start)).item());
    for (const double lr : {0.001, 0.019, 0.0205}) {
      const Way way = walk<optim::SGD>("", valley, optim::SGDOptions{.lr = lr}, 100);
      rates.layers.push_back(over_steps(fmt::format("η = {}", lr), way.loss));
      page.number(fmt::format("loss after 100 steps, rate {}", lr), way.loss.back());
    }
  }
  plot::Chart deep{.title = "Deep net, median of nine",
                   .x = {.label = "step", .range = plot::Range{0, 300}},
                   .y = {.label = "cross-entropy (nats)", .lowest = 0}};
  const std::vector<double> cold = median_deep_training(optim::constant());
  const std::vector<double> warm = median_deep_training(optim::warmup({.steps = 60, .start_factor = 0.01}));
  deep.layers = {every_tenth("full rate at once", cold), every_tenth("warmed up", warm)};
  page.picture(
      "rates.png",
      fmt::format("Left, one rate is too small to get far, one is right, and one, a little larger, "
                  "throws the steep weight farther out in every step. Right, eight layers under Adam "
                  "at a large rate: who starts with it has a loss of {:.2f} after 290 steps, who warms "
                  "up during the first 60 steps {:.2f}.",
                  cold[29], warm[29]),
      plot::draw_charts(std::vector{rates, deep}, {.width = 840, .height = 330}));
  page.number("deep net: loss after 290 steps, full rate", cold[29]);
  page.number("deep net: loss after 290 steps, warmed up", warm[29]);
}

}  // namespace gallery
