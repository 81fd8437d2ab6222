#include "xtgrad/plot/image_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/plot/files.h"
#include "xtgrad/plot/text.h"
#include "xtgrad/plot/ticks.h"

namespace xtgrad::inline v1::plot::detail {
namespace {

constexpr double tile_gap = 8;
constexpr double grid_gap = 28;
constexpr double caption_line = small_size + 3;
constexpr double bar_height = 12;
constexpr double bar_gap = 3;
constexpr double bar_width = 260;

/// Width of a picture of `pixels` columns within `room`: a whole number of screen pixels for each of its own,
/// so that all of them look the same; the room itself if there are too many.
double sharp_width(double room, std::int64_t pixels) {
  const double each = std::floor(room * pixels_per_point / static_cast<double>(pixels));
  return each >= 1 ? each * static_cast<double>(pixels) / pixels_per_point : room;
}

/// On a screen pixel's corner.
double snap(double place) { return std::round(place * pixels_per_point) / pixels_per_point; }

/// Height of so many bars with the numbers under them.
double bars_height(std::size_t count) {
  if (count == 0) return 0;
  return static_cast<double>(count) * bar_height + static_cast<double>(count - 1) * bar_gap + small_size + 6;
}

void draw_bar(Canvas& canvas, const ColorBar& bar, double top) {
  const double left = (canvas.size().width - bar_width) / 2;
  constexpr std::int64_t steps = 256;
  Pixels ramp{.width = steps, .height = 1};
  for (std::int64_t i = 0; i < steps; ++i)
    ramp.colors.push_back(bar.map(static_cast<double>(i) / (steps - 1)));
  const Rect rect{left, top, bar_width, bar_height};
  canvas.add(Picture{rect, std::move(ramp)});
  canvas.add(Text{{left - tile_gap, rect.center().y},
                  bar.label,
                  {.size = small_size, .color = ink, .align = Align::right, .anchor = Anchor::middle}});
}

/// The ends and the middle of a range, under the bars of it.
void draw_bar_numbers(Canvas& canvas, const Range& range, double top) {
  const double left = (canvas.size().width - bar_width) / 2;
  const double half = (range.high - range.low) / 2;
  const std::vector<std::string> labels = short_labels({range.low, range.low + half, range.high});
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double x = left + bar_width * static_cast<double>(i) / 2;
    canvas.add(Line{.points = {{x, top}, {x, top + 3}}, .color = faint_ink});
    canvas.add(Text{
        {x, top + 4 + small_size}, labels[i], {.size = small_size, .color = ink, .align = Align::center}});
  }
}

/// Title and note at the top of a page; returns where they end.
double draw_heading(Canvas& canvas, const std::string& title, const std::string& note) {
  const double center = canvas.size().width / 2;
  const double room = canvas.size().width - 2 * margin;
  double y = margin + title_size;
  const TextStyle bold{.size = title_size, .color = ink, .bold = true, .align = Align::center};
  canvas.add(Text{{center, y}, fit_text(title, bold, room), bold});
  if (!note.empty()) {
    y += small_size + 7;
    const TextStyle plain{.size = small_size, .color = faint_ink, .align = Align::center};
    canvas.add(Text{{center, y}, fit_text(note, plain, room), plain});
  }
  return y + margin;
}

}  // namespace

Range finite_range(std::span<const double> values) {
  Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const double value : values) {
    if (std::isfinite(value)) range = {std::min(range.low, value), std::max(range.high, value)};
  }
  if (range.low > range.high) return {0, 1};
  if (range.low < range.high) return range;
  // One more is no more for a double of 1e16.
  return {range.low, range.low + std::max(1.0, std::abs(range.low) * 1e-6)};
}

Range range_about_zero(std::span<const double> values) {
  double magnitude = 0;
  for (const double value : values) {
    if (std::isfinite(value)) magnitude = std::max(magnitude, std::abs(value));
  }
  if (magnitude == 0) magnitude = 1;
  return {-magnitude, magnitude};
}

