#include <fmt/format.h>

#include <cmath>

#include "canvas.h"

namespace plot {
namespace {

/// Hundredths of a point are finer than anybody sees.
std::string number(double value) { return fmt::format("{}", std::round(value * 100) / 100 + 0.0); }

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
  return fmt::format(R"(x="{}" y="{}" width="{}" height="{}")", number(rect.x), number(rect.y),
                     number(rect.width), number(rect.height));
}

/// Each kind of item as an element.
struct Element {
  std::string operator()(const Box& box) const {
    return fmt::format(R"(<rect {} fill="{}"/>)", rect_attributes(box.rect), hex(box.fill));
  }
  std::string operator()(const Line& line) const {
    std::string points;
    for (const Point& point : line.points) points += fmt::format("{},{} ", number(point.x), number(point.y));
    return fmt::format(
        R"(<{} points="{}" fill="none" stroke="{}" stroke-width="{}" stroke-linejoin="round"/>)",
        line.closed ? "polygon" : "polyline", points, hex(line.color), number(line.width));
  }
  std::string operator()(const Disc& disc) const {
    return fmt::format(R"(<circle cx="{}" cy="{}" r="{}" fill="{}"/>)", number(disc.center.x),
                       number(disc.center.y), number(disc.radius), hex(disc.fill));
  }
  std::string operator()(const Text& text) const {
    const TextStyle& style = text.style;
    const std::string clean = clean_text(text.text);
    std::string attributes = fmt::format(R"(font-size="{}" fill="{}")", number(style.size), hex(style.color));
    if (style.bold) attributes += R"( font-weight="bold")";
    if (style.align == Align::center) attributes += R"( text-anchor="middle")";
    if (style.align == Align::right) attributes += R"( text-anchor="end")";
    // A viewer with another font keeps to the room that the layout gave the text.
    attributes +=
        fmt::format(R"( textLength="{}" lengthAdjust="spacingAndGlyphs")", number(text_width(clean, style)));
    std::string place = fmt::format("translate({} {})", number(text.at.x), number(text.at.y));
    if (style.turn != 0) place += fmt::format(" rotate({})", number(-style.turn));
    return fmt::format(R"(<text transform="{}" y="{}" {}>{}</text>)", place, number(baseline_drop(style)),
                       attributes, escape(clean));
  }
  std::string operator()(const Picture& picture) const {
    // Two spellings of "sharp pixels": of SVG 1.1 and of CSS.
    return fmt::format(
        R"(<image {} preserveAspectRatio="none" image-rendering="optimizeSpeed" style="image-rendering:pixelated")"
        R"( xlink:href="data:image/png;base64,{}"/>)",
        rect_attributes(picture.rect), base64(to_png(picture.pixels)));
  }
};

}  // namespace

std::string to_svg(const Canvas& canvas) {
  const std::string width = number(canvas.size().width);
  const std::string height = number(canvas.size().height);
  std::string svg = fmt::format(
      R"(<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{0}pt" height="{1}pt" viewBox="0 0 {0} {1}" font-family="DejaVu Sans, Verdana, sans-serif">
<rect width="{0}" height="{1}" fill="#ffffff"/>
)",
      width, height);
  for (const Item& item : canvas.items()) svg += std::visit(Element(), item) + "\n";
  return svg + "</svg>\n";
}

}  // namespace plot
