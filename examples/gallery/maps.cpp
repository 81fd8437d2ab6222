#include "maps.h"

#include <fmt/format.h>

#include <cstddef>
#include <utility>

#include "xtgrad/autograd/ops.h"
#include "xtgrad/plot/images.h"
#include "xtgrad/plot/numbers.h"
#include "xtgrad/plot/style.h"

namespace gallery {

Tensor tile(const Tensor& map, std::int64_t side) {
  const std::int64_t h = map.size(2);
  const std::int64_t w = map.size(3);
  const Tensor squares = broadcast_to(reshape(map, {h, 1, w, 1}), {h, side / h, w, side / w});
  return reshape(squares, {1, 1, side, side}) / amax(abs(map));
}

std::string with_reach(const std::string& caption, const Tensor& map) {
  return fmt::format("{}, ±{:.2g}", caption, amax(abs(map)).item());
}

plot::Canvas draw_maps(const std::string& title, const std::vector<Tensor>& tiles,
                       std::vector<std::string> captions, std::int64_t columns) {
  return plot::draw_images(concat(tiles, 0), {.title = title,
                                              .captions = std::move(captions),
                                              .per_row = columns,
                                              .range = plot::Range{-1, 1},
                                              .map = plot::diverging_map,
                                              .value_label = "of its reach"});
}

plot::Canvas draw_flat(const Tensor& map, const std::string& caption) {
  const Tensor flat = flatten(map / amax(abs(map)));
  plot::Pixels cells{.width = flat.numel(), .height = 1};
  for (const double value : plot::numbers(flat)) {
    cells.colors.push_back(plot::diverging_map((value + 1) / 2));
  }
  const plot::Rect strip{20, 4, plot::page_width - 40, 24};
  plot::Canvas canvas({plot::page_width, 60});
  canvas.add(plot::Picture{strip, cells});
  const auto rows = static_cast<double>(map.size(2));
  for (double row = 0; row <= rows; ++row) {
    const double x = strip.x + strip.width * row / rows;
    canvas.add(plot::Line{{{x, strip.y}, {x, strip.bottom() + 4}}, plot::faint_ink, 0.5});
  }
  canvas.add(plot::Text{{plot::page_width / 2, 46},
                        caption,
                        {.size = plot::small_size, .color = plot::ink, .align = plot::Align::center}});
  return canvas;
}

}  // namespace gallery
