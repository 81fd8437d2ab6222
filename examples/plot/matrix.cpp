#include "matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "style.h"
#include "xtgrad/autograd/errors.h"

namespace plot {
namespace {

constexpr double gap = 6;
constexpr double least_cell = 15;
constexpr double most_cell = 64;
constexpr double longest_name = 110;
constexpr double recall_width = 50;
constexpr Color right_color{8, 80, 150};
constexpr Color wrong_color{190, 70, 0};

void check(const ConfusionMatrix& matrix) {
  const std::size_t classes = matrix.names.size();
  if (classes == 0) throw xtgrad::ShapeError("draw_matrix: needs a class: got none");
  if (matrix.counts.size() != classes * classes) {
    throw xtgrad::ShapeError(fmt::format("draw_matrix: {} classes need {} counts: got {}", classes,
                                         classes * classes, matrix.counts.size()));
  }
  for (const std::int64_t count : matrix.counts) {
    if (count < 0)
      throw xtgrad::ValueError(fmt::format("draw_matrix: a count is not negative: got {}", count));
  }
}

class MatrixPainter {
 public:
  explicit MatrixPainter(const ConfusionMatrix& matrix)
      : matrix_(matrix), classes_(matrix.names.size()), canvas_(Size{}) {
    measure();
  }

  Canvas draw() && {
    draw_heading();
    for (std::size_t row = 0; row < classes_; ++row) {
      for (std::size_t column = 0; column < classes_; ++column) draw_cell(row, column);
      draw_recall(row);
    }
    draw_grid();
    draw_names();
    return std::move(canvas_);
  }

 private:
  /// Cells as large as the page allows; a page of many classes grows instead of its cells shrinking further.
  void measure() {
    const auto count = static_cast<double>(classes_);
    TextStyle style{.size = small_size};
    double widest = 0;
    for (const std::string& name : matrix_.names)
      widest = std::max(widest, text_width(clean_text(name), style));
    widest = std::min(widest, longest_name);
    const double left = margin + text_size + gap + widest + gap;
    cell_ = std::clamp((page_width - left - recall_width - margin) / count, least_cell, most_cell);
    cell_ = std::floor(cell_ * pixels_per_point) / pixels_per_point;
    name_style_ = {.size = std::min(small_size, 0.75 * cell_), .color = ink};
    name_width_ = widest;
    upright_ = widest + 2 > cell_;

    const double side = cell_ * count;
    const double width = std::max(page_width, left + side + recall_width + margin);
    const double top = 2 * margin + title_size + small_size + 7 + small_size;
    const double below = (upright_ ? widest : small_size) + 2 * gap + text_size + margin;
    const double slack = width - left - side - recall_width - margin;
    table_ = {std::round(left + slack / 2), std::round(top), side, side};
    canvas_ = Canvas(Size{width, table_.bottom() + below});

    std::int64_t largest = 0;
    for (const std::int64_t value : matrix_.counts) largest = std::max(largest, value);
    const double unit = text_width(fmt::format("{}", largest), {.size = 1});
    count_size_ = std::min({0.45 * cell_, 14.0, 0.88 * cell_ / unit});
  }

  [[nodiscard]] std::int64_t at(std::size_t row, std::size_t column) const {
    return matrix_.counts[row * classes_ + column];
  }

  [[nodiscard]] double row_sum(std::size_t row) const {
    double sum = 0;
    for (std::size_t column = 0; column < classes_; ++column) sum += static_cast<double>(at(row, column));
    return sum;
  }

  [[nodiscard]] Rect cell(std::size_t row, std::size_t column) const {
    return {table_.x + cell_ * static_cast<double>(column), table_.y + cell_ * static_cast<double>(row),
            cell_, cell_};
  }

