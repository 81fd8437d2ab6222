#pragma once

#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/plot/canvas.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace plot {

/// Resolution of PNG files: text of 12 points is as sharp as on a screen of high density.
inline constexpr double pixels_per_point = 2;

/// The page as a PNG file's bytes. Throws ValueError for a page too large for Cairo.
[[nodiscard]] std::string to_png(const Canvas& canvas);
/// A small image as a PNG file's bytes, a pixel a pixel.
[[nodiscard]] std::string to_png(const Pixels& pixels);
/// The page as an SVG file. Text stays text: it can be searched, and read aloud.
[[nodiscard]] std::string to_svg(const Canvas& canvas);

/// Writes the page as PNG or SVG, as the name's ending says, whole or not at all: a reader meets the old
/// file or the new one. The same page is the same bytes, on a machine with the same fonts and Cairo.
/// Throws ValueError for another ending, IoError if it can't be written.
///
///   plot::save(plot::draw_charts(charts, {.width = 520, .height = 290}), "loss.png");
void save(const Canvas& canvas, const std::string& path);

}}}  // namespace xtgrad::v1::plot
