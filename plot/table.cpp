#include "xtgrad/plot/table.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "xtgrad/plot/files.h"
#include "xtgrad/plot/style.h"
#include "xtgrad/plot/text.h"

namespace xtgrad::inline v1::plot::detail {
namespace {

constexpr double gap = 6;
constexpr double least_cell = 15;
constexpr double most_cell = 64;
constexpr double longest_name = 110;
constexpr double margin_room = 50;

class TablePainter {
 public:
  explicit TablePainter(const Table& table)
      : table_(table),
        rows_(table.row_names.size()),
        columns_(table.column_names.size()),
        canvas_(Size{}),
        margin_width_(table.margin.empty() ? 0 : margin_room) {
    measure();
  }

  Canvas draw() && {
    draw_heading();
    for (std::size_t row = 0; row < rows_; ++row) {
      for (std::size_t column = 0; column < columns_; ++column) draw_cell(row, column);
      if (!table_.margin.empty()) draw_margin(row);
    }
    draw_grid();
    draw_names();
    return std::move(canvas_);
  }

 private:
  /// Width of the widest of some texts.
  static double widest(const std::vector<std::string>& texts, double size) {
    double width = 0;
    for (const std::string& text : texts) width = std::max(width, text_width(text, {.size = size}));
    return width;
  }

  /// Length of what has its middle there and stays on a page of that length.
  static double room_about(double center, double length) {
    return 2 * (std::min(center, length - center) - margin);
  }

  /// Cells as large as the page allows; a page of many columns grows instead of its cells shrinking further.
  void measure() {
    const auto columns = static_cast<double>(columns_);
    const auto rows = static_cast<double>(rows_);
    name_width_ = std::min(widest(table_.row_names, small_size), longest_name);
    const double under = std::min(widest(table_.column_names, small_size), longest_name);
    const double left = margin + text_size + gap + name_width_ + gap;
    cell_ = std::clamp((page_width - left - margin_width_ - margin) / columns, least_cell, most_cell);
    cell_ = std::floor(cell_ * pixels_per_point) / pixels_per_point;
    name_style_ = {.size = std::min(small_size, 0.75 * cell_), .color = ink};
    upright_ = under + 2 > cell_;
    under_width_ = under;

    const double width = std::max(page_width, left + cell_ * columns + margin_width_ + margin);
    double top = margin + gap;
    if (!table_.title.empty()) top += margin + title_size;
    if (!table_.note.empty()) top += small_size + 7;
    if (!table_.margin.empty()) top += gap;
    const double below = (upright_ ? under : small_size) + 2 * gap + text_size + margin + table_.below;
    const double slack = width - left - cell_ * columns - margin_width_ - margin;
    place_ = {std::round(left + slack / 2), std::round(top), cell_ * columns, cell_ * rows};
    canvas_ = Canvas(Size{width, place_.bottom() + below});

    std::vector<std::string> texts;
    for (const Cell& cell : table_.cells) texts.push_back(cell.text);
    text_size_ = std::min({0.45 * cell_, 14.0, 0.88 * cell_ / std::max(1e-9, widest(texts, 1))});
  }

  [[nodiscard]] Rect cell(std::size_t row, std::size_t column) const {
    return {place_.x + cell_ * static_cast<double>(column), place_.y + cell_ * static_cast<double>(row),
            cell_, cell_};
  }

  void draw_heading() {
    const double center = canvas_.size().width / 2;
    const double room = canvas_.size().width - 2 * margin;
    const TextStyle bold{.size = title_size, .color = ink, .bold = true, .align = Align::center};
    const TextStyle plain{.size = small_size, .color = faint_ink, .align = Align::center};
    double y = margin;
    if (!table_.title.empty())
      canvas_.add(Text{{center, y += title_size}, fit_text(table_.title, bold, room), bold});
    if (!table_.note.empty())
      canvas_.add(Text{{center, y + small_size + 7}, fit_text(table_.note, plain, room), plain});
  }

  void draw_cell(std::size_t row, std::size_t column) {
    const Cell& content = table_.cells[row * columns_ + column];
    const Rect rect = cell(row, column);
    if (content.fill) canvas_.add(Box{rect, *content.fill});
    if (content.text.empty()) return;
    canvas_.add(Text{rect.center(),
                     content.text,
                     {.size = text_size_,
                      .color = ink_on(content.fill.value_or(white)),
                      .align = Align::center,
                      .anchor = Anchor::middle}});
  }

  void draw_margin(std::size_t row) {
    canvas_.add(
        Text{{place_.right() + margin_width_ - 2, cell(row, 0).center().y},
             table_.margin[row],
             {.size = name_style_.size, .color = ink, .align = Align::right, .anchor = Anchor::middle}});
  }

  void draw_grid() {
    for (std::size_t i = 0; i <= columns_; ++i) {
      const double x = place_.x + cell_ * static_cast<double>(i);
      canvas_.add(Line{.points = {{x, place_.y}, {x, place_.bottom()}}, .color = grid_line});
    }
    for (std::size_t i = 0; i <= rows_; ++i) {
      const double y = place_.y + cell_ * static_cast<double>(i);
      canvas_.add(Line{.points = {{place_.x, y}, {place_.right(), y}}, .color = grid_line});
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
    for (std::size_t row = 0; row < rows_; ++row) {
      canvas_.add(Text{{place_.x - gap, cell(row, 0).center().y},
                       fit_text(table_.row_names[row], name_style_, name_width_),
                       beside});
    }
    const double drop = gap + (upright_ ? 0 : small_size - 2);
    for (std::size_t column = 0; column < columns_; ++column) {
      canvas_.add(Text{{cell(0, column).center().x, place_.bottom() + drop},
                       fit_text(table_.column_names[column], name_style_, under_width_),
                       below});
    }
    TextStyle axis{.size = text_size, .color = ink, .align = Align::center};
    const Size size = canvas_.size();
    canvas_.add(Text{{place_.center().x, size.height - margin - 2 - table_.below},
                     fit_text(table_.column_axis, axis, room_about(place_.center().x, size.width)),
                     axis});
    if (!table_.margin.empty()) {
      canvas_.add(Text{{place_.right() + margin_width_ - 2, place_.y - gap},
                       table_.margin_name,
                       {.size = small_size, .color = ink, .align = Align::right}});
    }
    axis.turn = 90;
    canvas_.add(Text{{place_.x - 2 * gap - name_width_ - 2, place_.center().y},
                     fit_text(table_.row_axis, axis, room_about(place_.center().y, size.height)),
                     axis});
  }

  const Table& table_;
  std::size_t rows_;
  std::size_t columns_;
  Canvas canvas_;
  Rect place_;
  double margin_width_;
  double cell_ = 0;
  double text_size_ = 0;
  double name_width_ = 0;
  double under_width_ = 0;
  TextStyle name_style_;
  bool upright_ = false;  ///< names under the table are turned
};

}  // namespace

Canvas draw_table(const Table& table) { return TablePainter(table).draw(); }

}  // namespace xtgrad::v1::plot::detail