Pixels to_pixels(const ImageView& image, const Range& range, ColorMap map) {
  if (image.channels != 1 && image.channels != 3) {
    throw ShapeError(fmt::format("to_pixels: an image has 1 channel or 3: got {}", image.channels));
  }
  const auto area = static_cast<std::size_t>(image.height * image.width);
  if (image.values.size() != area * static_cast<std::size_t>(image.channels)) {
    throw ShapeError(fmt::format("to_pixels: number of values differs from the size: {} values, [{}, {}, {}]",
                                 image.values.size(), image.channels, image.height, image.width));
  }
  const auto share = [&](double value) { return (value - range.low) / (range.high - range.low); };
  const auto level = [&](double value) {
    return static_cast<std::uint8_t>(std::lround(255 * std::clamp(share(value), 0.0, 1.0)));
  };
  Pixels pixels{.width = image.width, .height = image.height};
  pixels.colors.reserve(area);
  for (std::size_t i = 0; i < area; ++i) {
    if (image.channels == 1) {
      pixels.colors.push_back(map(share(image.values[i])));
      continue;
    }
    const double red = image.values[i];
    const double green = image.values[area + i];
    const double blue = image.values[2 * area + i];
    const bool known = !std::isnan(red + green + blue);
    pixels.colors.push_back(known ? Color{level(red), level(green), level(blue)} : not_a_number);
  }
  return pixels;
}

std::int64_t grid_columns(std::int64_t count, double ratio) {
  const double ideal = std::sqrt(static_cast<double>(count) * ratio);
  std::int64_t best = 1;
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t columns = 1; columns <= count; ++columns) {
    const std::int64_t rows = (count + columns - 1) / columns;
    const double gaps = static_cast<double>(rows * columns - count) / static_cast<double>(columns);
    const double cost = std::abs(std::log(static_cast<double>(columns) / ideal)) + 3 * gaps;
    if (cost < least) {
      least = cost;
      best = columns;
    }
  }
  return best;
}

GridOptions grid_options(std::int64_t columns, double width, const Range& tile_width) {
  const double fitting = width / static_cast<double>(columns) - tile_gap;
  return {.per_row = columns, .tile_width = std::clamp(fitting, tile_width.low, tile_width.high)};
}

ImageView Images::operator[](std::int64_t i) const {
  const std::int64_t size = channels * height * width;
  return {channels, height, width,
          std::span(values).subspan(static_cast<std::size_t>(i * size), static_cast<std::size_t>(size))};
}

ImageGrid::ImageGrid(std::vector<Tile> tiles, const GridOptions& options) : tiles_(std::move(tiles)) {
  if (tiles_.empty() || options.per_row < 1) {
    throw ValueError(fmt::format("ImageGrid: needs a tile and a column: {} tiles, {} columns", tiles_.size(),
                                 options.per_row));
  }
  const Pixels& first = tiles_.front().pixels;
  std::size_t lines = 0;
  double widest = 0;
  for (const Tile& tile : tiles_) {
    const Pixels& pixels = tile.pixels;
    if (pixels.width < 1 || pixels.height < 1) {
      throw ShapeError(
          fmt::format("ImageGrid: an image is empty: it has {} x {} pixels", pixels.width, pixels.height));
    }
    if (pixels.width != first.width || pixels.height != first.height) {
      throw ShapeError(fmt::format("ImageGrid: images differ in size: {} x {} and {} x {} pixels",
                                   first.width, first.height, pixels.width, pixels.height));
    }
    lines = std::max(lines, tile.captions.size());
    for (const Caption& caption : tile.captions) {
      widest = std::max(widest, text_width(caption.text, {.size = small_size}));
    }
  }
  const auto count = static_cast<std::int64_t>(tiles_.size());
  columns_ = std::min(options.per_row, count);
  rows_ = (count + columns_ - 1) / columns_;
  const double aspect = static_cast<double>(first.height) / static_cast<double>(first.width);
  // A tall image is kept from growing to many pages.
  picture_.width = sharp_width(options.tile_width / std::max(1.0, aspect), first.width);
  picture_.height = picture_.width * aspect;
  cell_width_ = std::max(picture_.width, std::min(widest, options.tile_width));
  caption_height_ = lines == 0 ? 0 : 3 + caption_line * static_cast<double>(lines);
}

