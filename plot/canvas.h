#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace plot {

/// False in a build without Cairo, where every function that draws or measures text throws Error, which says
/// so.
[[nodiscard]] bool available();

// All lengths are points (1/72 inch), from the page's top left corner, y downwards.

struct Point {
  double x = 0;
  double y = 0;

  friend bool operator==(const Point&, const Point&) = default;
};

struct Size {
  double width = 0;
  double height = 0;

  friend bool operator==(const Size&, const Size&) = default;
};

/// Numbers from `low` to `high`.
struct Range {
  double low = 0;
  double high = 1;

  friend bool operator==(const Range&, const Range&) = default;
};

struct Rect {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;

  [[nodiscard]] double right() const { return x + width; }
  [[nodiscard]] double bottom() const { return y + height; }
  [[nodiscard]] Point center() const { return {x + width / 2, y + height / 2}; }

  friend bool operator==(const Rect&, const Rect&) = default;
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
  std::vector<Color> colors = {};  ///< [height, width]

  friend bool operator==(const Pixels&, const Pixels&) = default;
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

  friend bool operator==(const TextStyle&, const TextStyle&) = default;
};

struct Box {
  Rect rect;
  Color fill;

  friend bool operator==(const Box&, const Box&) = default;
};

struct Line {
  std::vector<Point> points;
  Color color;
  double width = 1;
  bool closed = false;
  double dash = 0;  ///< length of dashes and of the gaps between them; 0: none

  friend bool operator==(const Line&, const Line&) = default;
};

/// A filled area with straight edges.
struct Polygon {
  std::vector<Point> points;
  Color fill;

  friend bool operator==(const Polygon&, const Polygon&) = default;
};

struct Disc {
  Point center;
  double radius = 1;
  Color fill;

  friend bool operator==(const Disc&, const Disc&) = default;
};

/// One line of UTF-8; bytes that are no UTF-8 and control characters are shown as replacement characters.
struct Text {
  Point at;
  std::string text;
  TextStyle style = {};

  friend bool operator==(const Text&, const Text&) = default;
};

/// An image stretched over `rect`, every pixel a sharp rectangle.
struct Picture {
  Rect rect;
  Pixels pixels;

  friend bool operator==(const Picture&, const Picture&) = default;
};

using Item = std::variant<Box, Line, Polygon, Disc, Text, Picture>;

/// A white page and what has been put on it, each item over those before it. It is kept as a list, so that
/// one page can be written in more than one format, and pages can be put together.
class Canvas {
 public:
  explicit Canvas(Size size) : size_(size) {}

  void add(Item item);
  /// Everything on `other`, whose top left corner comes to `corner`.
  void add(const Canvas& other, Point corner);

  [[nodiscard]] Size size() const { return size_; }
  [[nodiscard]] const std::vector<Item>& items() const { return items_; }

 private:
  Size size_;
  std::vector<Item> items_;
};

}}}  // namespace xtgrad::v1::plot
