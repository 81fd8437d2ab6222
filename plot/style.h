#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/plot/canvas.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace plot {

// Pages are narrow and their text large, so that it can still be read where a page is shown 400 pixels wide.
inline constexpr double page_width = 520;
inline constexpr double margin = 12;
inline constexpr double title_size = 15;
inline constexpr double text_size = 12.5;
inline constexpr double small_size = 11;

inline constexpr Color ink{34, 34, 34};
inline constexpr Color faint_ink{110, 110, 110};
inline constexpr Color grid_line{225, 225, 225};
inline constexpr Color white{255, 255, 255};
inline constexpr Color emphasis{179, 72, 0};
inline constexpr Color not_a_number{204, 121, 167};  ///< for what has no value to show

/// The i-th colour of a palette of seven that colour-blind people can tell apart, in hue and lightness; from
/// the start again after the last. Source: M. Okabe and K. Ito, "Color Universal Design", 2008.
[[nodiscard]] Color series_color(std::size_t i);

/// `share` of the way from `a` to `b`.
[[nodiscard]] Color mix(Color a, Color b, double share);

// Colour maps: a colour for a number between 0 and 1, the nearer end's beyond them, `not_a_number` for NaN.
using ColorMap = Color (*)(double);
/// Black to white.
[[nodiscard]] Color grey_map(double t);
/// Black over violet and orange to pale yellow, ever lighter.
[[nodiscard]] Color heat_map(double t);
/// Blue below one half, red above it, `neutral` there.
[[nodiscard]] Color diverging_map(double t);
/// Violet over blue and green to ochre, all of which can be seen on white.
[[nodiscard]] Color level_map(double t);
inline constexpr Color neutral{247, 247, 247};

/// Ink that can be read on `background`.
[[nodiscard]] Color ink_on(Color background);

/// 1234567 as "1,234,567".
[[nodiscard]] std::string with_commas(std::int64_t number);

}}}  // namespace xtgrad::v1::plot
