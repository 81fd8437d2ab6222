#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace plot {

// All lengths are points (1/72 inch), from the page's top left corner, y downwards.

struct Point {
  double x = 0;
  double y = 0;
};

struct Size {
  double width = 0;
  double height = 0;
};

struct Rect {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;

  [[nodiscard]] double right() const { return x + width; }
  [[nodiscard]] double bottom() const { return y + height; }
  [[nodiscard]] Point center() const { return {x + width / 2, y + height / 2}; }
};

struct Color {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;

  friend bool operator==(const Color&, const Color&) = default;
};

/// A small image, row by row.
struct Pixels {
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::vector<Color> colors = {};  // [height, width]
};

enum class Align { left, center, right };
enum class Anchor { baseline, middle };

struct TextStyle {
  double size = 12;
  Color color = {};
  bool bold = false;
  Align align = Align::left;
  Anchor anchor = Anchor::baseline;
  double turn = 0;  ///< degrees, counter-clockwise, about the place where the text is put
};

struct Box {
  Rect rect;
  Color fill;
};

struct Line {
  std::vector<Point> points;
  Color color;
  double width = 1;
  bool closed = false;
};

struct Disc {
  Point center;
  double radius = 1;
  Color fill;
};

/// One line of UTF-8; bytes that are no UTF-8 and control characters are shown as replacement characters.
struct Text {
  Point at;
  std::string text;
  TextStyle style = {};
};

/// An image stretched over `rect`, every pixel a sharp rectangle.
struct Picture {
  Rect rect;
  Pixels pixels;
};

using Item = std::variant<Box, Line, Disc, Text, Picture>;

/// A white page and what has been put on it, each item over those before it. It is kept as a list, so that
/// one page can be written in more than one format.
class Canvas {
 public:
  explicit Canvas(Size size) : size_(size) {}

  void add(Item item);

  [[nodiscard]] Size size() const { return size_; }
  [[nodiscard]] const std::vector<Item>& items() const { return items_; }

 private:
  Size size_;
  std::vector<Item> items_;
};

/// How far the text reaches, in the font that PNG files are drawn with.
[[nodiscard]] double text_width(std::string_view text, const TextStyle& style);

/// How far the baseline lies below the place where a text is put: half a capital's height if that is its
/// middle.
[[nodiscard]] constexpr double baseline_drop(const TextStyle& style) {
  return style.anchor == Anchor::middle ? 0.36 * style.size : 0;
}

/// The text, shortened with an ellipsis where it would be wider than `width`.
[[nodiscard]] std::string fit_text(std::string_view text, const TextStyle& style, double width);

/// Valid UTF-8 without control characters, each offending byte replaced by U+FFFD.
[[nodiscard]] std::string clean_text(std::string_view text);

/// Resolution of PNG files: text of 12 points is as sharp as on a screen of high density.
inline constexpr double pixels_per_point = 2;

/// The page as a PNG file's bytes. Throws xtgrad::ValueError for a page too large for Cairo.
[[nodiscard]] std::string to_png(const Canvas& canvas);
/// A small image as a PNG file's bytes, a pixel a pixel.
[[nodiscard]] std::string to_png(const Pixels& pixels);
/// The page as an SVG file. Text stays text: it can be searched, and read aloud.
[[nodiscard]] std::string to_svg(const Canvas& canvas);

/// Writes the page as PNG or SVG, as the name's ending says, whole or not at all: a reader meets the old
/// file or the new one. Throws xtgrad::ValueError for another ending, xtgrad::IoError if it can't be written.
void save(const Canvas& canvas, const std::filesystem::path& path);

}  // namespace plot
