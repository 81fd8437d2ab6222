#pragma once

#include <string_view>

#include "xtgrad/datasets/raw_image.h"

namespace xtgrad::inline v1::datasets::detail {

/// How a PNG or JPEG file's Exif block says that the camera was held: tag 0x0112, 1 to 8 (Exif 2.32, section
/// 4.6.4). 1, upright, where the file says nothing that can be understood.
[[nodiscard]] int exif_orientation(std::string_view file);

/// The image turned and mirrored so that what was up is up.
[[nodiscard]] RawImage upright(RawImage image, int orientation);

}  // namespace xtgrad::v1::datasets::detail