  void draw_heading() {
    double right = 0;
    double all = 0;
    for (std::size_t row = 0; row < classes_; ++row) {
      right += static_cast<double>(at(row, row));
      all += row_sum(row);
    }
    const double center = canvas_.size().width / 2;
    canvas_.add(Text{{center, margin + title_size},
                     "Confusion matrix",
                     {.size = title_size, .color = ink, .bold = true, .align = Align::center}});
    std::string note = "no samples";
    if (all > 0) {
      note = fmt::format("{} of {} right ({:.1f}%); darker: more of the row; blue: right, orange: wrong",
                         with_commas(static_cast<std::int64_t>(right)),
                         with_commas(static_cast<std::int64_t>(all)), 100 * right / all);
    }
    canvas_.add(Text{{center, margin + title_size + small_size + 7},
                     note,
                     {.size = small_size, .color = faint_ink, .align = Align::center}});
  }

  void draw_cell(std::size_t row, std::size_t column) {
    const std::int64_t count = at(row, column);
    if (count == 0) return;
    const double share = static_cast<double>(count) / row_sum(row);
    // The root lets single mistakes be seen beside hundreds of right answers.
    const Color fill = mix(white, row == column ? right_color : wrong_color, std::sqrt(share));
    const Rect rect = cell(row, column);
    canvas_.add(Box{rect, fill});
    canvas_.add(
        Text{rect.center(),
             fmt::format("{}", count),
             {.size = count_size_, .color = ink_on(fill), .align = Align::center, .anchor = Anchor::middle}});
  }

  void draw_recall(std::size_t row) {
    const double sum = row_sum(row);
    const std::string recall =
        sum > 0 ? fmt::format("{:.1f}%", 100 * static_cast<double>(at(row, row)) / sum) : "–";
    canvas_.add(
        Text{{table_.right() + recall_width - 2, cell(row, 0).center().y},
             recall,
             {.size = name_style_.size, .color = ink, .align = Align::right, .anchor = Anchor::middle}});
  }

  void draw_grid() {
    for (std::size_t i = 0; i <= classes_; ++i) {
      const double offset = cell_ * static_cast<double>(i);
      canvas_.add(Line{.points = {{table_.x + offset, table_.y}, {table_.x + offset, table_.bottom()}},
                       .color = grid_line});
      canvas_.add(Line{.points = {{table_.x, table_.y + offset}, {table_.right(), table_.y + offset}},
                       .color = grid_line});
    }
  }

  void draw_names() {
    TextStyle beside = name_style_;
    beside.align = Align::right;
    beside.anchor = Anchor::middle;
    TextStyle below = name_style_;
    below.align = upright_ ? Align::right : Align::center;
    below.anchor = upright_ ? Anchor::middle : Anchor::baseline;
    below.turn = upright_ ? 90 : 0;
    for (std::size_t i = 0; i < classes_; ++i) {
      const std::string name = fit_text(matrix_.names[i], name_style_, name_width_);
      const Rect diagonal = cell(i, i);
      canvas_.add(Text{{table_.x - gap, diagonal.center().y}, name, beside});
      const double drop = gap + (upright_ ? 0 : small_size - 2);
      canvas_.add(Text{{diagonal.center().x, table_.bottom() + drop}, name, below});
    }
    TextStyle axis{.size = text_size, .color = ink, .align = Align::center};
    canvas_.add(Text{{table_.center().x, canvas_.size().height - margin - 2}, "predicted class", axis});
    canvas_.add(Text{{table_.right() + recall_width - 2, table_.y - gap},
                     "recall",
                     {.size = small_size, .color = ink, .align = Align::right}});
    axis.turn = 90;
    canvas_.add(Text{{table_.x - 2 * gap - name_width_ - 2, table_.center().y}, "true class", axis});
  }

  const ConfusionMatrix& matrix_;
  std::size_t classes_;
  Canvas canvas_;
  Rect table_;
  double cell_ = 0;
  double count_size_ = 0;
  double name_width_ = 0;
  TextStyle name_style_;
  bool upright_ = false;  ///< names under the table are turned
};

}  // namespace

Canvas draw_matrix(const ConfusionMatrix& matrix) {
  check(matrix);
  return MatrixPainter(matrix).draw();
}

}  // namespace plot
