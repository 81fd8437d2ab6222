#include "xtgrad/plot/mistakes.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/plot/cairo.h"
#include "xtgrad/plot/image_page.h"
#include "xtgrad/plot/labels.h"
#include "xtgrad/plot/numbers.h"
#include "xtgrad/plot/style.h"
#include "xtgrad/plot/text.h"

namespace xtgrad::inline v1::plot {
namespace {

constexpr double room = page_width - 2 * margin;

double caption_width(const std::vector<detail::Tile>& tiles) {
  double width = 0;
  for (const detail::Tile& tile : tiles) {
    for (const detail::Caption& caption : tile.captions) {
      width = std::max(width, text_width(caption.text, {.size = small_size}));
    }
  }
  return width;
}

}  // namespace

Canvas draw_mistakes(const Mistakes& mistakes, std::span<const std::string> names) {
  constexpr std::string_view function = "draw_mistakes";
  detail::require_cairo(function);
  const Shape& shape = mistakes.images.shape();
  const bool has_channels = shape.rank() == 4;
  if (!has_channels && shape.rank() != 3) {
    throw ShapeError(fmt::format("{}: images must be [n, h, w] or [n, channels, h, w]: got {}", function,
                                 to_string(shape)));
  }
  detail::check_labels(function, mistakes.labels,
                       names.empty() ? detail::any_class : static_cast<std::int64_t>(names.size()));
  const std::span<const std::int64_t> truth = mistakes.labels.truth.data<std::int64_t>();
  const std::span<const std::int64_t> predicted = mistakes.labels.predicted.data<std::int64_t>();
  if (mistakes.labels.truth.numel() != shape[0]) {
    throw ShapeError(fmt::format("{}: images and labels differ in number: images are {}, labels are {}",
                                 function, to_string(shape), to_string(mistakes.labels.truth.shape())));
  }
  if (mistakes.limit < 1) {
    throw ValueError(fmt::format("{}: limit must be 1 or more: got {}", function, mistakes.limit));
  }

  std::vector<std::int64_t> wrong;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] != predicted[i]) wrong.push_back(static_cast<std::int64_t>(i));
  }
  const auto found = static_cast<std::int64_t>(wrong.size());
  if (found == 0) {
    const std::string message = shape[0] == 0 ? "there were no test images"
                                              : fmt::format("every one of {} got the right label",
                                                            detail::plural(shape[0], "test image"));
    return detail::draw_message("No mistakes", message);
  }

  const std::int64_t shown = std::min(found, mistakes.limit);
  detail::Images images{has_channels ? shape[1] : 1, shape[shape.rank() - 2], shape.back(), {}};
  for (std::int64_t k = 0; k < shown; ++k) {
    // Only these become doubles: a test set may be large.
    const std::int64_t i = wrong[static_cast<std::size_t>(k)];
    const std::vector<double> values = numbers(slice(mistakes.images.detach(), {.start = i, .stop = i + 1}));
    images.values.insert(images.values.end(), values.begin(), values.end());
  }
  const Range range = detail::finite_range(images.values);
  std::vector<detail::Tile> tiles;
  for (std::int64_t k = 0; k < shown; ++k) {
    const auto at = static_cast<std::size_t>(wrong[static_cast<std::size_t>(k)]);
    tiles.push_back({detail::to_pixels(images[k], range),
                     {{"true: " + detail::class_name(names, truth[at])},
                      {"got: " + detail::class_name(names, predicted[at]), emphasis}}});
  }
  // Fewer columns where names are long, as far as pictures do not become too large for that.
  const double needed = caption_width(tiles);
  const auto fitting = static_cast<std::int64_t>(room / (needed + 8));
  const std::int64_t columns =
      std::min(detail::grid_columns(shown, 1.6), std::clamp<std::int64_t>(fitting, 4, 6));
  const detail::GridOptions grid = detail::grid_options(columns, room, {48, std::max(74.0, needed)});
  const std::string note = fmt::format("{}the true label, and what it was taken for",
                                       shown < found ? fmt::format("the first {}: ", shown) : "");
  return detail::draw_image_page({.title = fmt::format("{} in {}", detail::plural(found, "mistake"),
                                                       detail::plural(shape[0], "test image")),
                                  .note = note,
                                  .grids = {detail::ImageGrid(std::move(tiles), grid)}});
}

}  // namespace xtgrad::v1::plot
