#include "xtgrad/plot/images.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/plot/cairo.h"
#include "xtgrad/plot/checks.h"
#include "xtgrad/plot/image_page.h"
#include "xtgrad/plot/numbers.h"
#include "xtgrad/plot/text.h"

namespace xtgrad::inline v1::plot {
namespace {

constexpr std::string_view function = "draw_images";

void check(const Shape& shape, const ImagesOptions& options) {
  constexpr std::int64_t most_images = 4096;
  const bool channels_fit = shape.rank() == 3 || (shape.rank() == 4 && (shape[1] == 1 || shape[1] == 3));
  if (!channels_fit || shape.numel() == 0) {
    throw ShapeError(
        fmt::format("{}: images must be [n, h, w], [n, 1, h, w] or [n, 3, h, w], none of them 0: got {}",
                    function, to_string(shape)));
  }
  if (shape[0] > most_images) {
    throw ValueError(
        fmt::format("{}: at most {} images fit on a page: got {}", function, most_images, shape[0]));
  }
  if (!options.captions.empty() && static_cast<std::int64_t>(options.captions.size()) != shape[0]) {
    throw ShapeError(fmt::format("{}: images and captions differ in number: {} images, {} captions", function,
                                 shape[0], options.captions.size()));
  }
  if (options.per_row < 0)
    throw ValueError(fmt::format("{}: per_row must be 0 or more: got {}", function, options.per_row));
  if (options.range) detail::check_range(function, "the range of colours", *options.range);
  if (options.each && (options.range || !options.value_label.empty())) {
    throw ValueError(fmt::format("{}: images with ranges of their own have no common {}", function,
                                 options.range ? "range: one is given" : "bar: value_label is given"));
  }
}

}  // namespace

Canvas draw_images(const Tensor& images, const ImagesOptions& options) {
  detail::require_cairo(function);
  const Shape shape = images.defined() ? images.shape() : Shape{0};
  check(shape, options);
  const std::int64_t count = shape[0];
  const detail::Images all{shape.rank() == 4 ? shape[1] : 1, shape[shape.rank() - 2], shape.back(),
                           numbers(images)};
  const Range common = options.range.value_or(detail::finite_range(all.values));
  std::vector<detail::Tile> tiles;
  double caption_width = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const detail::ImageView image = all[i];
    detail::Tile tile{
        to_pixels(image, options.each ? detail::finite_range(image.values) : common, options.map)};
    if (!options.captions.empty()) {
      const std::string& caption = options.captions[static_cast<std::size_t>(i)];
      caption_width = std::max(caption_width, text_width(caption, {.size = small_size}));
      tile.captions.push_back({caption});
    }
    tiles.push_back(std::move(tile));
  }
  constexpr double room = page_width - 2 * margin;
  const std::int64_t columns = options.per_row > 0 ? options.per_row : detail::grid_columns(count, 2);
  const double widest = std::clamp(caption_width, 96.0, 150.0);
  detail::ImagePage page{.title = options.title, .note = options.note, .grids = {}};
  page.grids.emplace_back(std::move(tiles), detail::grid_options(columns, room, {24, widest}));
  if (!options.value_label.empty())
    page.bars = {{.label = options.value_label, .range = common, .map = options.map}};
  return draw_image_page(page);
}

}  // namespace xtgrad::v1::plot
