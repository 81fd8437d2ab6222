#include "xtgrad/plot/canvas.h"

#include <utility>

namespace xtgrad::inline v1::plot {
namespace {

Point moved(Point point, Point by) { return {point.x + by.x, point.y + by.y}; }

void move(Rect& rect, Point by) {
  rect.x += by.x;
  rect.y += by.y;
}

void move(std::vector<Point>& points, Point by) {
  for (Point& point : points) point = moved(point, by);
}

/// Moves each kind of item.
struct Mover {
  Point by;

  void operator()(Box& box) const { move(box.rect, by); }
  void operator()(Line& line) const { move(line.points, by); }
  void operator()(Polygon& polygon) const { move(polygon.points, by); }
  void operator()(Disc& disc) const { disc.center = moved(disc.center, by); }
  void operator()(Text& text) const { text.at = moved(text.at, by); }
  void operator()(Picture& picture) const { move(picture.rect, by); }
};

}  // namespace

bool available() {
#ifdef XTGRAD_HAS_CAIRO
  return true;
#else
  return false;
#endif
}

void Canvas::add(Item item) { items_.push_back(std::move(item)); }

void Canvas::add(const Canvas& other, Point corner) {
  // By number, for a canvas may be added to itself.
  const std::size_t count = other.items_.size();
  for (std::size_t i = 0; i < count; ++i) {
    Item item = other.items_[i];
    std::visit(Mover{corner}, item);
    items_.push_back(std::move(item));
  }
}

}  // namespace xtgrad::v1::plot
