#include "augmentation.h"

#include <fmt/format.h>

#include "xtgrad/datasets/augment.h"

namespace train {

namespace datasets = xtgrad::datasets;

Augmentation augmentation_for(const std::string& data, const xtgrad::Shape& sample) {
  const auto shift = [](std::int64_t pixels) -> Augmentation {
    return {.transform = datasets::random_shift({.pixels = pixels}),
            .description = fmt::format("shifts by up to {} pixel{}", pixels, pixels == 1 ? "" : "s")};
  };
  if (data == "digits" || data == "mnist") return shift(1);
  if (data == "fashion-mnist") return {.transform = datasets::random_flip(), .description = "mirror images"};
  if (data == "cifar10") {
    constexpr std::int64_t padding = 4;
    return {.transform = datasets::Augment({datasets::random_crop({.size = {sample[1], sample[2]},
                                                                   .padding = padding,
                                                                   .mode = datasets::CropPadding::reflect}),
                                            datasets::random_flip()}),
            .description = fmt::format("mirror images, shifts by up to {} pixels", padding)};
  }
  return {};
}

}  // namespace train
