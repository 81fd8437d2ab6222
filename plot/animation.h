#pragma once

#include <span>
#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/plot/canvas.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace plot {

struct AnimationOptions {
  double frame_seconds = 0.1;
  double rest_seconds = 1.5;  ///< how much longer the last frame is shown before the first comes again
};

/// Pages of one size, one after another, as an SVG file that moves by itself in a browser, without scripts or
/// network. Most of what is the same in all pages, in the same order, such as axes and contour lines, is in
/// the file once, so keep an axis' `range` fixed. Who asks for reduced motion, or cannot animate, sees the
/// last page. Throws ValueError if there is no page, for times that are not finite and above zero (rest: or
/// zero), or more than 1000 pages; ShapeError for pages of different sizes.
[[nodiscard]] std::string to_animated_svg(std::span<const Canvas> pages,
                                          const AnimationOptions& options = {});

/// Writes the animation, whole or not at all. Throws ValueError for a name that does not end in .svg, IoError
/// if it can't be written, and what `to_animated_svg` does.
void save_animation(std::span<const Canvas> pages, const std::string& path,
                    const AnimationOptions& options = {});

}}}  // namespace xtgrad::v1::plot
