#pragma once

#include "page.h"

namespace gallery {

/// A picture of page 09: the same training on digits by each of the library's optimizers.
void draw_every_optimizer(Page& page);

}  // namespace gallery
