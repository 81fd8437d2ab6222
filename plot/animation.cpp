#include "xtgrad/plot/animation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <utility>
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

/// An item that all pages have, between others that may differ: its place on each page.
using Common = std::vector<std::size_t>;

/// In their order. Not always as many as there could be: each item of the first page is looked for behind the
/// one before, and not past a long stretch of others, which would take the square of their number.
std::vector<Common> common_items(std::span<const Canvas> pages) {
  constexpr std::size_t most_skipped = 1000;
  std::vector<Common> all;
  Common next(pages.size(), 0);
  const std::vector<Item>& first = pages.front().items();
  for (; next[0] < first.size(); ++next[0]) {
    Common places{next[0]};
    for (std::size_t k = 1; k < pages.size() && places.size() == k; ++k) {
      const std::vector<Item>& items = pages[k].items();
      const std::size_t end = std::min(items.size(), next[k] + most_skipped);
      std::size_t at = next[k];
      while (at < end && items[at] != first[next[0]]) ++at;
      if (at < end) places.push_back(at);
    }
    if (places.size() < pages.size()) continue;
    for (std::size_t k = 1; k < pages.size(); ++k) next[k] = places[k] + 1;
    all.push_back(std::move(places));
  }
  return all;
}

/// Those that make the file smaller: between others, what is written once parts each page's items into two
/// groups, and a short run of them costs more than it saves.
std::vector<Common> worthwhile(std::span<const Canvas> pages, const std::vector<Common>& all) {
  constexpr std::size_t bytes_of_group = 60;
  const auto follows = [](const Common& a, const Common& b) {
    return std::ranges::equal(a, b, [](std::size_t i, std::size_t j) { return i + 1 == j; });
  };
  std::vector<Common> kept;
  for (std::size_t begin = 0, end = 0; begin < all.size(); begin = end) {
    std::size_t bytes = 0;
    do {
      bytes += detail::svg_element(pages.front().items()[all[end][0]]).size();
      ++end;
    } while (end < all.size() && follows(all[end - 1], all[end]));
    bool is_first = true, is_last = true;
    for (std::size_t k = 0; k < pages.size(); ++k) {
      is_first = is_first && all[begin][k] == 0;
      is_last = is_last && all[end - 1][k] + 1 == pages[k].items().size();
    }
    if (!is_first && !is_last && bytes * (pages.size() - 1) <= bytes_of_group * pages.size()) continue;
    kept.insert(kept.end(), all.begin() + static_cast<std::ptrdiff_t>(begin),
                all.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return kept;
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

/// Each page's items from `begin` to `end`, in groups that are seen in turn.
std::string groups_of(std::span<const Canvas> pages, const Common& begin, const Common& end,
                      const AnimationOptions& options) {
  const double all = options.frame_seconds * static_cast<double>(pages.size()) + options.rest_seconds;
  std::string svg;
  for (std::size_t k = 0; k < pages.size(); ++k) {
    if (begin[k] == end[k]) continue;
    const double start = options.frame_seconds * static_cast<double>(k);
    svg += fmt::format("<g class=\"{}\" style=\"animation-delay:{:.4f}s\">\n",
                       k + 1 == pages.size() ? "f l" : "f", k == 0 ? 0.0 : start - all);
    for (std::size_t i = begin[k]; i < end[k]; ++i) svg += detail::svg_element(pages[k].items()[i]) + "\n";
    svg += "</g>\n";
  }
  return svg;
}

std::string animated_svg(std::span<const Canvas> pages, const AnimationOptions& options) {
  std::string svg = detail::svg_head(pages.front().size()) + style_of(pages.size(), options);
  Common begin(pages.size(), 0);
  for (const Common& places : worthwhile(pages, common_items(pages))) {
    svg += groups_of(pages, begin, places, options);
    svg += detail::svg_element(pages.front().items()[places[0]]) + "\n";
    for (std::size_t k = 0; k < pages.size(); ++k) begin[k] = places[k] + 1;
  }
  Common end;
  for (const Canvas& page : pages) end.push_back(page.items().size());
  return svg + groups_of(pages, begin, end, options) + "</svg>\n";
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
