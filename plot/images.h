#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/plot/canvas.h"
#include "xtgrad/plot/style.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace plot {

struct ImagesOptions {
  std::string title = {};
  std::string note = {};                      ///< a smaller line under the title
  std::vector<std::string> captions = {};     ///< under the images: none, or one for each
  std::int64_t per_row = 0;                   ///< images in a row; 0: as the page looks best
  std::optional<Range> range = std::nullopt;  ///< from dark to light; if absent, what all images span
  bool each = false;                          ///< a range of its own for each image
  ColorMap map = grey_map;                    ///< for images of one channel
  std::string value_label = {};               ///< of a bar that tells what colours stand for; none if empty
};

/// Images in rows: [n, h, w] or [n, channels, h, w], of one channel through the colour map, of three as red,
/// green and blue; of any dtype. Throws ShapeError for other shapes or none to draw, or another number of
/// captions; ValueError for a range that is not finite with low below high, one that is given for `each`,
/// more than 4096 images, or per_row below 0.
[[nodiscard]] Canvas draw_images(const Tensor& images, const ImagesOptions& options = {});

}}}  // namespace xtgrad::v1::plot
