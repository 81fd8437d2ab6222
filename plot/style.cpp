#include "xtgrad/plot/style.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace xtgrad::inline v1::plot {
namespace {

Color interpolate(std::span<const Color> anchors, double t) {
  if (std::isnan(t)) return not_a_number;
  const double place = std::clamp(t, 0.0, 1.0) * static_cast<double>(anchors.size() - 1);
  const std::size_t left = std::min(static_cast<std::size_t>(place), anchors.size() - 2);
  return mix(anchors[left], anchors[left + 1], place - static_cast<double>(left));
}

/// Relative luminance, 0 to 1, of WCAG 2.1 with a plain square for the gamma curve.
double luminance(Color color) {
  const auto light = [](std::uint8_t level) { return (level / 255.0) * (level / 255.0); };
  return 0.2126 * light(color.red) + 0.7152 * light(color.green) + 0.0722 * light(color.blue);
}

}  // namespace

Color series_color(std::size_t i) {
  // Blue and vermilion first: the pair that differs most for every kind of sight.
  static constexpr std::array<Color, 7> palette{{{0, 114, 178},
                                                 {213, 94, 0},
                                                 {0, 158, 115},
                                                 {204, 121, 167},
                                                 {86, 180, 233},
                                                 {230, 159, 0},
                                                 {34, 34, 34}}};
  return palette[i % palette.size()];
}

Color mix(Color a, Color b, double share) {
  const auto level = [&](std::uint8_t from, std::uint8_t to) {
    return static_cast<std::uint8_t>(std::lround(from + share * (to - from)));
  };
  return {level(a.red, b.red), level(a.green, b.green), level(a.blue, b.blue)};
}

Color grey_map(double t) {
  static constexpr std::array<Color, 2> anchors{{{0, 0, 0}, {255, 255, 255}}};
  return interpolate(anchors, t);
}

Color heat_map(double t) {
  static constexpr std::array<Color, 5> anchors{
      {{0, 0, 8}, {80, 20, 110}, {190, 55, 85}, {245, 145, 30}, {255, 250, 170}}};
  return interpolate(anchors, t);
}

Color diverging_map(double t) {
  static constexpr std::array<Color, 5> anchors{
      {{10, 60, 125}, {95, 160, 205}, neutral, {230, 130, 95}, {140, 15, 35}}};
  return interpolate(anchors, t);
}

Color level_map(double t) {
  static constexpr std::array<Color, 5> anchors{
      {{68, 1, 84}, {59, 82, 139}, {33, 145, 140}, {80, 175, 90}, {200, 155, 10}}};
  return interpolate(anchors, t);
}

Color ink_on(Color background) { return luminance(background) > 0.3 ? ink : white; }

std::string with_commas(std::int64_t number) {
  std::string digits = fmt::format("{}", number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (std::size_t i = digits.size(); i > first + 3;) {
    i -= 3;
    digits.insert(i, 1, ',');
  }
  return digits;
}

}  // namespace xtgrad::v1::plot
