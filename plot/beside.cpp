#include "xtgrad/plot/beside.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/plot/cairo.h"
#include "xtgrad/plot/style.h"
#include "xtgrad/plot/text.h"

namespace xtgrad::inline v1::plot {

Canvas beside(std::span<const Canvas> pages, const BesideOptions& options) {
  detail::require_cairo("beside");
  if (pages.empty()) throw ValueError("beside: needs a page: got none");
  if (options.per_row < 0)
    throw ValueError(fmt::format("beside: per_row must be 0 or more: got {}", options.per_row));
  const auto most = static_cast<std::int64_t>(pages.size());
  const auto columns =
      static_cast<std::size_t>(options.per_row == 0 ? most : std::min(options.per_row, most));
  std::vector<double> widths(columns, 0);
  std::vector<double> heights((pages.size() + columns - 1) / columns, 0);
  for (std::size_t i = 0; i < pages.size(); ++i) {
    widths[i % columns] = std::max(widths[i % columns], pages[i].size().width);
    heights[i / columns] = std::max(heights[i / columns], pages[i].size().height);
  }
  const double heading = options.title.empty() ? 0 : margin + title_size + 4;
  const double width = std::accumulate(widths.begin(), widths.end(), 0.0);
  Canvas all(Size{width, std::accumulate(heights.begin(), heights.end(), heading)});
  if (!options.title.empty()) {
    const TextStyle style{.size = title_size + 2, .color = ink, .bold = true, .align = Align::center};
    all.add(Text{{width / 2, heading}, fit_text(options.title, style, width - 2 * margin), style});
  }
  double y = heading;
  for (std::size_t row = 0; row < heights.size(); ++row) {
    double x = 0;
    for (std::size_t column = 0; column < columns && row * columns + column < pages.size(); ++column) {
      const Canvas& page = pages[row * columns + column];
      all.add(page,
              {x + (widths[column] - page.size().width) / 2, y + (heights[row] - page.size().height) / 2});
      x += widths[column];
    }
    y += heights[row];
  }
  return all;
}

}  // namespace xtgrad::v1::plot
