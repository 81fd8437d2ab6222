#include "xtgrad/plot/animation.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/file.h"
#include "xtgrad/plot/cairo.h"
#include "xtgrad/plot/svg.h"

namespace xtgrad::inline v1::plot {
namespace {

void check(std::string_view function, std::span<const Canvas> pages, const AnimationOptions& options) {
  constexpr std::size_t most_pages = 1000;
  if (pages.empty() || pages.size() > most_pages)
    throw ValueError(
        fmt::format("{}: an animation has 1 to {} pages: got {}", function, most_pages, pages.size()));
  const Size first = pages.front().size();
  for (const Canvas& page : pages) {
    if (page.size() == first) continue;
    throw ShapeError(fmt::format("{}: pages differ in size: {} x {} and {} x {}", function, first.width,
                                 first.height, page.size().width, page.size().height));
  }
  const bool lasts = std::isfinite(options.frame_seconds) && options.frame_seconds > 0;
  if (!lasts || !std::isfinite(options.rest_seconds) || options.rest_seconds < 0) {
    throw ValueError(
        fmt::format("{}: times must be finite, of a frame above 0 and of the rest 0 or more: got {} and {}",
                    function, options.frame_seconds, options.rest_seconds));
  }
}

/// How many items at the beginning are the same in all pages.
std::size_t common_items(std::span<const Canvas> pages) {
  std::size_t count = pages.front().items().size();
  for (const Canvas& page : pages.subspan(1)) {
    std::size_t same = 0;
    while (same < count && same < page.items().size() && page.items()[same] == pages.front().items()[same])
      ++same;
    count = same;
  }
  return count;
}

/// CSS rules by which the i-th group is seen in the i-th step, all by one list of key frames and a delay
/// each. A delay is negative, so that an animation that has not begun yet shows what it will.
std::string style_of(std::size_t pages, const AnimationOptions& options) {
  const double frame = options.frame_seconds;
  const double all = frame * static_cast<double>(pages) + options.rest_seconds;
  const auto rule = [&](std::string_view name, double seconds) {
    return fmt::format("@keyframes {}{{0%{{visibility:visible}}{:.4f}%,100%{{visibility:hidden}}}}\n", name,
                       100 * seconds / all);
  };
  // Key frames are stepped over, not gone through: visibility knows nothing between.
  return fmt::format(
      "<style>\n{}{}.f{{visibility:hidden;animation:frame {:.4f}s step-end infinite}}\n"
      ".l{{animation-name:last;visibility:visible}}\n"
      "@media (prefers-reduced-motion:reduce){{.f{{animation:none}}}}\n</style>\n",
      rule("frame", frame), rule("last", frame + options.rest_seconds), all);
}

std::string animated_svg(std::span<const Canvas> pages, const AnimationOptions& options) {
  const std::size_t common = common_items(pages);
  std::string svg = detail::svg_head(pages.front().size()) + style_of(pages.size(), options);
  for (std::size_t i = 0; i < common; ++i) svg += detail::svg_element(pages.front().items()[i]) + "\n";
  const double all = options.frame_seconds * static_cast<double>(pages.size()) + options.rest_seconds;
  for (std::size_t k = 0; k < pages.size(); ++k) {
    const double begin = options.frame_seconds * static_cast<double>(k);
    svg += fmt::format("<g class=\"{}\" style=\"animation-delay:{:.4f}s\">\n",
                       k + 1 == pages.size() ? "f l" : "f", k == 0 ? 0.0 : begin - all);
    const std::vector<Item>& items = pages[k].items();
    for (std::size_t i = common; i < items.size(); ++i) svg += detail::svg_element(items[i]) + "\n";
    svg += "</g>\n";
  }
  return svg + "</svg>\n";
}

}  // namespace

std::string to_animated_svg(std::span<const Canvas> pages, const AnimationOptions& options) {
  detail::require_cairo("to_animated_svg");
  check("to_animated_svg", pages, options);
  return animated_svg(pages, options);
}

void save_animation(std::span<const Canvas> pages, const std::string& path, const AnimationOptions& options) {
  detail::require_cairo("save_animation");
  check("save_animation", pages, options);
  if (!path.ends_with(".svg"))
    throw ValueError(fmt::format("save_animation: an animation's name ends in .svg: got {}", path));
  write_file_atomically(path, animated_svg(pages, options));
}

}  // namespace xtgrad::v1::plot
