#include "report_pictures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "chart.h"
#include "images.h"
#include "labels.h"
#include "matrix.h"
#include "style.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace plot {
namespace {

using xtgrad::Shape;
using xtgrad::Tensor;
namespace fs = std::filesystem;

constexpr double room = page_width - 2 * margin;

std::vector<double> numbers(const Tensor& tensor) {
  const Tensor doubles = tensor.detach().to(xtgrad::float64);
  const std::span<const double> data = doubles.data<double>();
  return {data.begin(), data.end()};
}

/// Images of one size, one after another, as in a tensor.
struct Images {
  std::int64_t channels;
  std::int64_t height;
  std::int64_t width;
  std::vector<double> values;

  [[nodiscard]] ImageView operator[](std::int64_t i) const {
    const std::int64_t size = channels * height * width;
    return {channels, height, width,
            std::span(values).subspan(static_cast<std::size_t>(i * size), static_cast<std::size_t>(size))};
  }
};

/// Widest tiles of which `columns` fit into `width`.
GridOptions grid_options(std::int64_t columns, double width, const Range& tile_width) {
  constexpr double gap = 8;
  const double fitting = width / static_cast<double>(columns) - gap;
  return {.columns = columns, .tile_width = std::clamp(fitting, tile_width.low, tile_width.high)};
}

double caption_width(const std::vector<Tile>& tiles) {
  double width = 0;
  for (const Tile& tile : tiles) {
    for (const Caption& caption : tile.captions) {
      width = std::max(width, text_width(caption.text, {.size = small_size}));
    }
  }
  return width;
}

std::string plural(std::int64_t count, std::string_view what) {
  return fmt::format("{} {}{}", with_commas(count), what, count == 1 ? "" : "s");
}

Series epoch_series(std::string label, std::span<const EpochScores> epochs, double EpochScores::*value,
                    double scale) {
  Series series{.label = std::move(label), .x = {}, .y = {}};
  for (const EpochScores& scores : epochs) {
    series.x.push_back(static_cast<double>(scores.epoch));
    series.y.push_back(scale * (scores.*value));
  }
  return series;
}

Chart epoch_chart(std::string title, Axis y, std::vector<Series> series) {
  // What was never measured has no place in the legend.
  std::erase_if(series, [](const Series& one) {
    return std::ranges::none_of(one.y, [](double value) { return std::isfinite(value); });
  });
  return {.title = std::move(title),
          .x = {.label = "epoch", .whole_numbers = true},
          .y = std::move(y),
          .series = std::move(series)};
}

bool spans_decades(const std::vector<Series>& losses) {
  std::vector<double> all;
  for (const Series& series : losses) all.insert(all.end(), series.y.begin(), series.y.end());
  const Range range = finite_range(all);
  return range.low > 0 && range.high >= 30 * range.low;
}

std::uint8_t level(double share) { return static_cast<std::uint8_t>(std::lround(255 * share)); }

// The colours of a pixel with a weight in one of three channels alone.
constexpr std::uint8_t no_weight = 128;
Color red_map(double t) { return {level(t), no_weight, no_weight}; }
Color green_map(double t) { return {no_weight, level(t), no_weight}; }
Color blue_map(double t) { return {no_weight, no_weight, level(t)}; }

/// What the colours of filters stand for: a bar for each weight that is in a colour.
std::vector<ColorBar> filter_bars(std::int64_t channels, const Range& range) {
  if (channels != 3) return {{.label = "weight", .range = range, .map = diverging_map}};
  return {{.label = "red weight", .range = range, .map = red_map},
          {.label = "green weight", .range = range, .map = green_map},
          {.label = "blue weight", .range = range, .map = blue_map}};
}

/// Title and note of a page of `what`, which is the title if there is no other.
ImagePage image_page(const ImagesOptions& options, const std::string& what, const std::string& legend) {
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

bool available() { return true; }

void draw_learning_curves(const fs::path& path, std::span<const EpochScores> epochs,
                          const LearningCurvesOptions& options) {
  if (epochs.empty()) throw xtgrad::ValueError("draw_learning_curves: needs an epoch: got none");
  std::vector<Series> losses{epoch_series("training", epochs, &EpochScores::loss, 1),
                             epoch_series("validation", epochs, &EpochScores::validation_loss, 1)};
  std::vector<Series> accuracies{epoch_series("training", epochs, &EpochScores::accuracy, 100),
                                 epoch_series("validation", epochs, &EpochScores::validation_accuracy, 100)};
  const bool logarithmic = options.logarithmic.value_or(spans_decades(losses));
  const std::array<Chart, 2> charts{
      epoch_chart("Loss", {.label = options.loss, .logarithmic = logarithmic, .lowest = 0},
                  std::move(losses)),
      epoch_chart("Accuracy", {.label = "correct (%)", .lowest = 0, .highest = 100}, std::move(accuracies))};
  save(draw_charts(charts, {.width = page_width, .height = 290}), path);
}

void draw_filters(const fs::path& path, const Tensor& weight, const ImagesOptions& options) {
  constexpr std::int64_t most_tiles = 4096;
  const Shape& shape = weight.shape();
  if (shape.rank() != 4 || shape.numel() == 0) {
    throw xtgrad::ShapeError(fmt::format(
        "draw_filters: weight must be [out, in, kh, kw], none of them 0: got {}", to_string(shape)));
  }
  const std::int64_t filters = shape[0];
  const bool whole = shape[1] == 1 || shape[1] == 3;  // a filter is one picture
  const std::int64_t count = whole ? filters : filters * shape[1];
  if (count > most_tiles) {
    throw xtgrad::ValueError(
        fmt::format("draw_filters: weight {} has {} pictures, at most {} fit on a page: slice it",
                    to_string(shape), count, most_tiles));
  }
  const Images images{whole ? shape[1] : 1, shape[2], shape[3], numbers(weight)};
  const Range range = range_about_zero(images.values);
  std::vector<Tile> tiles;
  for (std::int64_t i = 0; i < count; ++i) {
    Tile tile{.pixels = to_pixels(images[i], range, diverging_map)};
    if (whole) tile.captions.push_back({fmt::format("{}", i)});
    tiles.push_back(std::move(tile));
  }
  const std::int64_t columns = whole ? grid_columns(count, 2.5) : shape[1];
  const GridOptions grid = grid_options(columns, room, {whole ? 24.0 : 10.0, 84});
  const std::string note =
      !whole          ? fmt::format("a row for each filter, a column for each of {} channels", shape[1])
      : shape[1] == 3 ? "a colour mixes red, green and blue weights, grey: all 0"
                      : "";
  ImagePage page =
      image_page(options, fmt::format("{} of {} × {}", plural(filters, "filter"), shape[2], shape[3]), note);
  page.grids.emplace_back(std::move(tiles), grid);
  page.bars = filter_bars(shape[1], range);
  save(draw_images(page), path);
}

void draw_feature_maps(const fs::path& path, const FeatureMaps& features, const ImagesOptions& options) {
  const Shape& image = features.image.shape();
  const Shape& maps = features.maps.shape();
  if (image.rank() != 3 || image.numel() == 0 || (image[0] != 1 && image[0] != 3)) {
    throw xtgrad::ShapeError(
        fmt::format("draw_feature_maps: image must be [1, h, w] or [3, h, w]: got {}", to_string(image)));
  }
  if (maps.rank() != 3 || maps.numel() == 0) {
    throw xtgrad::ShapeError(
        fmt::format("draw_feature_maps: maps must be [maps, h, w], none of them 0: got {}", to_string(maps)));
  }
  const Images input{image[0], image[1], image[2], numbers(features.image)};
  const Images outputs{1, maps[1], maps[2], numbers(features.maps)};
  Range range = finite_range(outputs.values);
  // Zero has a colour of its own where there are values on both sides of it, and is the darkest elsewhere.
  const ColorMap map = range.low < 0 ? diverging_map : heat_map;
  range = range.low < 0 ? range_about_zero(outputs.values) : Range{0, range.high};
  std::vector<Tile> tiles;
  for (std::int64_t i = 0; i < maps[0]; ++i) {
    tiles.push_back({to_pixels(outputs[i], range, map), {{fmt::format("{}", i)}}});
  }
  constexpr double input_width = 110;
  constexpr double rest = room - input_width - 28;
  const std::int64_t columns = grid_columns(maps[0], 1.6);
  ImagePage page =
      image_page(options, fmt::format("{} of {} × {}", plural(maps[0], "feature map"), maps[1], maps[2]), "");
  page.grids.emplace_back(std::vector<Tile>{{to_pixels(input[0], finite_range(input.values)), {{"input"}}}},
                          GridOptions{.tile_width = input_width});
  page.grids.emplace_back(std::move(tiles), grid_options(columns, rest, {24, 84}));
  page.bars = {{.label = "activation", .range = range, .map = map}};
  save(draw_images(page), path);
}

void draw_confusion_matrix(const fs::path& path, const Tensor& counts, std::span<const std::string> names) {
  const Shape& shape = counts.shape();
  if (shape.rank() != 2 || shape[0] != shape[1] || shape[0] == 0) {
    throw xtgrad::ShapeError(
        fmt::format("draw_confusion_matrix: counts must be [classes, classes]: got {}", to_string(shape)));
  }
  ConfusionMatrix matrix{.names = class_names("draw_confusion_matrix", names, shape[0]), .counts = {}};
  for (const double count : numbers(counts)) {
    // 2^53: the whole numbers up to there are doubles.
    if (!(count >= 0 && count <= 9007199254740992.0) || count != std::floor(count)) {
      throw xtgrad::ValueError(
          fmt::format("draw_confusion_matrix: a count is a whole number, 0 or more: got {}", count));
    }
    matrix.counts.push_back(static_cast<std::int64_t>(count));
  }
  save(draw_matrix(matrix), path);
}

void draw_mistakes(const fs::path& path, const Mistakes& mistakes, std::span<const std::string> names) {
  constexpr std::string_view function = "draw_mistakes";
  const Shape& shape = mistakes.images.shape();
  const bool has_channels = shape.rank() == 4;
  if (!has_channels && shape.rank() != 3) {
    throw xtgrad::ShapeError(fmt::format("{}: images must be [n, h, w] or [n, channels, h, w]: got {}",
                                         function, to_string(shape)));
  }
  check_labels(function, mistakes.labels, names);
  const std::span<const std::int64_t> truth = mistakes.labels.truth.data<std::int64_t>();
  const std::span<const std::int64_t> predicted = mistakes.labels.predicted.data<std::int64_t>();
  if (mistakes.labels.truth.numel() != shape[0]) {
    throw xtgrad::ShapeError(
        fmt::format("{}: images and labels differ in number: images are {}, labels are {}", function,
                    to_string(shape), to_string(mistakes.labels.truth.shape())));
  }
  if (mistakes.limit < 1) {
    throw xtgrad::ValueError(fmt::format("{}: limit must be 1 or more: got {}", function, mistakes.limit));
  }

  std::vector<std::int64_t> wrong;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] != predicted[i]) wrong.push_back(static_cast<std::int64_t>(i));
  }
  const auto found = static_cast<std::int64_t>(wrong.size());
  if (found == 0) {
    const std::string message =
        shape[0] == 0 ? "there were no test images"
                      : fmt::format("every one of {} got the right label", plural(shape[0], "test image"));
    save(draw_message("No mistakes", message), path);
    return;
  }

  const std::int64_t shown = std::min(found, mistakes.limit);
  Images images{has_channels ? shape[1] : 1, shape[shape.rank() - 2], shape.back(), {}};
  for (std::int64_t k = 0; k < shown; ++k) {
    // Only these become doubles: a test set may be large.
    const std::int64_t i = wrong[static_cast<std::size_t>(k)];
    const std::vector<double> values =
        numbers(xtgrad::slice(mistakes.images.detach(), {.start = i, .stop = i + 1}));
    images.values.insert(images.values.end(), values.begin(), values.end());
  }
  const Range range = finite_range(images.values);
  std::vector<Tile> tiles;
  for (std::int64_t k = 0; k < shown; ++k) {
    const auto at = static_cast<std::size_t>(wrong[static_cast<std::size_t>(k)]);
    tiles.push_back({to_pixels(images[k], range),
                     {{"true: " + class_name(names, truth[at])},
                      {"got: " + class_name(names, predicted[at]), emphasis}}});
  }
  // Fewer columns where names are long, as far as pictures do not become too large for that.
  const double needed = caption_width(tiles);
  const auto fitting = static_cast<std::int64_t>(room / (needed + 8));
  const std::int64_t columns = std::min(grid_columns(shown, 1.6), std::clamp<std::int64_t>(fitting, 4, 6));
  const GridOptions grid = grid_options(columns, room, {48, std::max(74.0, needed)});
  const std::string note = fmt::format("{}the true label, and what it was taken for",
                                       shown < found ? fmt::format("the first {}: ", shown) : "");
  save(
      draw_images({.title = fmt::format("{} in {}", plural(found, "mistake"), plural(shape[0], "test image")),
                   .note = note,
                   .grids = {ImageGrid(std::move(tiles), grid)}}),
      path);
}

}  // namespace plot
