#include "xtgrad/plot/contour_lines.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>

namespace xtgrad::inline v1::plot::detail {
namespace {

/// Marching squares: in each square of four neighbours the level crosses two or four of its edges. A crossing
/// is known by its edge, which two squares share, so that segments join to lines without comparing numbers.
class Tracer {
 public:
  Tracer(const Grid& grid, std::span<const double> values, double level)
      : grid_(grid), values_(values), level_(level) {
    for (std::int64_t row = 0; row + 1 < grid.rows; ++row) {
      for (std::int64_t column = 0; column + 1 < grid.per_row; ++column) add_square(row, column);
    }
  }

  std::vector<ContourLine> lines() {
    std::vector<ContourLine> found;
    // Lines with ends first, for a walk from their middle would cut them in two.
    for (const auto& [edge, crossing] : crossings_) {
      if (!crossing.done && crossing.count == 1) found.push_back(walk(edge));
    }
    for (const auto& [edge, crossing] : crossings_) {
      if (crossing.done) continue;
      found.push_back(walk(edge));
      found.back().push_back(found.back().front());
    }
    return found;
  }

 private:
  using Edge = std::int64_t;
  struct Crossing {
    Point at;
    std::array<Edge, 2> next = {};
    int count = 0;
    bool done = false;
  };

  [[nodiscard]] double value(std::int64_t row, std::int64_t column) const {
    return values_[static_cast<std::size_t>(row * grid_.per_row + column)];
  }
  /// The edge from a place to its right or upper neighbour.
  [[nodiscard]] Edge edge(std::int64_t row, std::int64_t column, bool upwards) const {
    return 2 * (row * grid_.per_row + column) + (upwards ? 1 : 0);
  }

  Crossing& crossing(Edge name) {
    const auto [found, is_new] = crossings_.try_emplace(name);
    if (is_new) {
      const bool upwards = name % 2 == 1;
      const std::int64_t row = name / 2 / grid_.per_row;
      const std::int64_t column = name / 2 % grid_.per_row;
      const double from = value(row, column);
      const double to = upwards ? value(row + 1, column) : value(row, column + 1);
      const double share = (level_ - from) / (to - from);
      const auto r = static_cast<double>(row);
      const auto c = static_cast<double>(column);
      found->second.at = upwards ? grid_place(grid_, c, r + share) : grid_place(grid_, c + share, r);
    }
    return found->second;
  }

  void join(Edge a, Edge b) {
    Crossing& from = crossing(a);
    from.next[static_cast<std::size_t>(from.count++)] = b;
    Crossing& to = crossing(b);
    to.next[static_cast<std::size_t>(to.count++)] = a;
  }

  void add_square(std::int64_t row, std::int64_t column) {
    // Around the square, from the lower left corner.
    const std::array<double, 4> corners{value(row, column), value(row, column + 1),
                                        value(row + 1, column + 1), value(row + 1, column)};
    const std::array<Edge, 4> edges{edge(row, column, false), edge(row, column + 1, true),
                                    edge(row + 1, column, false), edge(row, column, true)};
    for (const double corner : corners) {
      if (!std::isfinite(corner)) return;
    }
    const auto above = [&](std::size_t i) { return corners[i % 4] >= level_; };
    std::array<Edge, 4> crossed{};
    std::size_t count = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      if (above(i) != above(i + 1)) crossed[count++] = edges[i];
    }
    if (count == 2) join(crossed[0], crossed[1]);
    if (count == 4) {
      // A saddle: its middle decides which corners belong together.
      const bool high = corners[0] / 4 + corners[1] / 4 + corners[2] / 4 + corners[3] / 4 >= level_;
      const bool around_first = high != above(0);
      join(crossed[0], crossed[around_first ? 3 : 1]);
      join(crossed[around_first ? 1 : 2], crossed[around_first ? 2 : 3]);
    }
  }

  ContourLine walk(Edge from) {
    ContourLine line;
    for (Edge at = from;;) {
      Crossing& here = crossings_.at(at);
      here.done = true;
      line.push_back(here.at);
      bool moved = false;
      for (int i = 0; i < here.count && !moved; ++i) {
        const Edge next = here.next[static_cast<std::size_t>(i)];
        if (crossings_.at(next).done) continue;
        at = next;
        moved = true;
      }
      if (!moved) return line;
    }
  }

  const Grid& grid_;
  std::span<const double> values_;
  double level_;
  std::map<Edge, Crossing> crossings_;
};

}  // namespace

std::vector<ContourLine> contour_lines(const Grid& grid, std::span<const double> values, double level) {
  return Tracer(grid, values, level).lines();
}

}  // namespace xtgrad::v1::plot::detail
