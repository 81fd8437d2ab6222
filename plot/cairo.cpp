#include "xtgrad/plot/cairo.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"

#ifdef XTGRAD_HAS_CAIRO
#include <cairo.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <numbers>

#include "xtgrad/autograd/sanitizers.h"
#include "xtgrad/plot/text.h"

#if XTGRAD_ADDRESS_SANITIZER
/// Fontconfig keeps its patterns by offsets, which the leak sanitizer does not take for pointers.
// Visible, for the sanitizer calls it from its own shared object.
extern "C" __attribute__((visibility("default"))) const char*
__lsan_default_suppressions();  // NOLINT: the sanitizer's name
extern "C" const char* __lsan_default_suppressions() { return "leak:libfontconfig"; }
#endif

namespace xtgrad::inline v1::plot::detail {
namespace {

struct Deleter {
  void operator()(cairo_t* p) const { cairo_destroy(p); }
  void operator()(cairo_surface_t* p) const { cairo_surface_destroy(p); }
  void operator()(cairo_font_face_t* p) const { cairo_font_face_destroy(p); }
  void operator()(cairo_font_options_t* p) const { cairo_font_options_destroy(p); }
  void operator()(cairo_scaled_font_t* p) const { cairo_scaled_font_destroy(p); }
};
// Cairo's types are incomplete, and a handle to one is what unique_ptr holds.
template <class T>
using Handle = std::unique_ptr<T, Deleter>;

void check(cairo_status_t status, std::string_view what) {
  if (status == CAIRO_STATUS_SUCCESS) return;
  throw Error(fmt::format("{}: Cairo failed: {}", what, cairo_status_to_string(status)));
}

/// Fontconfig's default sans-serif, unhinted: hinting would make a text's width depend on the resolution.
struct Font {
  explicit Font(bool bold)
      : face(cairo_toy_font_face_create("sans-serif", CAIRO_FONT_SLANT_NORMAL,
                                        bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL)),
        options(cairo_font_options_create()) {
    cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options.get(), CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options.get(), CAIRO_ANTIALIAS_GRAY);
  }
  Handle<cairo_font_face_t> face;
  Handle<cairo_font_options_t> options;
};

const Font& font(bool bold) {
  static const Font regular_font(false);
  static const Font bold_font(true);
  return bold ? bold_font : regular_font;
}

void set_color(cairo_t* cairo, Color color) {
  cairo_set_source_rgb(cairo, color.red / 255.0, color.green / 255.0, color.blue / 255.0);
}

Handle<cairo_surface_t> surface_of(const Pixels& pixels) {
  Handle<cairo_surface_t> surface(cairo_image_surface_create(
      CAIRO_FORMAT_RGB24, static_cast<int>(pixels.width), static_cast<int>(pixels.height)));
  check(cairo_surface_status(surface.get()), "to_png");
  cairo_surface_flush(surface.get());
  unsigned char* row = cairo_image_surface_get_data(surface.get());
  const int stride = cairo_image_surface_get_stride(surface.get());
  auto color = pixels.colors.begin();
  for (std::int64_t y = 0; y < pixels.height; ++y, row += stride) {
    for (std::int64_t x = 0; x < pixels.width; ++x, ++color) {
      const std::uint32_t word = static_cast<std::uint32_t>(color->red) << 16U |
                                 static_cast<std::uint32_t>(color->green) << 8U | color->blue;
      std::memcpy(row + 4 * x, &word, sizeof word);
    }
  }
  cairo_surface_mark_dirty(surface.get());
  return surface;
}

/// Draws the items of a page, each by its kind.
class Painter {
 public:
  explicit Painter(cairo_t* cairo) : cairo_(cairo) {}

