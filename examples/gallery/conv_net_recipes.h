#pragma once

#include "augmented_training.h"

// What page 14 trains on each data set, and how.

namespace gallery {

/// For the scanned digits that come with the library, in seconds.
[[nodiscard]] ConvNetRecipe recipe_for_digits();
[[nodiscard]] ConvNetRecipe recipe_for_mnist();
/// For a few thousand photographs.
[[nodiscard]] ConvNetRecipe recipe_for_cifar10();

}  // namespace gallery
