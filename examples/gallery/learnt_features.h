#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "choice_of_k.h"
#include "page.h"

// What page 02 gains when neighbours are those among a conv net's features.

namespace gallery {

/// What neighbours by pixels, neighbours by features, and the net itself get right of the test images, in
/// percent.
struct Accuracies {
  std::string name;
  double pixels = 0;
  double features = 0;
  double net = 0;
};

/// A conv net's last layer but one makes numbers of an image, its features. Are neighbours among these
/// better? Leaves `pixels` open.
[[nodiscard]] Accuracies by_features(Page& page, const Parts& parts, std::int64_t epochs);

void draw_gain(Page& page, const std::vector<Accuracies>& outcomes);

}  // namespace gallery
