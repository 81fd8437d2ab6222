#pragma once

#include "page.h"

namespace gallery {

/// The perceptron's learning rule at work: its mistakes one by one, and how many there can be.
void draw_learning_rule(Page& page);

}  // namespace gallery
