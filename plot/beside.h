#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/plot/canvas.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace plot {

struct BesideOptions {
  std::int64_t per_row = 0;  ///< pages in a row; 0: all of them
  std::string title = {};    ///< over all of them
};

/// One page with others side by side, or in rows: pictures of any kinds in one file. Each stands in the
/// middle of its place, which is as wide as the widest of its column and as high as the highest of its row.
/// Throws ValueError if there is no page, or for per_row below 0.
[[nodiscard]] Canvas beside(std::span<const Canvas> pages, const BesideOptions& options = {});

}}}  // namespace xtgrad::v1::plot
