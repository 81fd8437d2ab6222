#pragma once

#include <string>

#include "xtgrad/plot/canvas.h"

namespace xtgrad::inline v1::plot::detail {

/// A length in SVG: hundredths of a point are finer than anybody sees.
[[nodiscard]] std::string svg_number(double value);
/// All of an SVG file that comes before the items of a page of this size.
[[nodiscard]] std::string svg_head(Size size);
/// One item as an element.
[[nodiscard]] std::string svg_element(const Item& item);

}  // namespace xtgrad::v1::plot::detail
