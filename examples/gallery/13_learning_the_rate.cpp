// The learning rate and the momentum of a training, learnt by descent through the training.
#include <fmt/format.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/xtgrad.h>

#include <cmath>
#include <string>
#include <vector>

#include "differentiable_training.h"
#include "page.h"

namespace {

using namespace xtgrad;
using gallery::best;
using gallery::column;
using gallery::grid_search;
using gallery::learn;
using gallery::loss_after_training;
using gallery::Problem;
using gallery::Trial;

/// `count` numbers from low to high, each the same multiple of the one before.
std::vector<double> ladder(double low, double high, int count) {
  return plot::numbers(exp(linspace(std::log(low), std::log(high), count)));
}

/// The engine's derivative beside the difference of two whole trainings.
void compare_derivatives(gallery::Page& page, Problem& problem, Trial at) {
  const Tensor lr = tensor(at.lr, {.requires_grad = true});
  const Tensor momentum = tensor(at.momentum, {.requires_grad = true});
  const std::vector<Tensor> slopes = grad({loss_after_training(problem, lr, momentum)}, {lr, momentum});
  const double h = 1e-5;
  const auto loss = [&](double rate, double mu) { return loss_after_training(problem, rate, mu).item(); };
  page.number("d loss / d rate, engine", slopes[0].item());
  page.number("d loss / d rate, numerical",
              (loss(at.lr + h, at.momentum) - loss(at.lr - h, at.momentum)) / (2 * h));
  page.number("d loss / d momentum, engine", slopes[1].item());
  page.number("d loss / d momentum, numerical",
              (loss(at.lr, at.momentum + h) - loss(at.lr, at.momentum - h)) / (2 * h));
}

/// The outcome of a search on the page, beside the one of the grid.
void note(gallery::Page& page, const std::string& what, const std::vector<Trial>& grid,
          const std::vector<Trial>& path) {
  page.number(what + ": trainings of the grid", static_cast<double>(grid.size()));
  page.number(what + ": trainings of the descent", static_cast<double>(path.size()));
  page.numbers(what + ": best of the grid, rate and momentum",
               std::vector{best(grid).lr, best(grid).momentum});
  page.numbers(what + ": found by descent, rate and momentum",
               std::vector{best(path).lr, best(path).momentum});
  page.number(what + ": loss, best of the grid (nats)", best(grid).loss);
  page.number(what + ": loss, found by descent (nats)", best(path).loss);
}

void draw_rate(gallery::Page& page, Problem& problem, Trial start) {
  const std::vector<Trial> curve = grid_search(problem, ladder(0.01, 15, 300), {start.momentum});
  const std::vector<Trial> grid = grid_search(problem, ladder(0.01, 15, 36), {start.momentum});
  const std::vector<Trial> path = learn(problem, start, false, 16);
  plot::Chart chart{.title = "Loss after 20 steps of training",
                    .x = {.label = "learning rate", .logarithmic = true},
                    .y = {.label = "cross-entropy (nats)", .logarithmic = true}};
  chart.layers = {
      plot::Series{.label = "every rate",
                   .x = column(curve, &Trial::lr),
                   .y = column(curve, &Trial::loss),
                   .markers = false},
      plot::Points{.label = "grid search", .x = column(grid, &Trial::lr), .y = column(grid, &Trial::loss)},
      plot::Series{.label = "descent",
                   .x = column(path, &Trial::lr),
                   .y = column(path, &Trial::loss),
                   .markers = true}};
  page.picture(
      "rate.png",
      fmt::format("The line is the loss that 20 steps lead to, by their learning rate. Grid search "
                  "trains at {} rates; descent starts at {}, asks the gradient which way is down, and "
                  "has been at {:.2g} after {} trainings: loss {:.3f}, and {:.3f} for the grid.",
                  grid.size(), start.lr, best(path).lr, path.size(), best(path).loss, best(grid).loss),
      plot::draw_chart(chart, {.width = 520, .height = 330}));
  note(page, "rate", grid, path);
  for (const int trainings : {12, 20}) {
    page.number(fmt::format("rate: loss, found by descent of {} trainings (nats)", trainings),
                best(learn(problem, start, false, trainings)).loss);
  }
}

/// Both settings at once: the loss over the plane of them, and the way over it.
void draw_both(gallery::Page& page, Problem& problem, Trial start) {
  const plot::Grid places{.x = {0.01, 10}, .y = {0, 1}, .per_row = 36, .rows = 20, .logarithmic_x = true};
  std::vector<Trial> grid;
  const Tensor points = plot::grid_points(places);
  const std::vector<double> numbers = plot::numbers(points);
  for (std::size_t i = 0; i < numbers.size(); i += 2) {
    grid.push_back(
        {numbers[i], numbers[i + 1], loss_after_training(problem, numbers[i], numbers[i + 1]).item()});
  }
  const std::vector<Trial> path = learn(problem, start, true, 16);
  plot::Chart chart{.title = "Loss after 20 steps (nats)",
                    .x = {.label = "learning rate", .logarithmic = true, .range = places.x},
                    .y = {.label = "momentum", .range = plot::Range{0, 1}}};
  chart.layers = {
      plot::Contours{.grid = places,
                     .values = from_vector(column(grid, &Trial::loss)),
                     .levels = {0.05, 0.1, 0.2, 0.4, 0.7}},
      plot::Series{
          .label = "best of the grid", .x = {best(grid).lr}, .y = {best(grid).momentum}, .markers = true},
      plot::Series{.label = "descent",
                   .x = column(path, &Trial::lr),
                   .y = column(path, &Trial::momentum),
                   .markers = true,
                   .ends = true}};
  page.picture(
      "both.png",
      fmt::format("Rate and momentum learnt together, on the contour lines that {} trainings on a "
                  "grid give. {} trainings of descent come to a loss of {:.4f}; the grid's best, far "
                  "from there, is {:.4f}: there is more than one good pair.",
                  grid.size(), path.size(), best(path).loss, best(grid).loss),
      plot::draw_chart(chart, {.width = 520, .height = 360}));
  note(page, "both", grid, path);
}

void draw(gallery::Page& page) {
  const DefaultDtype in_double(float64);
  Problem problem = gallery::irises();
  const Trial start{.lr = 0.02, .momentum = 0.5, .loss = 0};
  compare_derivatives(page, problem, start);
  draw_rate(page, problem, start);
  draw_both(page, problem, start);
}

}  // namespace

int main(int argc, char** argv) { return gallery::run(argc, argv, "Learning the learning rate", draw); }
