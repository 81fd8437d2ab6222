#include "xtgrad/plot/confusion_matrix.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/plot/cairo.h"
#include "xtgrad/plot/labels.h"
#include "xtgrad/plot/numbers.h"
#include "xtgrad/plot/style.h"
#include "xtgrad/plot/table.h"

namespace xtgrad::inline v1::plot {
namespace {

constexpr Color right_color{8, 80, 150};
constexpr Color wrong_color{190, 70, 0};

/// Counts as whole numbers.
std::vector<std::int64_t> whole_counts(const Tensor& counts) {
  std::vector<std::int64_t> whole;
  for (const double count : numbers(counts)) {
    // 2^53: the whole numbers up to there are doubles.
    if (!(count >= 0 && count <= 9007199254740992.0) || count != std::floor(count)) {
      throw ValueError(
          fmt::format("draw_confusion_matrix: a count is a whole number, 0 or more: got {}", count));
    }
    whole.push_back(static_cast<std::int64_t>(count));
  }
  return whole;
}

std::string note_of(double right, double all) {
  if (all == 0) return "no samples";
  return fmt::format("{} of {} right ({:.1f}%); darker: more of the row; blue: right, orange: wrong",
                     with_commas(static_cast<std::int64_t>(right)),
                     with_commas(static_cast<std::int64_t>(all)), 100 * right / all);
}

}  // namespace

Tensor count_confusions(const Predictions& predictions, std::int64_t classes) {
  detail::check_labels("count_confusions", predictions, detail::any_class);
  if (classes < 1) {
    throw ValueError(fmt::format("count_confusions: classes must be 1 or more: got {}", classes));
  }
  detail::check_labels("count_confusions", predictions, classes);
  const std::span<const std::int64_t> truth = predictions.truth.data<std::int64_t>();
  const std::span<const std::int64_t> predicted = predictions.predicted.data<std::int64_t>();
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes * classes), 0);
  for (std::size_t i = 0; i < truth.size(); ++i)
    ++counts[static_cast<std::size_t>(truth[i] * classes + predicted[i])];
  return from_span(std::span<const std::int64_t>(counts), {classes, classes});
}

Canvas draw_confusion_matrix(const Tensor& counts, std::span<const std::string> names) {
  detail::require_cairo("draw_confusion_matrix");
  const Shape& shape = counts.shape();
  if (shape.rank() != 2 || shape[0] != shape[1] || shape[0] == 0) {
    throw ShapeError(
        fmt::format("draw_confusion_matrix: counts must be [classes, classes]: got {}", to_string(shape)));
  }
  detail::Table table{
      .title = "Confusion matrix", .row_axis = "true class", .column_axis = "predicted class"};
  table.row_names = table.column_names = detail::class_names("draw_confusion_matrix", names, shape[0]);
  table.margin_name = "recall";
  const std::vector<std::int64_t> whole = whole_counts(counts);
  const std::size_t classes = table.row_names.size();
  double right = 0;
  double all = 0;
  for (std::size_t row = 0; row < classes; ++row) {
    double sum = 0;
    for (std::size_t column = 0; column < classes; ++column)
      sum += static_cast<double>(whole[row * classes + column]);
    for (std::size_t column = 0; column < classes; ++column) {
      const std::int64_t count = whole[row * classes + column];
      if (count == 0) {
        table.cells.emplace_back();
        continue;
      }
      // The root lets single mistakes be seen beside hundreds of right answers.
      const double share = std::sqrt(static_cast<double>(count) / sum);
      const Color color = row == column ? right_color : wrong_color;
      table.cells.push_back({.fill = mix(white, color, share), .text = fmt::format("{}", count)});
    }
    const auto recognised = static_cast<double>(whole[row * classes + row]);
    table.margin.push_back(sum > 0 ? fmt::format("{:.1f}%", 100 * recognised / sum) : "–");
    right += recognised;
    all += sum;
  }
  table.note = note_of(right, all);
  return draw_table(table);
}

}  // namespace xtgrad::v1::plot
