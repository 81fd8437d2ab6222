#include "xtgrad/nn/position_text.h"

#include <cstdint>

namespace xtgrad::inline v1::nn::detail {

std::string position_text(std::size_t element, const Shape& shape) {
  auto rest = static_cast<std::int64_t>(element);
  Shape position = shape;
  for (std::size_t i = shape.rank(); i-- > 0;) {
    position[i] = rest % shape[i];
    rest /= shape[i];
  }
  return to_string(position);
}

}  // namespace xtgrad::v1::nn::detail
