#pragma once

#include "augmented_training.h"

// What page 14 trains in a full run, and how.

namespace gallery {

[[nodiscard]] ConvNetRecipe recipe_for_mnist();
/// For a few thousand photographs.
[[nodiscard]] ConvNetRecipe recipe_for_cifar10();

}  // namespace gallery
