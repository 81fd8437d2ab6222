#include "xtgrad/plot/learning_curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/plot/cairo.h"
#include "xtgrad/plot/chart.h"
#include "xtgrad/plot/image_page.h"
#include "xtgrad/plot/scale.h"
#include "xtgrad/plot/style.h"
#include "xtgrad/plot/ticks.h"

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

constexpr int most_ticks = 7;  // of the height of these charts

/// All that can be drawn.
std::vector<double> values_of(const Curves& curves, std::size_t first = 0) {
  std::vector<double> values;
  for (const Series& series : curves) {
    for (std::size_t i = first; i < series.y.size(); ++i) {
      if (detail::is_drawable(series.y[i])) values.push_back(series.y[i]);
    }
  }
  return values;
}

/// As far as the losses go and a little more: to the next power of ten would leave much of a logarithmic axis
/// empty.
std::optional<Range> range_of_losses(const Curves& losses, bool logarithmic) {
  const Range range = detail::finite_range(values_of(losses));
  if (!(range.high - range.low > 1e-6 * std::abs(range.high))) return std::nullopt;  // one loss, or none
  constexpr double room = 0.04;
  if (!logarithmic) {
    const double more = room * (range.high - range.low);
    // Where zero is not far it is shown.
    const bool near_zero = range.low >= 0 && range.low < 0.2 * range.high;
    return Range{near_zero ? 0 : range.low - more, range.high + more};
  }
  const double factor = std::pow(range.high / range.low, room);
  return Range{range.low / factor, range.high * factor};
}

/// Accuracies begin low and then differ by little, which is what is looked at: the axis begins where they are
/// after the first tenth of the epochs, if that makes it less than half as long. The way there comes from
/// below.
std::optional<Range> range_of_accuracies(const Curves& accuracies) {
  const std::size_t epochs = accuracies[0].y.size();
  const Range all = detail::finite_range(values_of(accuracies));
  const Range later = detail::finite_range(values_of(accuracies, (epochs + 9) / 10));
  constexpr double least = 1;  // percent: no axis of noise alone
  if (epochs < 5 || !(later.high > later.low) || later.high - later.low < least) return std::nullopt;
  if (later.high < all.high || 2 * (all.high - later.low) > all.high - all.low) return std::nullopt;
  const std::vector<double> ticks = detail::linear_ticks(later, {.max_count = most_ticks});
  return Range{std::max(ticks.front(), 0.0), std::min(ticks.back(), 100.0)};
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
  const Axis loss{.label = options.loss,
                  .logarithmic = logarithmic,
                  .lowest = 0,
                  .range = range_of_losses(losses, logarithmic)};
  const Axis accuracy{
      .label = "correct (%)", .lowest = 0, .highest = 100, .range = range_of_accuracies(accuracies)};
  const bool has_accuracy = !values_of(accuracies).empty();
  std::vector<Chart> charts{epoch_chart("Loss", loss, std::move(losses))};
  if (has_accuracy) charts.push_back(epoch_chart("Accuracy", accuracy, std::move(accuracies)));
  return draw_charts(charts, {.width = page_width, .height = 290});
}

}  // namespace xtgrad::v1::plot
