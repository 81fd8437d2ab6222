#pragma once

#include "page.h"

// Why page 02 chooses k on validation images, in numbers.

namespace gallery {

/// Chooses k on training, validation and test images of a hundred small splits, and draws what is then
/// reported beside what is true of fresh images.
void draw_choices(Page& page, const datasets::Dataset& digits);

}  // namespace gallery
