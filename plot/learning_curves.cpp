#include "xtgrad/plot/learning_curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/plot/cairo.h"
#include "xtgrad/plot/chart.h"
#include "xtgrad/plot/image_page.h"
#include "xtgrad/plot/style.h"

namespace xtgrad::inline v1::plot {
namespace {

/// One measure in training and validation.
using Curves = std::array<Series, 2>;

Series epoch_series(std::string label, std::span<const EpochScores> epochs, double EpochScores::*value,
                    double scale) {
  Series series{.label = std::move(label)};
  for (const EpochScores& scores : epochs) {
    series.x.push_back(static_cast<double>(scores.epoch));
    series.y.push_back(scale * (scores.*value));
  }
  return series;
}

Chart epoch_chart(std::string title, Axis y, Curves curves) {
  Chart chart{.title = std::move(title), .x = {.label = "epoch", .whole_numbers = true}, .y = std::move(y)};
  // What was never measured has no place in the legend.
  const bool validated = std::ranges::any_of(curves[1].y, [](double value) { return std::isfinite(value); });
  chart.layers.emplace_back(std::move(curves[0]));
  if (validated) chart.layers.emplace_back(std::move(curves[1]));
  return chart;
}

bool spans_decades(const Curves& losses) {
  std::vector<double> all;
  for (const Series& series : losses) all.insert(all.end(), series.y.begin(), series.y.end());
  const Range range = detail::finite_range(all);
  return range.low > 0 && range.high >= 30 * range.low;
}

void check_positive(const Curves& losses) {
  for (const Series& series : losses) {
    for (std::size_t i = 0; i < series.y.size(); ++i) {
      if (!(series.y[i] <= 0)) continue;
      throw ValueError(
          fmt::format("draw_learning_curves: a logarithmic axis shows numbers above 0: the {} loss of "
                      "epoch {} is {}",
                      series.label, series.x[i], series.y[i]));
    }
  }
}

}  // namespace

Canvas draw_learning_curves(std::span<const EpochScores> epochs, const LearningCurvesOptions& options) {
  detail::require_cairo("draw_learning_curves");
  if (epochs.empty()) throw ValueError("draw_learning_curves: needs an epoch: got none");
  Curves losses{epoch_series("training", epochs, &EpochScores::loss, 1),
                epoch_series("validation", epochs, &EpochScores::validation_loss, 1)};
  Curves accuracies{epoch_series("training", epochs, &EpochScores::accuracy, 100),
                    epoch_series("validation", epochs, &EpochScores::validation_accuracy, 100)};
  const bool logarithmic = options.logarithmic.value_or(spans_decades(losses));
  if (logarithmic) check_positive(losses);
  const std::array<Chart, 2> charts{
      epoch_chart("Loss", {.label = options.loss, .logarithmic = logarithmic, .lowest = 0},
                  std::move(losses)),
      epoch_chart("Accuracy", {.label = "correct (%)", .lowest = 0, .highest = 100}, std::move(accuracies))};
  return draw_charts(charts, {.width = page_width, .height = 290});
}

}  // namespace xtgrad::v1::plot