Size ImageGrid::size() const {
  const auto columns = static_cast<double>(columns_);
  const auto rows = static_cast<double>(rows_);
  return {columns * cell_width_ + (columns - 1) * tile_gap,
          rows * (picture_.height + caption_height_) + (rows - 1) * tile_gap};
}

void ImageGrid::draw(Canvas& canvas, Point corner) const {
  for (std::size_t i = 0; i < tiles_.size(); ++i) {
    const std::int64_t rows_above = static_cast<std::int64_t>(i) / columns_;
    const auto row = static_cast<double>(rows_above);
    const auto column = static_cast<double>(static_cast<std::int64_t>(i) % columns_);
    const Rect rect{snap(corner.x + column * (cell_width_ + tile_gap) + (cell_width_ - picture_.width) / 2),
                    snap(corner.y + row * (picture_.height + caption_height_ + tile_gap)), picture_.width,
                    picture_.height};
    canvas.add(Picture{rect, tiles_[i].pixels});
    // A frame, for an image may be as white as the page.
    canvas.add(Line{.points = {{rect.x, rect.y},
                               {rect.right(), rect.y},
                               {rect.right(), rect.bottom()},
                               {rect.x, rect.bottom()}},
                    .color = grid_line,
                    .width = 0.75,
                    .closed = true});
    double y = rect.bottom() + 3;
    for (const Caption& caption : tiles_[i].captions) {
      y += caption_line;
      const TextStyle style{.size = small_size, .color = caption.color, .align = Align::center};
      canvas.add(
          Text{{rect.center().x, y - 2}, fit_text(caption.text, style, cell_width_ + tile_gap - 2), style});
    }
  }
}

void draw_bars(Canvas& canvas, const std::vector<ColorBar>& bars, double top) {
  for (const ColorBar& bar : bars) {
    draw_bar(canvas, bar, top);
    top += bar_height + bar_gap;
  }
  if (!bars.empty()) draw_bar_numbers(canvas, bars.back().range, top - bar_gap);
}

Canvas draw_image_page(const ImagePage& page) {
  Size all{.width = -grid_gap, .height = 0};
  for (const ImageGrid& grid : page.grids) {
    const Size size = grid.size();
    all = {all.width + size.width + grid_gap, std::max(all.height, size.height)};
  }
  const double heading = 2 * margin + title_size + (page.note.empty() ? 0 : small_size + 7);
  const double legend = page.bars.empty() ? 0 : margin + bars_height(page.bars.size());
  Canvas canvas(Size{std::max(page_width, all.width + 2 * margin), heading + all.height + legend + margin});
  const double top = draw_heading(canvas, page.title, page.note);
  double x = (canvas.size().width - all.width) / 2;
  for (const ImageGrid& grid : page.grids) {
    const Size size = grid.size();
    grid.draw(canvas, {x, top + (all.height - size.height) / 2});
    x += size.width + grid_gap;
  }
  draw_bars(canvas, page.bars, top + all.height + margin);
  return canvas;
}

Canvas draw_message(const std::string& title, const std::string& message) {
  Canvas canvas(Size{page_width, 2 * margin + title_size + 60});
  const double top = draw_heading(canvas, title, "");
  canvas.add(Text{{page_width / 2, top + 20},
                  message,
                  {.size = text_size, .color = ink, .align = Align::center, .anchor = Anchor::middle}});
  return canvas;
}

}  // namespace xtgrad::v1::plot::detail
