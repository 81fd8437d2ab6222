#include "xtgrad/autograd/interpolation.h"

namespace xtgrad::inline v1 {

std::string to_string(Interpolation mode) {
  switch (mode) {
    case Interpolation::nearest:
      return "nearest";
    case Interpolation::nearest_exact:
      return "nearest_exact";
    case Interpolation::linear:
      return "linear";
    case Interpolation::cubic:
      return "cubic";
    case Interpolation::area:
      return "area";
  }
  return "unknown";
}

}  // namespace xtgrad::v1
