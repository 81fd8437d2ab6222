#include "xtgrad/autograd/emit/windows.h"

#include <fmt/format.h>

namespace xtgrad::inline v1::detail {

PlaneWindows windows_of(const StepView& step, const Shape& image, const Shape& places, const Size2d& kernel) {
  const Size2d stride = step.size2d("stride", kernel), padding = step.size2d("padding");
  const Size2d dilation = step.has("dilation") ? step.size2d("dilation") : Size2d(1);
  return {{image[2], places[2], kernel.height, stride.height, padding.height, dilation.height},
          {image[3], places[3], kernel.width, stride.width, padding.width, dilation.width}};
}

std::string open_places(Statements& code, const SideWindows& side, const std::string& k) {
  const std::string p = code.fresh("p");
  const bool all_inside =
      side.padding == 0 && (side.places - 1) * side.stride + (side.kernel - 1) * side.dilation < side.size;
  if (all_inside) {
    code.open(fmt::format("for (int {0} = 0; {0} < {1}; ++{0})", p, side.places));
    return p;
  }
  // p stride + shift in [0, size)
  const std::string shift = code.let("int", fmt::format("{} * {} - {}", k, side.dilation, side.padding));
  const std::string first =
      code.let("int", fmt::format("{0} < 0 ? ({1} - 1 - {0}) / {1} : 0", shift, side.stride));
  const std::string room = code.let("int", fmt::format("{} - {}", side.size, shift));
  const std::string fit =
      code.let("int", fmt::format("{0} <= 0 ? 0 : ({0} + {1} - 1) / {1}", room, side.stride));
  const std::string end = code.let("int", fmt::format("{0} < {1} ? {0} : {1}", fit, side.places));
  code.open(fmt::format("for (int {0} = {1}; {0} < {2}; ++{0})", p, first, end));
  return p;
}

std::string inside(const SideWindows& side, const std::string& place, const std::string& k) {
  std::string text = side.stride == 1 ? place : fmt::format("{} * {}", place, side.stride);
  text += side.dilation == 1 ? fmt::format(" + {}", k) : fmt::format(" + {} * {}", k, side.dilation);
  return side.padding == 0 ? text : fmt::format("{} - {}", text, side.padding);
}

}  // namespace xtgrad::v1::detail
