#include "conv_net_recipes.h"

#include "xtgrad/datasets/augment.h"

namespace gallery {

ConvNetRecipe recipe_for_mnist() {
  return {.net = {.channels = {32, 64, 128}, .hidden = {128}, .batch_norm = true, .dropout = 0.3},
          .epochs = 12,
          .batch_size = 128,
          .lr = 0.003,
          .augment = datasets::random_shift({.pixels = 2})};
}

ConvNetRecipe recipe_for_cifar10() {
  const datasets::Augment augment(
      {datasets::random_crop({.size = 32, .padding = 4, .mode = datasets::CropPadding::reflect}),
       datasets::random_flip()});
  return {.net = {.in_channels = 3,
                  .image = 32,
                  .channels = {48, 96, 192},
                  .hidden = {128},
                  .batch_norm = true,
                  .dropout = 0.1},
          .epochs = 40,
          .batch_size = 64,
          .lr = 0.0015,
          .weight_decay = 0.01,
          .label_smoothing = 0.1,
          .augment = augment};
}

}  // namespace gallery
