#include "xtgrad/datasets/raw_image.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::datasets::detail {

void ImageSource::fail(std::string_view what) const {
  throw IoError(fmt::format("{}: {}: {}", function, name, what));
}

void ImageSource::check_size(std::uint64_t width, std::uint64_t height, std::uint64_t pixels_per_byte) const {
  // No format has sides of more than 32 bits, so the product is exact.
  const std::uint64_t pixels = width * height;
  if (pixels > max_pixels)
    fail(fmt::format("the image is too large: {} x {} pixels, and at most {} are read", width, height,
                     max_pixels));
  if (pixels / pixels_per_byte > bytes.size())
    fail(fmt::format("the file is too short for its image: {} bytes, {} x {} pixels", bytes.size(), width,
                     height));
}

}  // namespace xtgrad::v1::datasets::detail
