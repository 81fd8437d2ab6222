#pragma once

#include <string>
#include <string_view>

#include "xtgrad/datasets/raw_image.h"

namespace xtgrad::inline v1::datasets::detail {

[[nodiscard]] bool is_png(std::string_view bytes);

/// Throws IoError for what is no whole PNG file, or in a build without libpng.
[[nodiscard]] RawImage read_png(const ImageSource& source);

/// The file of an image of 1 or 3 channels. Throws IoError, naming `function`, in a build without libpng.
[[nodiscard]] std::string png_bytes(std::string_view function, const RawImage& image);

}  // namespace xtgrad::v1::datasets::detail
