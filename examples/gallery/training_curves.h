#pragma once

#include "page.h"

// Two pictures of page 09, of trainings on digits.

namespace gallery {

/// Batch, mini-batch and single-sample descent, and descent that changes only a random part of the weights.
void draw_batches(Page& page);
/// Learning rates that are too small, right and too large, and a deep net with and without warm-up.
void draw_rates(Page& page);

}  // namespace gallery
