#include "xtgrad/autograd/size3d.h"

namespace xtgrad::inline v1 {

std::string to_string(const Size3d& size) {
  return std::to_string(size.depth) + "x" + std::to_string(size.height) + "x" + std::to_string(size.width);
}

}  // namespace xtgrad::v1
