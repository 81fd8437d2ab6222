#include "xtgrad/plot/svg.h"

#include <fmt/format.h>

#include <cmath>

#include <string_view>
#include <variant>

#include "xtgrad/plot/cairo.h"
#include "xtgrad/plot/text.h"

namespace xtgrad::inline v1::plot::detail {
namespace {

std::string hex(Color color) {
  return fmt::format("#{:02x}{:02x}{:02x}", color.red, color.green, color.blue);
}

std::string escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '&':
        escaped += "&amp;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t k) -> unsigned {
      return k < bytes.size() ? static_cast<unsigned char>(bytes[k]) : 0;
    };
    const unsigned three = byte(i) << 16U | byte(i + 1) << 8U | byte(i + 2);
    text += digits[three >> 18U];
    text += digits[three >> 12U & 63U];
    text += i + 1 < bytes.size() ? digits[three >> 6U & 63U] : '=';
    text += i + 2 < bytes.size() ? digits[three & 63U] : '=';
  }
  return text;
}

std::string rect_attributes(const Rect& rect) {
  return fmt::format(R"(x="{}" y="{}" width="{}" height="{}")", svg_number(rect.x), svg_number(rect.y),
                     svg_number(rect.width), svg_number(rect.height));
}

std::string points_of(const std::vector<Point>& points) {
  std::string text;
  for (const Point& point : points) text += fmt::format("{},{} ", svg_number(point.x), svg_number(point.y));
  if (!text.empty()) text.pop_back();
  return text;
}

/// Each kind of item as an element.
struct Element {
  std::string operator()(const Box& box) const {
    return fmt::format(R"(<rect {} fill="{}"/>)", rect_attributes(box.rect), hex(box.fill));
  }
  std::string operator()(const Line& line) const {
    return fmt::format(
        R"(<{} points="{}" fill="none" stroke="{}" stroke-width="{}" stroke-linejoin="round"{}/>)",
        line.closed ? "polygon" : "polyline", points_of(line.points), hex(line.color), svg_number(line.width),
        line.dash > 0 ? fmt::format(R"( stroke-dasharray="{}")", svg_number(line.dash)) : "");
  }
  std::string operator()(const Polygon& polygon) const {
    return fmt::format(R"(<polygon points="{}" fill="{}"/>)", points_of(polygon.points), hex(polygon.fill));
  }
  std::string operator()(const Disc& disc) const {
    return fmt::format(R"(<circle cx="{}" cy="{}" r="{}" fill="{}"/>)", svg_number(disc.center.x),
                       svg_number(disc.center.y), svg_number(disc.radius), hex(disc.fill));
  }
  std::string operator()(const Text& text) const {
    const TextStyle& style = text.style;
    const std::string clean = clean_text(text.text);
    std::string attributes =
        fmt::format(R"(font-size="{}" fill="{}")", svg_number(style.size), hex(style.color));
    if (style.bold) attributes += R"( font-weight="bold")";
    if (style.align == Align::center) attributes += R"( text-anchor="middle")";
    if (style.align == Align::right) attributes += R"( text-anchor="end")";
    // Without it runs of spaces become one, of another width.
    if (clean.find("  ") != std::string::npos) attributes += R"( xml:space="preserve")";
    // A viewer with another font keeps to the room that the layout gave the text.
    attributes += fmt::format(R"( textLength="{}" lengthAdjust="spacingAndGlyphs")",
                              svg_number(text_width(clean, style)));
    std::string place = fmt::format("translate({} {})", svg_number(text.at.x), svg_number(text.at.y));
    if (style.turn != 0) place += fmt::format(" rotate({})", svg_number(-style.turn));
    return fmt::format(R"(<text transform="{}" y="{}" {}>{}</text>)", place, svg_number(baseline_drop(style)),
                       attributes, escape(clean));
  }
  std::string operator()(const Picture& picture) const {
    // Two spellings of "sharp pixels": of SVG 1.1 and of CSS.
    return fmt::format(
        R"(<image {} preserveAspectRatio="none" image-rendering="optimizeSpeed" style="image-rendering:pixelated")"
        R"( xlink:href="data:image/png;base64,{}"/>)",
        rect_attributes(picture.rect), base64(encode_png(picture.pixels)));
  }
};

}  // namespace

std::string svg_number(double value) { return fmt::format("{}", std::round(value * 100) / 100 + 0.0); }

std::string svg_head(Size size) {
  return fmt::format(
      R"(<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{0}pt" height="{1}pt" viewBox="0 0 {0} {1}" font-family="DejaVu Sans, Verdana, sans-serif">
<rect width="{0}" height="{1}" fill="#ffffff"/>
)",
      svg_number(size.width), svg_number(size.height));
}

std::string svg_element(const Item& item) { return std::visit(Element(), item); }

}  // namespace xtgrad::v1::plot::detail
