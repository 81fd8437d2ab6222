#pragma once

#include <span>
#include <string_view>

#include "xtgrad/plot/chart.h"

namespace xtgrad::inline v1::plot::detail {

/// Throws, naming `function` and both values, where a chart cannot be drawn: see `draw_charts`.
void check_charts(std::string_view function, std::span<const Chart> charts);

}  // namespace xtgrad::v1::plot::detail
