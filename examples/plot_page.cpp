// plot_page FOLDER: the pictures of docs/plot.md.
#include <xtgrad/plot/plot.h>
#include <xtgrad/xtgrad.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using namespace xtgrad;
namespace fs = std::filesystem;

/// Curves on a linear and on a logarithmic axis.
void draw_lines(const fs::path& folder) {
  std::vector<double> h;
  std::vector<double> one_sided;
  std::vector<double> central;
  for (double exponent = -12; exponent <= -1; exponent += 0.25) {
    h.push_back(std::pow(10, exponent));
    const double exact = std::cos(1.0);
    one_sided.push_back(std::abs((std::sin(1 + h.back()) - std::sin(1)) / h.back() - exact));
    central.push_back(std::abs((std::sin(1 + h.back()) - std::sin(1 - h.back())) / (2 * h.back()) - exact));
  }
  plot::Chart chart{.title = "Error of a numerical derivative",
                    .x = {.label = "step h", .logarithmic = true},
                    .y = {.label = "error of sin'(1)", .logarithmic = true}};
  chart.layers = {plot::Series{.label = "(f(x + h) − f(x)) / h", .x = h, .y = one_sided},
                  plot::Series{.label = "(f(x + h) − f(x − h)) / 2h", .x = h, .y = central}};
  plot::save(plot::draw_chart(chart), folder / "lines.png");
}

Tensor spirals_by(nn::MLP& model, const datasets::Dataset& data, int steps) {
  optim::Adam adam(model.parameters(), {.lr = 1e-2});
  for (int i = 0; i < steps; ++i) {
    const Tensor loss = nn::cross_entropy(model(data.inputs()), data.labels());
    adam.zero_grad();
    loss.backward();
    adam.step();
  }
  const plot::Grid grid{.x = {-1.2, 1.2}, .y = {-1.2, 1.2}};
  const NoGrad no_grad;
  return argmax(model(plot::grid_points(grid)), 1);
}

/// What two networks make of the plane, side by side.
void draw_regions(const fs::path& folder) {
  manual_seed(3);
  const datasets::Dataset data = datasets::spirals({.classes = 3, .per_class = 60, .noise = 0.08});
  const std::vector<std::string> names{"first arm", "second arm", "third arm"};
  std::vector<plot::Chart> charts;
  for (const std::int64_t hidden : {3, 64}) {
    nn::MLP model{{.sizes = {2, hidden, hidden, 3}, .activation = nn::ActivationKind::tanh}};
    const plot::Grid grid{.x = {-1.2, 1.2}, .y = {-1.2, 1.2}};
    plot::Chart chart{.title = std::to_string(hidden) + " hidden neurons",
                      .x = {.label = "x₁"},
                      .y = {.label = "x₂"},
                      .equal_units = true};
    chart.layers = plot::class_points(data.inputs(), data.labels(), names);
    chart.layers.push_back(
        plot::Regions{.grid = grid, .classes = spirals_by(model, data, 600), .names = names});
    charts.push_back(chart);
  }
  plot::save(plot::draw_charts(charts, {.width = 520, .height = 310}), folder / "regions.png");
}

/// Rosenbrock's valley.
Tensor valley(const Tensor& x, const Tensor& y) { return square(1 - x) + 10 * square(y - square(x)); }

plot::Series descend(const std::string& label, double lr, double momentum, int steps) {
  plot::Series path{.label = label, .markers = false, .ends = true};
  nn::Parameter at(tensor({-1.3, 1.4}, {.dtype = float64}));
  optim::SGD sgd({at.cell()}, {.lr = lr, .momentum = momentum});
  for (int i = 0; i <= steps; ++i) {
    const std::vector<double> place = plot::numbers(at.tensor());
    path.x.push_back(place[0]);
    path.y.push_back(place[1]);
    const Tensor x = slice(at, {.start = 0, .stop = 1});
    const Tensor y = slice(at, {.start = 1, .stop = 2});
    sgd.zero_grad();
    sum(valley(x, y)).backward();
    sgd.step();
  }
  return path;
}

plot::Chart valley_chart() {
  const plot::Grid grid{.x = {-1.8, 1.8}, .y = {-0.6, 2}};
  const Tensor points = plot::grid_points(grid, {.dtype = float64});
  const Tensor x = slice(points, {.axis = 1, .start = 0, .stop = 1});
  const Tensor y = slice(points, {.axis = 1, .start = 1, .stop = 2});
  plot::Chart chart{.title = "Descent into a valley", .x = {.label = "w₁"}, .y = {.label = "w₂"}};
  chart.layers.push_back(plot::Contours{.grid = grid,
                                        .values = reshape(valley(x, y), {grid.rows * grid.per_row}),
                                        .levels = {0.3, 1, 3, 10, 30, 100},
                                        .logarithmic = true});
  return chart;
}