  void operator()(const Box& box) const {
    set_color(cairo_, box.fill);
    cairo_rectangle(cairo_, box.rect.x, box.rect.y, box.rect.width, box.rect.height);
    cairo_fill(cairo_);
  }
  void operator()(const Line& line) const {
    set_color(cairo_, line.color);
    cairo_set_line_width(cairo_, line.width);
    for (const Point& point : line.points) cairo_line_to(cairo_, point.x, point.y);
    if (line.closed) cairo_close_path(cairo_);
    cairo_set_dash(cairo_, &line.dash, line.dash > 0 ? 1 : 0, 0);
    cairo_stroke(cairo_);
  }
  void operator()(const Polygon& polygon) const {
    set_color(cairo_, polygon.fill);
    for (const Point& point : polygon.points) cairo_line_to(cairo_, point.x, point.y);
    cairo_close_path(cairo_);
    cairo_fill(cairo_);
  }
  void operator()(const Disc& disc) const {
    set_color(cairo_, disc.fill);
    cairo_new_sub_path(cairo_);
    cairo_arc(cairo_, disc.center.x, disc.center.y, disc.radius, 0, 2 * std::numbers::pi);
    cairo_fill(cairo_);
  }
  void operator()(const Text& text) const {
    const std::string clean = clean_text(text.text);
    const TextStyle& style = text.style;
    const double share = style.align == Align::left ? 0 : style.align == Align::center ? 0.5 : 1;
    cairo_save(cairo_);
    cairo_translate(cairo_, text.at.x, text.at.y);
    cairo_rotate(cairo_, -style.turn * std::numbers::pi / 180);
    set_color(cairo_, style.color);
    cairo_set_font_face(cairo_, font(style.bold).face.get());
    cairo_set_font_options(cairo_, font(style.bold).options.get());
    cairo_set_font_size(cairo_, style.size);
    cairo_move_to(cairo_, -share * text_width(clean, style), baseline_drop(style));
    cairo_show_text(cairo_, clean.c_str());
    cairo_restore(cairo_);
    cairo_new_path(cairo_);
  }
  void operator()(const Picture& picture) const {
    const Rect& rect = picture.rect;
    const Handle<cairo_surface_t> surface = surface_of(picture.pixels);
    cairo_save(cairo_);
    cairo_translate(cairo_, rect.x, rect.y);
    cairo_scale(cairo_, rect.width / static_cast<double>(picture.pixels.width),
                rect.height / static_cast<double>(picture.pixels.height));
    cairo_set_source_surface(cairo_, surface.get(), 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cairo_), CAIRO_FILTER_NEAREST);
    cairo_rectangle(cairo_, 0, 0, static_cast<double>(picture.pixels.width),
                    static_cast<double>(picture.pixels.height));
    cairo_fill(cairo_);
    cairo_restore(cairo_);
  }

 private:
  cairo_t* cairo_;
};

cairo_status_t append(void* target, const unsigned char* bytes, unsigned int length) {
  static_cast<std::string*>(target)->append(reinterpret_cast<const char*>(bytes), length);
  return CAIRO_STATUS_SUCCESS;
}

std::string encode(cairo_surface_t* surface) {
  std::string bytes;
  check(cairo_surface_write_to_png_stream(surface, append, &bytes), "to_png");
  return bytes;
}

}  // namespace

double unit_text_width(const std::string& text, bool bold) {
  // Measured large, for Cairo rounds advances to 1/64 of a pixel.
  constexpr double size = 1000;
  cairo_matrix_t scale;
  cairo_matrix_init_scale(&scale, size, size);
  cairo_matrix_t identity;
  cairo_matrix_init_identity(&identity);
  const Handle<cairo_scaled_font_t> scaled(
      cairo_scaled_font_create(font(bold).face.get(), &scale, &identity, font(bold).options.get()));
  cairo_text_extents_t extents;
  cairo_scaled_font_text_extents(scaled.get(), text.c_str(), &extents);
  check(cairo_scaled_font_status(scaled.get()), "text_width");
  return extents.x_advance / size;
}

std::string encode_png(const Pixels& pixels) { return encode(surface_of(pixels).get()); }

std::string encode_png(const Canvas& canvas, double pixels_per_point) {
  constexpr double max_side = 32767;  // of a Cairo image, in pixels
  const Size size = canvas.size();
  const double width = std::ceil(size.width * pixels_per_point);
  const double height = std::ceil(size.height * pixels_per_point);
  if (!(width >= 1 && width <= max_side && height >= 1 && height <= max_side)) {
    throw ValueError(fmt::format("to_png: a page has 1 to {} pixels a side: {} x {} points would be {} x {}",
                                 max_side, size.width, size.height, width, height));
  }
  const Handle<cairo_surface_t> surface(
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(width), static_cast<int>(height)));
  const Handle<cairo_t> cairo(cairo_create(surface.get()));
  check(cairo_status(cairo.get()), "to_png");
  cairo_set_source_rgb(cairo.get(), 1, 1, 1);
  cairo_paint(cairo.get());
  cairo_scale(cairo.get(), pixels_per_point, pixels_per_point);
  cairo_set_line_join(cairo.get(), CAIRO_LINE_JOIN_ROUND);
  for (const Item& item : canvas.items()) std::visit(Painter(cairo.get()), item);
  // An error anywhere is kept by the context, and would leave the rest of the page blank.
  check(cairo_status(cairo.get()), "to_png");
  return encode(surface.get());
}

void require_cairo(std::string_view) {}

}  // namespace xtgrad::v1::plot::detail

#else

namespace xtgrad::inline v1::plot::detail {

void require_cairo(std::string_view function) {
  throw Error(fmt::format(
      "{}: this program was built without Cairo: install libcairo2-dev and configure again", function));
}

double unit_text_width(const std::string&, bool) {
  require_cairo("text_width");
  return 0;
}

std::string encode_png(const Canvas&, double) {
  require_cairo("to_png");
  return {};
}

std::string encode_png(const Pixels&) {
  require_cairo("to_png");
  return {};
}

}  // namespace xtgrad::v1::plot::detail

#endif
