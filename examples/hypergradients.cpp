// Hyperparameters by gradients: through the unrolled steps of a training, and through the equation that its
// end fulfils. hypergradients [--check] [--updates N] [PICTURE]
#include <xtgrad/autograd/implicit.h>
#include <xtgrad/autograd/memory.h>
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
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace xtgrad;

namespace {

constexpr std::int64_t features = 30, informative = 6;

struct Data {
  Tensor x, y;  // [n, features], and +1 or -1 [n]
};

/// The first few features tell the class, the others nothing.
Data make_data(std::int64_t n, Random& random) {
  const Tensor x = randn({n, features}, random, {.dtype = float64});
  const Tensor score = 1.5 * sum(slice(x, {.axis = 1, .stop = informative}), {.axes = {1}});
  return {x, sign(score + randn({n}, random, {.dtype = float64}))};
}

// [training]
/// Logistic regression: the mean loss of an item, in nats.
Tensor loss(const Tensor& w, const Data& data) { return mean(softplus(-data.y * matmul(data.x, w))); }

/// What is minimised by training: each weight has a decay of its own, given by its logarithm.
Tensor objective(const Tensor& w, const Tensor& log_decay, const Data& data) {
  return loss(w, data) + 0.5 * sum(exp(log_decay) * square(w));
}
/// Its gradient in w.
Tensor slope(const Tensor& w, const Tensor& log_decay, const Data& data) {
  const Tensor pull = -data.y * sigmoid(-data.y * matmul(data.x, w)) / static_cast<double>(data.y.numel());
  return matmul(pull, data.x) + exp(log_decay) * w;
}
// [/training]

// [unrolled]
/// Gradient descent from 0, a step for each of the learning rates.
Tensor unrolled(const Tensor& rates, const Tensor& log_decay, const Data& data) {
  Tensor w = zeros({features}, {.dtype = float64});
  for (std::int64_t t = 0; t < rates.numel(); ++t) w = w - rates[t] * slope(w, log_decay, data);
  return w;
}
// [/unrolled]

// [implicit]
/// Where the objective's slope is 0, by Newton's method, of which nothing is recorded. The derivative follows
/// from the equation, slope = 0.
Tensor minimum(const Tensor& log_decay, const Data& data) {
  const auto equation = [data](const Tensor& w, const Tensor& decay) { return slope(w, decay, data); };
  const auto newton = [&](const Tensor& decay) {
    Tensor w = zeros({features}, {.dtype = float64});
    for (int i = 0; i < 12; ++i) {
      const Tensor curvature = jacobian([&](const Tensor& v) { return slope(v, decay, data); }, w);
      w = w - solve(curvature, slope(w, decay, data));
    }
    return w;
  };
  return implicit_root(equation, newton, log_decay);
}
// [/implicit]

/// Of processor time, which other programs do not lengthen.
double milliseconds_since(std::clock_t begin) {
  return 1e3 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

/// A hypergradient, and what it cost.
struct Measured {
  Tensor gradient;
  double milliseconds;
  std::int64_t bytes;  // of the graph
};

/// Of the validation loss in the logarithms of the decays.
template <class Train>
Measured measure(const Data& validation, const Train& train) {
  const Tensor log_decay = full({features}, std::log(0.03), {.dtype = float64, .requires_grad = true});
  const auto begin = std::clock();
  const std::int64_t before = memory_in_use();
  const Tensor value = loss(train(log_decay), validation);
  const std::int64_t bytes = memory_in_use() - before;
  Tensor gradient = grad(value, log_decay);
  return {std::move(gradient), milliseconds_since(begin), bytes};
}

struct Comparison {
  std::vector<double> steps, difference, megabytes;
  double implicit_megabytes;
};

Comparison compare(const Data& train, const Data& validation) {
  Comparison result;
  const Measured exact = measure(validation, [&](const Tensor& decay) { return minimum(decay, train); });
  result.implicit_megabytes = static_cast<double>(exact.bytes) / 1e6;
  std::printf("implicit:              %6.2f MB, %6.1f ms\n", result.implicit_megabytes, exact.milliseconds);
  for (const std::int64_t steps : {10, 30, 100, 300, 600, 1000}) {
    const Tensor rates = full({steps}, 0.8, {.dtype = float64});
    const Measured m =
        measure(validation, [&](const Tensor& decay) { return unrolled(rates, decay, train); });
    const double difference = (amax(abs(m.gradient - exact.gradient)) / amax(abs(exact.gradient))).item();
    result.steps.push_back(static_cast<double>(steps));
    result.difference.push_back(difference);
    result.megabytes.push_back(static_cast<double>(m.bytes) / 1e6);
    std::printf("unrolled, %4d steps:   %6.2f MB, %6.1f ms, differs by %.1e\n", static_cast<int>(steps),
                result.megabytes.back(), m.milliseconds, difference);
  }
  return result;
}

/// Losses of new data as the hyperparameters learn.
struct Descent {
  std::vector<double> update, validation, test;
};

/// A decay for all weights, by a search, and one for each weight, by hypergradients.
Descent learn_decays(const Data& train, const Data& validation, const Data& test, int updates,
                     Tensor& found) {
  double best = 1e9, best_log = 0;
  for (double log_decay = -8; log_decay <= 1; log_decay += 0.25) {
    const NoGrad no_grad;
    const Tensor decays = full({features}, log_decay, {.dtype = float64});
    const double value = loss(minimum(decays, train), validation).item();
    if (value < best) best = value, best_log = log_decay;
  }
  const Tensor start = full({features}, best_log, {.dtype = float64});
  const auto report = [&](const char* what, const Tensor& decays) {
    const NoGrad no_grad;
    const Tensor w = minimum(decays, train);
    std::printf("%-23s validation %.4f, test %.4f\n", what, loss(w, validation).item(), loss(w, test).item());
  };
  report("one decay, searched:", start);
  // [decays]
  nn::Parameter log_decay(start);
  optim::Adam adam({log_decay.cell()}, {.lr = 0.1});
  Descent descent;
  for (int update = 0; update < updates; ++update) {
    const Tensor w = minimum(log_decay, train);
    const Tensor value = loss(w, validation);
    descent.update.push_back(update);
    descent.validation.push_back(value.item());
    descent.test.push_back(loss(w.detach(), test).item());
    adam.zero_grad();
    value.backward();
    adam.step();
  }
  // [/decays]
  found = log_decay.tensor().detach();
  report("a decay each, learnt:", found);
  return descent;
}

/// Rates of eight steps by how far above its minimum they lead the objective; returns them.
Tensor learn_rates(const Data& train, int updates) {
  constexpr std::int64_t steps = 8;
  const Tensor log_decay = full({features}, std::log(0.03), {.dtype = float64});
  const auto value = [&](const Tensor& rates) {
    return objective(unrolled(rates, log_decay, train), log_decay, train);
  };
  const double least = objective(minimum(log_decay, train), log_decay, train).item();
  double best = 1e9, best_rate = 0;
  for (double rate = 0.1; rate < 8; rate *= 1.1) {
    const NoGrad no_grad;
    const double reached = value(full({steps}, rate, {.dtype = float64})).item();
    if (reached < best) best = reached, best_rate = rate;
  }
  std::printf("one rate, searched:     %.3f, the objective is %.1e above its minimum\n", best_rate,
              best - least);
  // [rates]
  nn::Parameter rates(full({steps}, best_rate, {.dtype = float64}));
  optim::Adam adam({rates.cell()}, {.lr = 0.05});
  const auto update = [&] {
    const Tensor distance = log(value(rates) - least);
    adam.zero_grad();
    distance.backward();
    adam.step();
    return distance.detach();
  };
  auto replayed = capture(update, std::tuple<>(), {&rates, &adam});
  // [/rates]
  const auto time_of = [&](auto& step) {
    const auto begin = std::clock();
    for (int i = 0; i < updates; ++i) static_cast<void>(step());
    return milliseconds_since(begin) / updates;
  };
  const double plain = time_of(update), fast = time_of(replayed);
  std::printf("a rate a step, learnt:  the objective is %.1e above it\n", value(rates).item() - least);
  std::printf("an update: %.2f ms, captured %.2f ms\n", plain, fast);
  return rates.tensor().detach();
}

void draw(const Comparison& comparison, const Descent& descent, const Tensor& log_decay, const Tensor& rates,
          const std::string& path) {
  const auto numbers = [](const Tensor& values) {
    const auto elements = values.data<double>();
    return std::vector<double>(elements.begin(), elements.end());
  };
  const auto count = [](std::int64_t n) {
    std::vector<double> at;
    for (std::int64_t i = 1; i <= n; ++i) at.push_back(static_cast<double>(i));
    return at;
  };
  const std::vector<plot::Chart> charts{
      {.title = "Unrolled against implicit",
       .x = {.label = "steps of the training", .logarithmic = true},
       .y = {.label = "relative difference", .logarithmic = true},
       .layers = {plot::Series{.x = comparison.steps, .y = comparison.difference}}},
      {.title = "Memory of the graph",
       .x = {.label = "steps of the training"},
       .y = {.label = "MB", .lowest = 0},
       .layers = {plot::Series{.label = "unrolled", .x = comparison.steps, .y = comparison.megabytes},
                  plot::Series{.label = "implicit",
                               .x = {comparison.steps.front(), comparison.steps.back()},
                               .y = {comparison.implicit_megabytes, comparison.implicit_megabytes},
                               .markers = false}}},
      {.title = "Loss as decays learn",
       .x = {.label = "update", .whole_numbers = true},
       .y = {.label = "loss (nats)"},
       .layers = {plot::Series{
                      .label = "validation", .x = descent.update, .y = descent.validation, .markers = false},
                  plot::Series{.label = "test", .x = descent.update, .y = descent.test, .markers = false}}},
      {.title = "Decay of each weight",
       .x = {.label = "feature", .whole_numbers = true},
       .y = {.label = "decay", .logarithmic = true},
       .layers = {plot::Points{.x = count(features), .y = numbers(exp(log_decay))}}},
      {.title = "Learnt rates",
       .x = {.label = "step", .whole_numbers = true},
       .y = {.label = "learning rate"},
       .layers = {plot::Series{.x = count(rates.numel()), .y = numbers(rates)}}}};
  plot::save(plot::draw_charts(charts, {.width = 860, .height = 480, .per_row = 3}), path);
}

void check_gradients() {
  Random random(4);
  const Data train = make_data(20, random), validation = make_data(12, random);
  const Tensor decay = full({features}, -1.5, {.dtype = float64});
  const auto of_w = [&](const Tensor& w) { return objective(w, decay, train); };
  const Tensor w = linspace(-1, 1, features, {.dtype = float64});
  if (amax(abs(slope(w, decay, train) - vjp(of_w, w)(ones({}, {.dtype = float64})))).item() > 1e-15)
    throw ValueError("slope: is not the objective's gradient");
  require_grads([&](const Tensor& rates,
                    const Tensor& log_decay) { return loss(unrolled(rates, log_decay, train), validation); },
                {tensor({0.5, 0.8, 0.3}, {.dtype = float64}), decay}, {.name = "unrolled"});
  require_grads([&](const Tensor& log_decay) { return loss(minimum(log_decay, train), validation); }, decay,
                {.name = "implicit"});
}

}  // namespace

int main(int argc, char** argv) try {
  bool check = false;
  int updates = 300;
  std::string picture;
  CLI::App app("Hyperparameters are learnt by gradients");
  app.add_flag("--check", check, "compare gradients with numerical ones, and end");
  app.add_option("--updates", updates, "of the hyperparameters")->check(CLI::PositiveNumber);
  app.add_option("picture", picture, "PNG or SVG file to draw");
  CLI11_PARSE(app, argc, argv);

  if (check) {
    check_gradients();
    std::printf("gradients are right\n");
    return 0;
  }
  Random random(1);
  const Data train = make_data(100, random), validation = make_data(400, random),
             test = make_data(2000, random);
  const Comparison comparison = compare(train, validation);
  Tensor log_decay;
  const Descent descent = learn_decays(train, validation, test, updates, log_decay);
  const Tensor rates = learn_rates(train, updates);
  if (!picture.empty()) {
    draw(comparison, descent, log_decay, rates, picture);
    std::printf("drawn: %s\n", picture.c_str());
  }
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
