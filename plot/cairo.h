#pragma once

#include <string>
#include <string_view>

#include "xtgrad/plot/canvas.h"

// All that is done by Cairo. Without it these functions throw, and nothing else has to know.
namespace xtgrad::inline v1::plot::detail {

/// Throws Error, naming `function` and what is missing, in a build without Cairo.
void require_cairo(std::string_view function);

/// Width of a text of size 1.
[[nodiscard]] double unit_text_width(const std::string& text, bool bold);

/// The page as a PNG file's bytes. Throws ValueError for a page too large for Cairo.
[[nodiscard]] std::string encode_png(const Canvas& canvas, double pixels_per_point);
/// A pixel a pixel.
[[nodiscard]] std::string encode_png(const Pixels& pixels);

}  // namespace xtgrad::v1::plot::detail
