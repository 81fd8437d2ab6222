#pragma once

#include "page.h"

namespace gallery {

/// A picture of page 09: one training on digits, and where each stopping rule would end it.
void draw_stopping_rules(Page& page);

}  // namespace gallery
