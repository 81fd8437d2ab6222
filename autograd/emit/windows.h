#pragma once

#include <cstdint>
#include <string>

#include "xtgrad/autograd/emit/statements.h"
#include "xtgrad/autograd/emit/step_view.h"

namespace xtgrad::inline v1::detail {

/// How windows lie along one side of an image: place `p` of `places` begins at p stride - padding.
struct SideWindows {
  std::int64_t size, places, kernel, stride, padding, dilation;
};

/// Both sides of a step's windows, of an image and what is made of it, as [n, c, h, w].
struct PlaneWindows {
  SideWindows rows, columns;
};

/// Of a step with the attributes stride, padding and dilation, where it has them.
[[nodiscard]] PlaneWindows windows_of(const StepView& step, const Shape& image, const Shape& places,
                                      const Size2d& kernel);

/// Opens a loop over those places whose windows have their element `k`, an expression, inside the image.
/// Returns the name of the place.
std::string open_places(Statements& code, const SideWindows& side, const std::string& k);
/// Where in the image element k of the window at a place lies.
[[nodiscard]] std::string inside(const SideWindows& side, const std::string& place, const std::string& k);

}  // namespace xtgrad::v1::detail