/// Paths on contour lines, as a picture and as an animation.
void draw_descent(const fs::path& folder) {
  const std::vector<plot::Series> paths{descend("gradient descent", 0.006, 0, 150),
                                        descend("with momentum 0.9", 0.006, 0.9, 150)};
  plot::Chart chart = valley_chart();
  for (const plot::Series& path : paths) chart.layers.push_back(path);
  plot::save(plot::draw_chart(chart, {.width = 520, .height = 380}), folder / "descent.png");

  std::vector<plot::Canvas> frames;
  for (int step = 2; step <= 150; step += 2) {
    plot::Chart frame = valley_chart();
    frame.title = "Descent into a valley: step " + std::to_string(step);
    for (plot::Series path : paths) {
      path.shown = step + 1;
      frame.layers.emplace_back(std::move(path));
    }
    frames.push_back(plot::draw_chart(frame, {.width = 520, .height = 380}));
  }
  plot::save_animation(frames, folder / "descent.svg", {.frame_seconds = 0.08});
}

/// Of a part of the data by its 1, 5, 15 and 50 nearest training samples.
std::vector<double> percent_correct(const datasets::TrainTest& data, const datasets::Dataset& part) {
  const nn::NearestNeighbors classifier(data.train.inputs(), data.train.labels());
  const nn::Neighbors nearest = classifier.neighbors(part.inputs(), 50);
  std::vector<double> percent;
  for (const std::int64_t k : {1, 5, 15, 50}) {
    const Tensor predicted = classifier.vote(nearest, k);
    std::int64_t correct = 0;
    for (std::int64_t i = 0; i < predicted.numel(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      correct += predicted.data<std::int64_t>()[at] == part.labels().data<std::int64_t>()[at] ? 1 : 0;
    }
    percent.push_back(100.0 * static_cast<double>(correct) / static_cast<double>(predicted.numel()));
  }
  return percent;
}

/// Bars in groups, beside a matrix with its values.
void draw_bars(const fs::path& folder) {
  const datasets::TrainTest digits = datasets::random_split(datasets::digits(), {.test = 0.25});
  plot::Chart chart{.title = "Accuracy by the number of neighbours",
                    .x = {.label = "k", .categories = {"1", "5", "15", "50"}},
                    .y = {.label = "correct (%)", .range = plot::Range{0, 110}}};
  chart.layers = {
      plot::Bars{.label = "training", .heights = percent_correct(digits, digits.train), .values = true},
      plot::Bars{.label = "test", .heights = percent_correct(digits, digits.test), .values = true}};
  const plot::HeatMap map{.values = softmax(tensor({{3, 1, 0.2, 0}, {0.5, 2, 1, 0}, {0, 0.3, 2, 2}}), 1),
                          .title = "Attention",
                          .row_label = "query",
                          .column_label = "key",
                          .value_label = "weight",
                          .row_names = {"the", "cat", "sat"},
                          .column_names = {"the", "cat", "sat", "."}};
  const std::vector<plot::Canvas> pages{plot::draw_chart(chart, {.width = 520, .height = 330}),
                                        plot::draw_heat_map(map)};
  plot::save(plot::beside(pages), folder / "bars_and_matrix.png");
}

/// Images with captions.
void draw_digits(const fs::path& folder) {
  const datasets::Dataset data = datasets::digits();
  std::vector<std::string> captions;
  const Tensor labels = slice(data.labels(), {.stop = 20});
  for (const std::int64_t label : labels.data<std::int64_t>()) captions.push_back(std::to_string(label));
  const Tensor images = reshape(slice(data.inputs(), {.stop = 20}), {20, 8, 8});
  plot::save(plot::draw_images(images, {.title = "Scanned digits",
                                        .note = "the first twenty of 1,797, with their labels",
                                        .captions = captions,
                                        .per_row = 10}),
             folder / "digits.png");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: plot_page FOLDER\n");
    return 2;
  }
  try {
    fs::create_directories(argv[1]);
    draw_lines(argv[1]);
    draw_regions(argv[1]);
    draw_descent(argv[1]);
    draw_bars(argv[1]);
    draw_digits(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "plot_page: %s\n", error.what());
    return 1;
  }
}
