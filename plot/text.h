#pragma once

#include <string>
#include <string_view>

#include "xtgrad/autograd/export.h"
#include "xtgrad/plot/canvas.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace plot {

/// How far the text reaches, in points, in the font that PNG files are drawn with.
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

}}}  // namespace xtgrad::v1::plot
