#include "xtgrad/plot/filters.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/plot/cairo.h"
#include "xtgrad/plot/image_page.h"
#include "xtgrad/plot/labels.h"
#include "xtgrad/plot/numbers.h"
#include "xtgrad/plot/style.h"

namespace xtgrad::inline v1::plot {
namespace {

constexpr double room = page_width - 2 * margin;

std::uint8_t level(double share) { return static_cast<std::uint8_t>(std::lround(255 * share)); }

// The colours of a pixel with a weight in one of three channels alone.
constexpr std::uint8_t no_weight = 128;
Color red_map(double t) { return {level(t), no_weight, no_weight}; }
Color green_map(double t) { return {no_weight, level(t), no_weight}; }
Color blue_map(double t) { return {no_weight, no_weight, level(t)}; }

/// What the colours of filters stand for: a bar for each weight that is in a colour.
std::vector<detail::ColorBar> filter_bars(std::int64_t channels, const Range& range) {
  if (channels != 3) return {{.label = "weight", .range = range, .map = diverging_map}};
  return {{.label = "red weight", .range = range, .map = red_map},
          {.label = "green weight", .range = range, .map = green_map},
          {.label = "blue weight", .range = range, .map = blue_map}};
}

/// Title and note of a page of `what`, which is the title if there is no other.
detail::ImagePage image_page(const ImagesHeading& options, const std::string& what,
                             const std::string& legend) {
  std::vector<std::string> notes;
  if (!options.title.empty()) notes.push_back(what);
  for (const std::string& note : {legend, options.note}) {
    if (!note.empty()) notes.push_back(note);
  }
  return {.title = options.title.empty() ? what : options.title,
          .note = fmt::format("{}", fmt::join(notes, "; ")),
          .grids = {}};
}

}  // namespace

Canvas draw_filters(const Tensor& weight, const ImagesHeading& options) {
  detail::require_cairo("draw_filters");
  constexpr std::int64_t most_tiles = 4096;
  const Shape& shape = weight.shape();
  if (shape.rank() != 4 || shape.numel() == 0) {
    throw ShapeError(fmt::format("draw_filters: weight must be [out, in, kh, kw], none of them 0: got {}",
                                 to_string(shape)));
  }
  const std::int64_t filters = shape[0];
  const bool whole = shape[1] == 1 || shape[1] == 3;  // a filter is one picture
  const std::int64_t count = whole ? filters : filters * shape[1];
  if (count > most_tiles) {
    throw ValueError(
        fmt::format("draw_filters: weight {} has {} pictures, at most {} fit on a page: slice it",
                    to_string(shape), count, most_tiles));
  }
  const detail::Images images{whole ? shape[1] : 1, shape[2], shape[3], numbers(weight)};
  const Range range = detail::range_about_zero(images.values);
  std::vector<detail::Tile> tiles;
  for (std::int64_t i = 0; i < count; ++i) {
    detail::Tile tile{.pixels = detail::to_pixels(images[i], range, diverging_map)};
    if (whole) tile.captions.push_back({fmt::format("{}", i)});
    tiles.push_back(std::move(tile));
  }
  const std::int64_t columns = whole ? detail::grid_columns(count, 2.5) : shape[1];
  const detail::GridOptions grid = detail::grid_options(columns, room, {whole ? 24.0 : 10.0, 84});
  const std::string note =
      !whole          ? fmt::format("a row for each filter, a column for each of {} channels", shape[1])
      : shape[1] == 3 ? "a colour mixes red, green and blue weights, grey: all 0"
                      : "";
  detail::ImagePage page = image_page(
      options, fmt::format("{} of {} × {}", detail::plural(filters, "filter"), shape[2], shape[3]), note);
  page.grids.emplace_back(std::move(tiles), grid);
  page.bars = filter_bars(shape[1], range);
  return detail::draw_image_page(page);
}

Canvas draw_feature_maps(const FeatureMaps& features, const ImagesHeading& options) {
  detail::require_cairo("draw_feature_maps");
  const Shape& image = features.image.shape();
  const Shape& maps = features.maps.shape();
  if (image.rank() != 3 || image.numel() == 0 || (image[0] != 1 && image[0] != 3)) {
    throw ShapeError(
        fmt::format("draw_feature_maps: image must be [1, h, w] or [3, h, w]: got {}", to_string(image)));
  }
  if (maps.rank() != 3 || maps.numel() == 0) {
    throw ShapeError(
        fmt::format("draw_feature_maps: maps must be [maps, h, w], none of them 0: got {}", to_string(maps)));
  }
  const detail::Images input{image[0], image[1], image[2], numbers(features.image)};
  const detail::Images outputs{1, maps[1], maps[2], numbers(features.maps)};
  Range range = detail::finite_range(outputs.values);
  // Zero has a colour of its own where there are values on both sides of it, and is the darkest elsewhere.
  const ColorMap map = range.low < 0 ? diverging_map : heat_map;
  range = range.low < 0 ? detail::range_about_zero(outputs.values) : Range{0, range.high};
  std::vector<detail::Tile> tiles;
  for (std::int64_t i = 0; i < maps[0]; ++i) {
    tiles.push_back({detail::to_pixels(outputs[i], range, map), {{fmt::format("{}", i)}}});
  }
  constexpr double input_width = 110;
  constexpr double rest = room - input_width - 28;
  const std::int64_t columns = detail::grid_columns(maps[0], 1.6);
  detail::ImagePage page = image_page(
      options, fmt::format("{} of {} × {}", detail::plural(maps[0], "feature map"), maps[1], maps[2]), "");
  page.grids.emplace_back(
      std::vector<detail::Tile>{
          {detail::to_pixels(input[0], detail::finite_range(input.values)), {{"input"}}}},
      detail::GridOptions{.tile_width = input_width});
  page.grids.emplace_back(std::move(tiles), detail::grid_options(columns, rest, {24, 84}));
  page.bars = {{.label = "activation", .range = range, .map = map}};
  return detail::draw_image_page(page);
}

}  // namespace xtgrad::v1::plot
