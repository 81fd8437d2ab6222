#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "xtgrad/plot/canvas.h"
#include "xtgrad/plot/style.h"

namespace xtgrad::inline v1::plot::detail {

/// The values of an image, [channels, height, width], as in tensors.
struct ImageView {
  std::int64_t channels = 1;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::span<const double> values;
};

/// The smallest and the largest finite value. Where they are equal or there is none, a range of length 1.
[[nodiscard]] Range finite_range(std::span<const double> values);
/// From -m to m, m being the largest finite magnitude, so that zero is in the middle.
[[nodiscard]] Range range_about_zero(std::span<const double> values);

/// An image of one channel through the map, which gets 0 at `range.low` and 1 at `range.high`; one of three
/// channels as red, green and blue, each dark at `range.low`. Throws ShapeError for another number of
/// channels, or if there are not channels * height * width values.
[[nodiscard]] Pixels to_pixels(const ImageView& image, const Range& range, ColorMap map = grey_map);

struct Caption {
  std::string text;
  Color color = ink;
};

/// An image with lines of text under it.
struct Tile {
  Pixels pixels;
  std::vector<Caption> captions = {};
};

struct GridOptions {
  std::int64_t per_row = 1;
  double tile_width = 60;  ///< at most: pictures are as large as whole screen pixels for theirs allow
};

/// Images of one size in rows.
class ImageGrid {
 public:
  /// Throws ValueError unless there is a tile and a column, ShapeError for images that are
  /// empty or differ in size.
  ImageGrid(std::vector<Tile> tiles, const GridOptions& options);

  [[nodiscard]] Size size() const;
  void draw(Canvas& canvas, Point corner) const;

 private:
  std::vector<Tile> tiles_;
  std::int64_t columns_;
  std::int64_t rows_;
  Size picture_;
  double cell_width_;  // of a picture or its captions
  double caption_height_;
};

/// Columns for `count` tiles, so that there are about `ratio` times as many columns as rows, and few gaps in
/// the last row.
[[nodiscard]] std::int64_t grid_columns(std::int64_t count, double ratio);

/// Widest tiles of which `columns` fit into `width`, within limits.
[[nodiscard]] GridOptions grid_options(std::int64_t columns, double width, const Range& tile_width);

/// Images of one size, one after another, as in a tensor.
struct Images {
  std::int64_t channels;
  std::int64_t height;
  std::int64_t width;
  std::vector<double> values;

  [[nodiscard]] ImageView operator[](std::int64_t i) const;
};

/// What the colours of images stand for.
struct ColorBar {
  std::string label;
  Range range;
  ColorMap map = grey_map;
};

/// Bars in the middle of a page from `top` on, with numbers under the last.
void draw_bars(Canvas& canvas, const std::vector<ColorBar>& bars, double top);

struct ImagePage {
  std::string title;
  std::string note = {};  ///< a smaller line under the title
  std::vector<ImageGrid> grids;
  std::vector<ColorBar> bars = {};  ///< of one range, whose numbers stand under the last
};

/// Grids side by side, under their title and over their colour bars.
[[nodiscard]] Canvas draw_image_page(const ImagePage& page);

/// A page with nothing but a title and a sentence.
[[nodiscard]] Canvas draw_message(const std::string& title, const std::string& message);

}  // namespace xtgrad::v1::plot::detail
