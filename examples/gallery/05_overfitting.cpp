// A polynomial that is free to follow the noise, and an L2 penalty that holds it back.
#include <fmt/format.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/xtgrad.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "page.h"
#include "polynomials.h"

namespace {

using namespace xtgrad;
using gallery::Errors;
using gallery::fit_polynomial;
using gallery::Points;

constexpr std::int64_t high_degree = 15;
const plot::ChartsOptions wide{.width = 840, .height = 330};

plot::Series line(const std::string& label, const std::vector<double>& x, const std::vector<double>& y) {
  return {.label = label, .x = x, .y = y, .markers = false};
}

plot::Chart chart_of(const Errors& errors, const std::string& title, const plot::Axis& x) {
  const double of_noise = gallery::noise * gallery::noise;
  plot::Series floor = line("noise", {errors.at.front(), errors.at.back()}, {of_noise, of_noise});
  floor.dashed = true;
  return {.title = title,
          .x = x,
          .y = {.label = "mean squared error", .logarithmic = true, .range = plot::Range{0.02, 1}},
          .layers = {line("training", errors.at, errors.training),
                     line("validation", errors.at, errors.validation), floor}};
}

/// The fitted curve over its points, beside the truth.
plot::Chart curve(const Points& points, double lambda) {
  const Tensor x = reshape(linspace(-1, 1, 401), {401, 1});
  const Tensor y = gallery::predict(fit_polynomial(points, high_degree, lambda), x);
  plot::Series truth = line("truth", plot::numbers(x), plot::numbers(gallery::truth(x)));
  truth.dashed = true;
  return {.title = fmt::format("λ = {:.2g}", lambda),
          .x = {.label = "x"},
          .y = {.label = "y", .range = plot::Range{-2, 2}},
          .layers = {plot::Points{"training points", plot::numbers(points.x), plot::numbers(points.y)}, truth,
                     line("polynomial of degree 15", plot::numbers(x), plot::numbers(y))}};
}

double length(const Tensor& vector) { return std::sqrt(sum(square(vector)).item()); }

/// The same fit by gradient descent, from zero: after each step, how far its weights are from the closed
/// form's.
plot::Series descend(const Points& points, double lambda) {
  const Tensor goal = fit_polynomial(points, high_degree, lambda).weight;
  const Tensor powers = nn::polynomial_features(points.x, high_degree);
  nn::Linear polynomial{high_degree, 1};
  polynomial.weight.set_value(zeros({1, high_degree}));
  polynomial.bias.set_value(zeros({1}));
  optim::SGD sgd(polynomial.parameters(), {.lr = 0.3});
  plot::Series distance{.label = fmt::format("λ = {:.2g}", lambda), .markers = false};
  for (int step = 1; step <= 10'000; ++step) {
    const Tensor penalty = lambda * sum(square(polynomial.weight));
    const Tensor loss = nn::mse_loss(polynomial(powers), points.y) + penalty;
    sgd.zero_grad();
    loss.backward();
    sgd.step();
    distance.x.push_back(step);
    distance.y.push_back(length(polynomial.weight - goal));
  }
  return distance;
}

/// Descends without and with a penalty.
void draw_descent(gallery::Page& page, const Points& points, double lambda) {
  const plot::Series without = descend(points, 0);
  const plot::Series with = descend(points, lambda);
  page.picture(
      "descent.png",
      "Gradient descent comes to the closed form's weights, to the last digits, where there is a penalty. "
      "Without one it has hardly moved towards them after 10,000 steps.",
      plot::draw_chart({.title = "Gradient descent on its way to the closed form",
                        .x = {.label = "steps", .logarithmic = true},
                        .y = {.label = "distance of the weights", .logarithmic = true},
                        .layers = {without, with}}));
  page.number("distance after 10000 steps without L2", without.y.back());
  page.number("distance after 10000 steps with L2", with.y.back());
}

void draw(gallery::Page& page) {
  const DefaultDtype in_double(float64);
  const gallery::Data data = gallery::measure();
  Errors by_degree;
  for (std::int64_t degree = 1; degree <= high_degree; ++degree) {
    by_degree.add(static_cast<double>(degree), fit_polynomial(data.training, degree, 0), data);
  }
  Errors by_lambda;
  for (double exponent = -10; exponent <= 1; exponent += 0.25) {
    const double lambda = std::pow(10, exponent);
    by_lambda.add(lambda, fit_polynomial(data.training, high_degree, lambda), data);
  }
  const double best = by_lambda.best();
  const nn::LinearFit without = fit_polynomial(data.training, high_degree, 0);
  const nn::LinearFit with = fit_polynomial(data.training, high_degree, best);
  const double error_without = gallery::error(without, data.test);
  const double error_with = gallery::error(with, data.test);

  page.picture(
      "curves.png",
      fmt::format(
          "A polynomial of degree 15 fitted to 20 noisy points, with three penalties λ on its weights. "
          "Without one it bends to catch the noise, at the ends most of all; with {:.2g} it comes close to "
          "the truth, which it was not told; with 10 it hardly dares to leave zero.",
          best),
      plot::draw_charts(
          std::vector{curve(data.training, 0), curve(data.training, best), curve(data.training, 10)}, wide));
  page.picture(
      "errors.png",
      fmt::format("More freedom, of a higher degree or a smaller λ, always fits the training points better; "
                  "the validation "
                  "points tell where it begins to fit their noise. With the λ that they choose, {:.2g}, the "
                  "error on new points is {:.3f}, without a penalty {:.3f}.",
                  best, error_with, error_without),
      plot::draw_charts(
          std::vector{chart_of(by_degree, "Without a penalty", {.label = "degree", .whole_numbers = true}),
                      chart_of(by_lambda, "Degree 15, with a penalty", {.label = "λ", .logarithmic = true})},
          wide));
  draw_descent(page, data.training, best);
  page.numbers("training error by degree", by_degree.training);
  page.numbers("validation error by degree", by_degree.validation);
  page.number("degree of the least validation error", by_degree.best());
  page.number("lambda of the least validation error", best);
  page.number("test error without L2", error_without);
  page.number("test error with L2", error_with);
  page.number("length of the weights without L2", length(without.weight));
  page.number("length of the weights with L2", length(with.weight));
}

}  // namespace

int main(int argc, char** argv) { return gallery::run(argc, argv, "Overfitting", draw); }
