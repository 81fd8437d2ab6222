#include "xtgrad/plot/files.h"

#include <fmt/format.h>

#include <variant>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/file.h"
#include "xtgrad/plot/cairo.h"
#include "xtgrad/plot/svg.h"

namespace xtgrad::inline v1::plot {

std::string to_png(const Canvas& canvas) {
  detail::require_cairo("to_png");
  return detail::encode_png(canvas, pixels_per_point);
}

std::string to_png(const Pixels& pixels) {
  detail::require_cairo("to_png");
  return detail::encode_png(pixels);
}

std::string to_svg(const Canvas& canvas) {
  detail::require_cairo("to_svg");
  std::string svg = detail::svg_head(canvas.size());
  for (const Item& item : canvas.items()) svg += detail::svg_element(item) + "\n";
  return svg + "</svg>\n";
}

void save(const Canvas& canvas, const std::string& path) {
  detail::require_cairo("save");
  if (path.ends_with(".png")) {
    write_file_atomically(path, to_png(canvas));
  } else if (path.ends_with(".svg")) {
    write_file_atomically(path, to_svg(canvas));
  } else {
    throw ValueError(fmt::format("save: a picture's name ends in .png or .svg: got {}", path));
  }
}

}  // namespace xtgrad::v1::plot
